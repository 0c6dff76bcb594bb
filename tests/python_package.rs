//! The Python package: its own tests, with the real program.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Writes an authority's certificate, and one of localhost with its key: each with a name of its own, for by that Python's gRPC tells
/// them apart.
fn certificates(folder: &Path) {
    let params = |name: &str, names: Vec<String>| {
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut authority = params("authority", Vec::new());
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (authority_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let write = |name: &str, pem: &str| std::fs::write(folder.join(name), pem).expect("written");
    write("ca.pem", &authority.self_signed(&authority_key).expect("a certificate").pem());
    let issuer = Issuer::new(authority, authority_key);
    write("cert.pem", &params("localhost", vec!["localhost".to_owned()]).signed_by(&key, &issuer).expect("a certificate").pem());
    write("key.pem", &key.serialize_pem());
}

#[test]
fn the_python_package() {
    let Some(python) = std::env::var_os("CALLGRADE_PYTHON") else {
        println!("skipped: python package (CALLGRADE_PYTHON is not set; make test sets it)");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let output = crate::support::python(&python)
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests", "--ignore", "tests/spark"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("python"))
        .env("CALLGRADE_BINARY", env!("CARGO_BIN_EXE_callgrade"))
        .env("CALLGRADE_TLS", folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let told = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{told}");
    println!("{told}");
}
