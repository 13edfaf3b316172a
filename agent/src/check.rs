//! `writ-agent check`: what keeps an agent from working, before it is installed (`--pre`, with the rights of whoever
//! installs) and after (in its pod, with its own). Says all of it, each with what to do.

use crate::cache::Cache;
use crate::config::Config;
use crate::kubernetes::Cluster;
use crate::{clock, log_chain, tls};
use clap::Parser;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The subcommand's name.
pub const SUBCOMMAND: &str = "check";
const PATIENCE: Duration = Duration::from_secs(10);

/// Say what keeps the agent from working, and what to do about it.
#[derive(Debug, Parser)]
#[command(
    name = "writ-agent check",
    version,
    after_help = "Exit codes:\n  0  nothing is wrong\n  1  something is; each line says what\n  2  wrong arguments"
)]
struct Options {
    #[command(flatten)]
    config: Config,
    /// Before the installation: whether this kubeconfig may install, and the hub answers
    #[arg(long)]
    pre: bool,
}

/// One question and its answer.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What was found, or what is wrong and how to mend it.
    pub outcome: Result<String, String>,
}

impl Finding {
    /// With the causes of an error as one line.
    pub fn of(what: impl Into<String>, outcome: anyhow::Result<String>) -> Self {
        Self { what: what.into(), outcome: outcome.map_err(|problem| log_chain(&problem)) }
    }
}

/// Runs the check with these arguments, the subcommand among them.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let options = Options::parse_from(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let findings = match runtime {
        Ok(runtime) => runtime.block_on(look(&options)),
        Err(problem) => vec![Finding::of("runtime", Err(problem.into()))],
    };
    let _closed_pipe = tell(&findings);
    if findings.iter().all(|finding| finding.outcome.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(findings: &[Finding]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for Finding { what, outcome } in findings {
        match outcome {
            Ok(found) => writeln!(output, "ok     {what}: {found}")?,
            Err(wrong) => writeln!(output, "WRONG  {what}: {wrong}")?,
        }
    }
    Ok(())
}

async fn look(options: &Options) -> Vec<Finding> {
    tls::install_provider();
    let config = &options.config;
    let mut findings = vec![Finding::of("settings", config.validate().map(|()| "they fit together".into()))];
    if !config.standalone {
        match Cluster::connect(config).await {
            Ok(cluster) => findings.extend(cluster.check(options.pre).await),
            Err(problem) => findings.push(Finding::of("cluster", Err(problem))),
        }
    }
    if let Some(url) = &config.hub {
        findings.push(Finding::of("hub", hub(config, url).await));
    }
    if !options.pre {
        findings.push(Finding::of("policies", policies(&config.data, clock::now())));
    }
    findings
}

async fn hub(config: &Config, hub: &url::Url) -> anyhow::Result<String> {
    let mut builder = reqwest::Client::builder().timeout(PATIENCE);
    if let Some(path) = &config.hub_ca {
        builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(&std::fs::read(path)?)?);
    }
    let url = hub.join("/healthz")?;
    let answer = builder.build()?.get(url.clone()).send().await?;
    anyhow::ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(format!("{hub} answers"))
}

/// The last good policies on disk, and how old the hub's word is.
fn policies(data: &Path, now: i64) -> anyhow::Result<String> {
    let kept = data.join("cache").is_dir().then(|| Cache::open(data)).transpose()?.map(|cache| cache.kept());
    let Some((_, saved)) = kept.into_iter().flatten().next() else {
        anyhow::bail!("none were received yet (in {}); the agent's log says why", data.display())
    };
    let word: serde_json::Value = serde_json::from_str(&saved.desired.assignment.payload)?;
    let (epoch, issued_at) = (&word["epoch"], word["issued_at"].as_i64().unwrap_or_default());
    let stale_after = word["stale_after"].as_i64().unwrap_or(i64::MAX);
    let hours = (now - issued_at).max(0) / 3_600_000;
    anyhow::ensure!(
        now < stale_after,
        "epoch {epoch} is {hours} h old and stale: the agent enforces it, and the hub is not heard"
    );
    Ok(format!("epoch {epoch}, {hours} h old"))
}
