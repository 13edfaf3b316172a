//! The `writ-agent` process: parse, hand over.

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(writ_runtime::self_test::SUBCOMMAND) {
        return writ_runtime::self_test::run_child();
    }
    if std::env::args().nth(1).as_deref() == Some(writ_agent::check::SUBCOMMAND) {
        return writ_agent::check::main(std::env::args_os().skip(1));
    }
    writ_agent::main_with(writ_agent::Config::parse())
}
