//! From a catalog to policies with engines of their own, and to findings about those that cannot judge.

mod origin;
mod template;

use super::program::{Program, Wants};
use crate::catalog::{Catalog, Module};
use crate::check::{Lanes, lanes};
use crate::decision::{Dialect, PolicyInfo};
use crate::engine::Engine;
use crate::engine::module::HeadKind;
use crate::gatekeeper::Constraint;
use crate::metadata::Metadata;
use crate::team::Team;
use crate::{Diagnostic, SourceFile, magtape, team};
pub(crate) use origin::{Known, Made, Origin};
use std::sync::Arc;

/// What compiles: engines, and the policies that are evaluated with them.
#[derive(Default)]
pub(crate) struct Compiled {
    pub programs: Vec<Made>,
    /// Sorted by code.
    pub policies: Vec<CompiledPolicy>,
}

/// A policy that can be evaluated.
pub(crate) struct CompiledPolicy {
    pub info: Arc<PolicyInfo>,
    /// The position of its program; constraints of one template share theirs. `None` when it is not wanted.
    pub program: Option<usize>,
    /// The author's defaults.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// The constraint, where it is one.
    pub constraint: Option<Constraint>,
    /// Where its code is declared.
    pub code_place: (u32, u32),
}

/// Which policies are to be compiled.
pub(crate) type Wanted<'a> = dyn Fn(&PolicyInfo) -> bool + Sync + 'a;

/// All policies that compile, sorted by code, and what is wrong with the others. Those that are not `wanted` are listed
/// without a program, and only what they say of themselves is looked at. Programs that are `known` are not made again.
pub(crate) fn compile(
    catalog: &Catalog<'_>,
    wanted: &Wanted<'_>,
    known: &Known,
    lanes: &dyn Lanes,
) -> (Compiled, Vec<Diagnostic>) {
    let mut findings = vec![];
    let mut compiled = Compiled::default();
    let policies: Vec<_> = catalog.policies().collect();
    let compile = |at: usize| {
        let (module, dialect) = policies[at];
        lanes.reading(&module.file.path);
        compile_one(catalog, module, dialect, wanted, known)
    };
    for one in lanes::map(lanes, policies.len(), compile) {
        match one {
            Ok((program, said)) => {
                let (info, parameters, code_place) = said;
                let (info, program) = (Arc::new(info), program.map(|program| compiled.add(program)));
                compiled.policies.push(CompiledPolicy { info, program, parameters, code_place, constraint: None });
            }
            Err(found) => findings.extend(found),
        }
    }
    findings.extend(template::compile(catalog, wanted, known, lanes, &mut compiled));
    findings.extend(duplicates(&compiled.policies));
    compiled.policies.sort_by(|a, b| a.info.code.cmp(&b.info.code));
    (compiled, findings)
}

impl Compiled {
    /// The program's position.
    fn add(&mut self, program: Made) -> usize {
        self.programs.push(program);
        self.programs.len() - 1
    }
}

fn compile_one(
    catalog: &Catalog<'_>,
    module: &Module<'_>,
    dialect: Dialect,
    wanted: &Wanted<'_>,
    known: &Known,
) -> Result<(Option<Made>, Said), Vec<Diagnostic>> {
    if let Some(said) = unwanted(module, dialect, wanted) {
        return Ok((None, said));
    }
    let modules = catalog.closure(module);
    let digest = origin::of_modules(module, &modules);
    if let Some((made, said)) = origin::find(known, digest).filter(|(_, said)| wanted(&said.0)) {
        return Ok((Some(made), said));
    }
    let mut findings = check_rules(module, dialect);
    findings.extend(check_package(module, &modules));
    findings.extend(team::check_view(module, &modules));
    let engine = Engine::build(modules.iter().map(|module| &module.source)).map_err(|finding| findings.push(finding));
    let said = match (dialect, engine) {
        (Dialect::Writ, engine) => match Metadata::parse(module.file) {
            Ok(metadata) => engine.ok().map(|engine| (engine, writ_info(module, metadata))),
            Err(found) => {
                findings.extend(found);
                None
            }
        },
        (_, Ok(mut engine)) => match magtape::info(module, &mut engine) {
            Ok(info) => Some((engine, (info, serde_json::Map::new(), module.outline.place))),
            Err(found) => {
                findings.extend(found);
                None
            }
        },
        (_, Err(())) => None,
    };
    let Some((engine, said)) = said.filter(|_| findings.is_empty()) else {
        return Err(findings);
    };
    let names = |word: &str| modules.iter().any(|module| module.source.text.contains(word));
    let reads = |path: &str| modules.iter().any(|module| module.reads(&[path]));
    let wants = Wants { kubernetes: reads("kubernetes"), inventory: reads("inventory") };
    let program = wanted(&said.0).then(|| Program::rego(engine, module.data_path(), names("namespaceObject"), wants));
    Ok((program.map(|program| Made::new(digest, program, Some(&said))), said))
}

/// What a policy that is not wanted says of itself, where that can be told without an engine.
fn unwanted(module: &Module<'_>, dialect: Dialect, wanted: &Wanted<'_>) -> Option<Said> {
    let metadata = (dialect == Dialect::Writ).then(|| Metadata::parse(module.file).ok()).flatten()?;
    Some(writ_info(module, metadata)).filter(|said| !wanted(&said.0))
}

/// Who a policy is, its parameters with their defaults, and where its code is declared.
pub(crate) type Said = (PolicyInfo, serde_json::Map<String, serde_json::Value>, (u32, u32));

fn writ_info(module: &Module<'_>, metadata: Metadata) -> Said {
    said_by(module.file, &module.outline.package, module.team.as_deref(), metadata)
}

/// What a policy in Writ's dialect says of itself.
pub(super) fn said_by(file: &SourceFile, package: &[String], team: Option<&Team>, metadata: Metadata) -> Said {
    // A team's policies are called by the team and what they are: `shop-no-latest`.
    let tail = match team {
        Some(_) => package.get(2..).unwrap_or_default().join("-"),
        None => package[1..].join("/"),
    };
    let tail = tail.replace('_', "-").to_lowercase();
    let derived = || crate::PolicyName::new(&tail);
    let name = metadata.name.map_or_else(derived, Ok);
    let info = PolicyInfo {
        name: name.unwrap_or_else(|_| {
            let code = metadata.code.as_str().to_lowercase();
            crate::PolicyName::new(code).expect("a code in lower case is a name")
        }),
        code: metadata.code,
        title: metadata.title,
        description: metadata.description,
        severity: Some(metadata.severity),
        kinds: metadata.kinds,
        dialect: Dialect::Writ,
        on_error: metadata.on_error,
        enabled: metadata.enabled,
        sets: metadata.sets,
        expand: metadata.expand,
        namespaces: team.map(|team| team.namespaces.clone()).unwrap_or_default(),
        path: file.path.clone(),
    };
    (info, metadata.parameters, metadata.code_place)
}

/// Whether the rules that are evaluated are there and make sets.
fn check_rules(module: &Module<'_>, dialect: Dialect) -> Vec<Diagnostic> {
    let mut findings = vec![];
    let mut deny = module.outline.rules_named("deny").peekable();
    let example = match dialect {
        Dialect::Writ => {
            "Write `deny contains {\"msg\": msg} if { ... }`; libraries live outside of `package writ.*` or in `writ.lib.*`."
        }
        _ => "Write `deny[info] { ... }`.",
    };
    if deny.peek().is_none() {
        findings.push(module.diagnostic(module.outline.place, "the policy has no `deny` rule").help(example));
    }
    for head in deny.filter(|head| head.kind != HeadKind::Set) {
        findings.push(module.diagnostic(head.place, "`deny` does not make a set").spanning(4).help(example));
    }
    if dialect == Dialect::MagTape && module.outline.rules_named("matches").next().is_none() {
        let finding = module.diagnostic(module.outline.place, "the policy has no `matches` rule");
        findings.push(finding.help("Write `matches { policy_metadata.targets[input.request.kind.kind] }`."));
    }
    findings
}

/// Two files of one package would be one policy with two declarations.
fn check_package(module: &Module<'_>, modules: &[&Module<'_>]) -> Option<Diagnostic> {
    let same =
        |other: &&&Module<'_>| other.outline.package == module.outline.package && other.file.path != module.file.path;
    modules.iter().find(same).map(|other| {
        let message =
            format!("the package `{}` is also declared in {}", module.outline.package.join("."), other.file.path);
        module.diagnostic(module.outline.place, message).help("Give each policy a package of its own.")
    })
}

/// Codes and names that two policies claim; the later path is told.
fn duplicates(policies: &[CompiledPolicy]) -> Vec<Diagnostic> {
    let mut findings = vec![];
    for (index, policy) in policies.iter().enumerate() {
        let (info, (line, column)) = (&policy.info, policy.code_place);
        let finding = |message: String| Diagnostic::error(&info.path, message).at(line, column);
        let earlier = &policies[..index];
        if let Some(first) = earlier.iter().find(|first| first.info.code == info.code) {
            let (code, path) = (&info.code, &first.info.path);
            findings.push(match policy.constraint {
                Some(_) => finding(format!("the constraint `{code}` is also declared in {path}"))
                    .help("Keep one constraint of a kind and name."),
                None => finding(format!("the code `{code}` is already used by {path}"))
                    .help("Give the policy a code of its own."),
            });
            continue;
        }
        if let Some(first) = earlier.iter().find(|first| first.info.name == info.name) {
            let message = format!("the name `{}` is already used by {}", info.name, first.info.path);
            findings.push(finding(message).help("Rename the package, or set `custom.name`."));
        }
    }
    findings
}
