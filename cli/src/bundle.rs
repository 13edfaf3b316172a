//! `writ bundle`: what an author signs outside of the hub, and how it gets to registries and agents.

mod build;
mod cosign;
mod key;

use crate::arguments::{Bundle, BundlePull, BundlePush, BundleSign, BundleVerify, RegistryLogin};
use crate::client::Hub;
use crate::exit::{DONE, Outcome};
use crate::terminal;
use anyhow::{Context, ensure};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use writ_agent::alone::unpack;
use writ_agent::author::read_fleet;
use writ_agent::registry::{Address, Login, Registry};
use writ_policy::author::{AuthorStatement, BundleFile, ClassContent};
use writ_policy::bundle::Index;
use writ_policy::fleet::Class;
use writ_policy::{Digest, SourceFile};

pub(crate) async fn run(what: Bundle) -> Outcome {
    match what {
        Bundle::Key(options) => key::run(&options),
        Bundle::Build(options) => build::run(options).await,
        Bundle::Sign(options) => sign(options).await,
        Bundle::Verify(options) => verify(&options),
        Bundle::Push(options) => push(options).await,
        Bundle::Pull(options) => pull(options).await,
    }
}

async fn sign(options: BundleSign) -> Outcome {
    let mut bundle = read(&options.file)?;
    let key = key::private(&options.key)?;
    let sources = bundle.sources()?;
    let statement = AuthorStatement {
        revision: bundle.revision.clone(),
        index: Digest::of(Index::build(&sources).1),
        classes: classes(&bundle, &sources).await?,
        policies: bundle.policies,
        signed_at: Timestamp::now().as_millisecond(),
        suspend_seconds: options.allow_break_glass.map_or(0, |longest| longest.as_secs()),
    };
    let signed = key.sign(&statement);
    bundle.statement = Some(signed.clone());
    write(&options.file, &bundle)?;
    terminal::say(&format!("{} is signed by {}", options.file.display(), key.public().fingerprint()))?;
    if let Some(hub) = options.hub {
        let hub = Hub::unauthorized(hub, options.hub_ca.as_deref())?;
        let signed = serde_json::to_value(&signed).expect("a signature has only string keys");
        hub.tell("/api/v1/source/sign", &signed).await?;
        terminal::say(&format!("{} may serve {}", hub.address(), bundle.revision.short()))?;
    }
    Ok(DONE)
}

/// What each class of clusters is served, by the files that there are, and the counts of who built the bundle.
async fn classes(bundle: &BundleFile, sources: &[SourceFile]) -> anyhow::Result<BTreeMap<String, ClassContent>> {
    let fleet = read_fleet(sources.to_vec()).await?;
    let content = |class: &Class| {
        let built = bundle.classes.get(&class.name);
        let built = built.with_context(|| format!("it was built without the class `{}`", class.name))?;
        let index = Digest::of(Index::build(&class.files(sources)).1);
        Ok((class.name.clone(), ClassContent { index, policies: built.policies }))
    };
    fleet.classes.iter().map(content).collect()
}

fn verify(options: &BundleVerify) -> Outcome {
    let bundle = read(&options.file)?;
    let statement = bundle.verify(&key::public(&options.key)?)?;
    terminal::say(&described(&bundle, &statement))?;
    Ok(DONE)
}

async fn push(options: BundlePush) -> Outcome {
    let bundle = read(&options.file)?;
    ensure!(bundle.statement.is_some(), "{} is not signed: writ bundle sign", options.file.display());
    let address: Address = options.to.parse()?;
    let registry = registry(&options.registry, address.clone())?;
    let packed = fs::read(&options.file).with_context(|| format!("could not read {}", options.file.display()))?;
    let digest = registry.push(&packed).await?;
    terminal::say(&format!("{address} is sha256:{digest}"))?;
    if let Some(key) = &options.cosign_key {
        let (payload, signature) = cosign::sign(key, &address, &digest)?;
        registry.push_cosign(&digest, payload.as_bytes(), &signature).await?;
        terminal::say("It is signed for cosign: cosign verify --key KEY.pub --insecure-ignore-tlog")?;
    }
    Ok(DONE)
}

async fn pull(options: BundlePull) -> Outcome {
    let address: Address = options.from.parse()?;
    let registry = registry(&options.registry, address)?;
    let (digest, packed) = registry.pull(None).await?.context("the registry sent nothing")?;
    let bundle = unpack(&packed)?;
    let statement = bundle.verify(&key::public(&options.key)?)?;
    replace(&options.output, &packed)?;
    terminal::say(&format!("sha256:{digest}\n{}", described(&bundle, &statement)))?;
    Ok(DONE)
}

fn described(bundle: &BundleFile, statement: &AuthorStatement) -> String {
    let at = Timestamp::from_millisecond(statement.signed_at);
    let at = at.map_or_else(|_| statement.signed_at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let glass = match statement.suspend_seconds {
        0 => "a hub may suspend nothing".to_owned(),
        seconds => format!("a hub may suspend refusals for {seconds} s"),
    };
    let (policies, files) = (bundle.policies, bundle.files.len());
    format!("commit {}, {policies} policies in {files} files, signed {at}; {glass}", statement.revision)
}

fn registry(options: &RegistryLogin, address: Address) -> anyhow::Result<Registry> {
    let login = options.username.as_ref().zip(options.password_file.as_ref());
    let login = login.map(|(user, file)| Login::read(user, file)).transpose()?;
    Registry::new(address, options.ca.as_deref(), login)
}

fn read(file: &Path) -> anyhow::Result<BundleFile> {
    let packed = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    unpack(&packed).with_context(|| format!("{} cannot be used", file.display()))
}

fn write(file: &Path, bundle: &BundleFile) -> anyhow::Result<()> {
    let text = serde_json::to_vec(bundle).expect("a bundle has only string keys");
    let mut packed = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::best());
    packed.write_all(&text)?;
    replace(file, &packed.finish()?)
}

/// Whoever reads meanwhile reads the old or the new one.
fn replace(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let unfinished = file.with_extension("new");
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, file));
    written.with_context(|| format!("could not write {}", file.display()))
}
