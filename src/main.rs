//! The `claque` program. See [`claque::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    claque::cli::run()
}
