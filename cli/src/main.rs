//! `writ`: one binary for authors, operators and the demo. It parses, hands over and turns the result into an exit code.

mod arguments;
mod break_glass;
mod bundle;
mod changes;
mod check;
mod client;
mod demo;
mod eval;
mod exit;
mod explain;
mod files;
mod init;
mod inputs;
mod install;
mod output;
mod processes;
mod rollback;
mod rollout;
mod source;
mod status;
mod template;
mod terminal;
mod test;
mod token;
mod verify;
mod violations;
mod wait;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == writ_runtime::self_test::SUBCOMMAND) {
        return writ_runtime::self_test::run_child();
    }
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("agent") && words.next().as_deref() == Some(writ_agent::check::SUBCOMMAND) {
        return writ_agent::check::main(std::env::args_os().skip(2));
    }
    let arguments = arguments::Arguments::parse();
    exit::of(run(arguments.command))
}

fn run(command: arguments::Command) -> exit::Outcome {
    use arguments::Command;
    match command {
        Command::Init(options) => init::run(&options),
        Command::Check(options) => block_on(check::run(options)),
        Command::Eval(options) => eval::run(*options),
        Command::Verify(options) => verify::run(options),
        Command::Explain(options) => block_on(explain::run(options)),
        Command::Test(options) => block_on(test::run(options)),
        Command::Status(options) => block_on(status::run(options)),
        Command::Violations(options) => block_on(violations::run(options)),
        Command::Changes(options) => block_on(changes::run(options)),
        Command::Wait(options) => block_on(wait::run(options)),
        Command::Rollback(options) => rollback::run(&options),
        Command::Rollout(what) => block_on(rollout::run(what)),
        Command::BreakGlass(options) => block_on(break_glass::run(options)),
        Command::Bundle(what) => block_on(bundle::run(*what)),
        Command::Source(what) => block_on(source::run(what)),
        Command::Token(what) => block_on(token::run(what)),
        Command::Install(what) => install::run(what),
        Command::Uninstall(what) => install::undo(&what),
        Command::Demo(options) => block_on(demo::run(options)),
        Command::Version => version(),
        Command::Hub(hosted) => processes::hub(*hosted),
        Command::Agent(hosted) => processes::agent(*hosted),
    }
}

/// Runs a command that waits for the network or for children.
fn block_on(command: impl Future<Output = exit::Outcome>) -> exit::Outcome {
    // A second installation in one process is refused, and harmless.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

fn version() -> exit::Outcome {
    terminal::say(&format!("writ {}", env!("CARGO_PKG_VERSION")))?;
    Ok(exit::DONE)
}
