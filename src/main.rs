//! The `callgrade` program; see [`callgrade::cli`].

/// A call is some hundred small pieces of memory, taken by one thread and often given back by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    callgrade::cli::main()
}
