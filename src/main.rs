//! The command `advis`: parses the command line, calls the library, and maps the result to an exit code.

use std::process::ExitCode;

use advis::cli::{self, Cli, Exit};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread for all that waits for disk and network: a second only costs hand-offs. Beside it one for names and files
    // is enough: each keeps some memory for itself.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    match runtime.max_blocking_threads(1).enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli)).into(),
        Err(error) => {
            cli::refuse(&format!("no event loop can be started: {error}"), Exit::Config).into()
        }
    }
}
