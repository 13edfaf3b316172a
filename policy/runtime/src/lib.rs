//! Evaluation workers, deadlines and the self-test child process, for hub, agent and cli.
//! Owns threads and processes; what a decision is belongs to `writ-policy`.

pub mod evaluator;
pub mod self_test;

pub use evaluator::{Answered, Audited, Evaluator, EvaluatorConfig, Inventory, QuarantineRules, Quarantined};
pub use self_test::{ClassFindings, ClassPart, NotStarted, SelfTest, SelfTestReport};
