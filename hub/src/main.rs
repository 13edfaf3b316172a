//! The `writ-hub` process.

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(writ_runtime::self_test::SUBCOMMAND) {
        return writ_runtime::self_test::run_child();
    }
    if let Some(outcome) = writ_hub::backup::run(std::env::args()) {
        return outcome.map_or_else(|error| report(&error), |()| ExitCode::SUCCESS);
    }
    if let Some(outcome) = writ_hub::migrate::run(std::env::args()) {
        return outcome.map_or_else(|error| report(&error), |()| ExitCode::SUCCESS);
    }
    if let Some(outcome) = writ_hub::rotate::run(std::env::args()) {
        return outcome.map_or_else(|error| report(&error), |()| ExitCode::SUCCESS);
    }
    let config = writ_hub::config::Config::parse();
    match writ_hub::main_with(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of the process, also when logging could not begin")]
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("writ-hub: {error:#}");
    ExitCode::FAILURE
}
