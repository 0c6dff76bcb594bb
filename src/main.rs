//! The `callgrade` program; see [`callgrade::cli`].

fn main() -> std::process::ExitCode {
    callgrade::cli::main()
}
