//! What `writ` understands. The help texts here are the reference.

mod authors;
mod break_glass;
mod bundle;
mod eval;
mod history;
mod install;
mod rollout;
mod source;
mod verify;

pub(crate) use authors::{Check, Limits, Test};
pub(crate) use break_glass::BreakGlass;
pub(crate) use bundle::{
    Bundle, BundleBuild, BundleKey, BundlePull, BundlePush, BundleSign, BundleVerify, RegistryLogin,
};
pub(crate) use eval::{EVAL_CODES, Eval, EvalOperation, RegoVersion};
pub(crate) use history::{Changes, Violations};
pub(crate) use install::{Install, InstallAgent, InstallHub, Uninstall};
pub(crate) use rollout::{Rollout, RolloutOrder, RolloutPin, RolloutShow};
pub(crate) use source::Source;
pub(crate) use verify::{VERIFY_CODES, Verify};

use crate::processes::Hosted;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;
use writ_policy::{ClusterName, Revision};

const EXIT_CODES: &str = "\
Exit codes:
  0  what was asked for is so
  1  it is not so, or it could not be done (the reason is on standard error)
  2  wrong arguments; for `wait`, the time ran out";

/// Policy for a fleet of Kubernetes clusters, from one git repository.
#[derive(Debug, Parser)]
#[command(name = "writ", version, after_help = EXIT_CODES, propagate_version = true, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a policies repository: twelve policies with tests, fleet.yaml, a page per code, a first commit
    Init(Init),
    /// Check a policies repository as the hub will: every file, every policy, every unit test
    Check(Check),
    /// Run the unit tests of policies (test_* rules in *_test.rego)
    Test(Test),
    /// Judge files on this machine: Kubernetes manifests as admission would, or any configuration by Conftest's packages
    #[command(after_help = EVAL_CODES)]
    Eval(Box<Eval>),
    /// Run Gatekeeper's suites of tests: templates and constraints against objects
    #[command(after_help = VERIFY_CODES)]
    Verify(Verify),
    /// Say why a failure of a policy denies, warns or is only recorded in a cluster, and whose word decided
    Explain(Explain),
    /// Show what each cluster should enforce, what it does enforce, and since when
    Status(Status),
    /// Show what policies object to of what exists in the clusters, the newest first
    Violations(Violations),
    /// Show which policies, namespaces or clusters got better or worse since a commit or a day
    Changes(Changes),
    /// Wait until every cluster proves that it enforces a commit
    #[command(after_help = WAIT_CODES)]
    Wait(Wait),
    /// Undo one commit by a new one, after showing what that changes
    Rollback(Rollback),
    /// Show how a revision goes from wave to wave; halt it, resume, skip a wave, pin a cluster
    #[command(subcommand)]
    Rollout(Rollout),
    /// Suspend refusals in a cluster or a namespace for a time: recorded, shown, and over by itself
    BreakGlass(BreakGlass),
    /// Have the hub look at the repository, or follow a head that it holds
    #[command(subcommand)]
    Source(Source),
    /// Build, sign and move bundles outside of any hub: an author's signature, registries, clusters without a hub
    #[command(subcommand)]
    Bundle(Box<Bundle>),
    /// Make tokens by which agents enroll; accept and revoke agents
    #[command(subcommand)]
    Token(Token),
    /// Write manifests that install an agent or the hub in Kubernetes
    #[command(subcommand)]
    Install(Install),
    /// Write what has to be removed, in the order that locks nobody out
    #[command(subcommand)]
    Uninstall(Uninstall),
    /// Try it: a policies repository, a hub and three clusters on this machine, with something going on
    Demo(Demo),
    /// Show the version
    Version,
    /// Run a hub in this process; `writ demo` does
    #[command(hide = true)]
    Hub(Box<Hosted<writ_hub::config::Config>>),
    /// Run an agent in this process; `writ demo` does
    #[command(hide = true)]
    Agent(Box<Hosted<writ_agent::Config>>),
}

const WAIT_CODES: &str = "\
Exit codes:
  0  every cluster enforces the commit
  1  the commit, or a cluster, refused it, or its rollout halted (the reason is printed), or the hub refused the request
  2  the time ran out; what is missing is printed";

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder to make; it must be empty or not exist yet
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Hub {
    /// Address of the hub
    #[arg(long, env = "WRIT_HUB", value_name = "URL", default_value = "http://127.0.0.1:8420")]
    pub(crate) hub: Url,
    /// File that holds the admin token; needed unless the hub listens on this machine only
    #[arg(long, env = "WRIT_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// CA certificate (PEM) of a hub that serves https with a private one
    #[arg(long, env = "WRIT_HUB_CA", value_name = "FILE")]
    pub(crate) hub_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Code or name of the policy
    pub(crate) policy: String,
    /// Folder of the policies repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) policies: PathBuf,
    /// Label of the cluster, as fleet.yaml matches it; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, value_delimiter = ',')]
    pub(crate) cluster_labels: Vec<(String, String)>,
    /// Ask the hub about the cluster of this name, and about what is served, instead of a folder
    #[arg(long, value_name = "NAME", conflicts_with_all = ["policies", "cluster_labels", "namespace_object"])]
    pub(crate) cluster: Option<String>,
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Name of the namespace; without it, a cluster-scoped object
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) namespace: String,
    /// File with the Namespace object, whose own deny level may be stricter
    #[arg(long, value_name = "FILE")]
    pub(crate) namespace_object: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: StatusFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// A table
    #[default]
    Human,
    /// The hub's own answer
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Full id of the commit, e.g. "$(git rev-parse HEAD)"
    #[arg(long, value_name = "SHA")]
    pub(crate) commit: Revision,
    /// Only clusters with this label; may be repeated, all must agree
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, value_delimiter = ',')]
    pub(crate) clusters: Vec<(String, String)>,
    /// The longest to wait
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The commit to undo: at least 7 digits of its id, or HEAD
    pub(crate) commit: String,
    /// Your clone of the policies repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token by which an agent enrolls as one cluster
    Create(TokenCreate),
    /// List agents that wait to be accepted
    Pending(Hub),
    /// Accept the agent that asks to be that of a cluster
    Accept(OfCluster),
    /// Revoke the agents of a cluster at once: it keeps what it enforces, and enrolls anew to hear more
    Revoke(OfCluster),
}

#[derive(Debug, Args)]
pub(crate) struct OfCluster {
    /// Name of the cluster
    pub(crate) cluster: ClusterName,
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Who asks, for the record
    #[arg(long, env = "USER", value_name = "NAME", default_value = "unknown")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreate {
    #[command(flatten)]
    pub(crate) hub: Hub,
    /// Name of the cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: ClusterName,
    /// Label of the cluster, as fleet.yaml matches it; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// How long the token may be used
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub(crate) ttl: Duration,
    /// How often it may be used; each use replaces the cluster's former agent
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) uses: u32,
    /// Have somebody accept the agent that asks with it (writ token accept)
    #[arg(long)]
    pub(crate) needs_acceptance: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder for everything that the demo writes [default: ./writ-demo; with --check a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Port of the dashboard, the agents use those after it; 0 takes any that are free [default: 8420; with --check 0]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Run the scenario unattended in a new folder and prove each step: exit code 0 or 1
    #[arg(long)]
    pub(crate) check: bool,
    /// How many commits are timed
    #[arg(long, value_name = "N", default_value_t = 50, requires = "check")]
    pub(crate) commits: u32,
}

/// `300ms`, `60s`, `10m`, `1h`, `2d`, or several joined.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    match parsed.map(Duration::try_from) {
        Ok(Ok(duration)) if !duration.is_zero() => Ok(duration),
        _ => Err("write a number and a unit, e.g. 500ms, 60s, 10m or 1h".to_owned()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, e.g. env=prod".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("60").is_err() && duration("0s").is_err() && duration("-5s").is_err());
    }

    #[test]
    fn labels_need_both_halves() {
        assert_eq!(label("env=prod"), Ok(("env".into(), "prod".into())));
        assert!(label("env").is_err() && label("=prod").is_err() && label("env=").is_err());
    }
}
