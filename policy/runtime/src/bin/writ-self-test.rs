//! The self-test child alone, for tests and benches of this crate. Hub, agent and cli are their own children.

fn main() -> std::process::ExitCode {
    writ_runtime::self_test::run_child()
}
