//! `writ eval`: configuration files judged on this machine. Kubernetes objects are judged by the repository's policies as
//! admission would judge them; with `--conftest`, any configuration by Conftest's packages.

mod admission;
mod conftest;
mod inventory;
mod load;
mod objects;
mod resources;
mod review;

pub(crate) use crate::arguments::Eval;

use crate::exit::{DONE, Outcome};
use crate::output::Results;
use crate::terminal;

pub(crate) fn run(options: Eval) -> Outcome {
    let thread = std::thread::Builder::new().name("eval".into()).stack_size(writ_policy::EVALUATION_STACK_BYTES);
    let judged = thread.spawn(move || judge(&options))?.join();
    judged.unwrap_or_else(|_| Err(anyhow::anyhow!("the evaluation crashed")))
}

fn judge(options: &Eval) -> Outcome {
    let results = if options.conftest { conftest::run(options)? } else { admission::run(options)? };
    let code = if options.no_fail { DONE } else { results.exit_code(options.fail_on_warn) };
    if !options.quiet || code != DONE {
        say(options, &results)?;
    }
    Ok(code)
}

fn say(options: &Eval, results: &Results) -> anyhow::Result<()> {
    terminal::say(&results.render(options.format)?)?;
    Ok(())
}
