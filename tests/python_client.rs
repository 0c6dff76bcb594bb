//! The real server, talked to by a client that is not ours: Python's grpcio, with stubs made from reflection alone.

use std::path::Path;

use crate::support::RunningServer;

#[test]
fn a_python_client_made_from_reflection() {
    let Some(python) = std::env::var_os("CALLGRADE_PYTHON") else {
        println!("skipped: python client (CALLGRADE_PYTHON is not set; make test sets it)");
        return;
    };
    let mut server = RunningServer::start(&["--gap-ms", "2000", "--idle-ms", "8000"]);
    let output = crate::support::python(&python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/client"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("CALLGRADE_ADDR", &server.address)
        .env("CALLGRADE_PID", server.id().to_string())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let told = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{told}");
    println!("{told}");
    // Its last test sends SIGTERM.
    assert_eq!(server.exit_code(), Some(0), "the server's exit code");
}
