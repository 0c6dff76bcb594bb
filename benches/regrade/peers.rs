//! What a user would reach for: DuckDB and Polars on the same file, `benches/peers/keywords.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A Python with both engines.
pub struct Python {
    program: PathBuf,
    pub versions: String,
}

impl Python {
    pub fn found() -> Result<Self, String> {
        let program = std::env::var_os("CALLGRADE_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
        let needed = "import platform, duckdb, polars, yaml; \
            print('Python', platform.python_version(), 'DuckDB', duckdb.__version__, 'Polars', polars.__version__)";
        let output = Command::new(&program)
            .args(["-c", needed])
            .output()
            .map_err(|error| format!("{}: {error}; make it with `python3 -m venv .venv`", program.display()))?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            let error = error.lines().last().unwrap_or("it failed");
            return Err(format!("{error}; `{} -m pip install -r benches/peers/regrade-requirements.txt`", program.display()));
        }
        Ok(Self { program, versions: String::from_utf8_lossy(&output.stdout).trim().to_owned() })
    }

    /// Runs a query on a file; what is printed is JSON.
    pub fn run(&self, input: &Path, query: &[&str]) -> Result<Value, String> {
        let output = Command::new(&self.program)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(root().join("benches/peers/keywords.py"))
            .arg(input)
            .args(query)
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if !output.status.success() {
            return Err(format!("keywords.py failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("keywords.py printed no JSON: {error}"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
