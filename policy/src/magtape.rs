//! What a MagTape policy says of itself: `policy_metadata`, and the kinds that its `matches` lets through.

use crate::catalog::Module;
use crate::decision::Dialect;
use crate::engine::module::{Head, HeadKind, Outline};
use crate::engine::{Engine, Value};
use crate::{Diagnostic, OnError, PolicyInfo};
use std::time::Duration;

/// The longest that `policy_metadata` may take; it is a constant.
const METADATA_LIMIT: Duration = Duration::from_millis(500);

/// The policy's own words, or what is missing. `engine` holds the policy and its libraries.
pub(crate) fn info(module: &Module<'_>, engine: &mut Engine) -> Result<PolicyInfo, Vec<Diagnostic>> {
    let head = module.outline.rules_named("policy_metadata").next();
    let place = head.map_or(module.outline.place, |head| head.place);
    let error = |message: String| vec![module.diagnostic(place, message).help(HELP)];
    if head.is_none() {
        return Err(error("the policy has no `policy_metadata`".into()));
    }
    engine.set_input(Value::new_object());
    let metadata = engine
        .eval(&format!("{}.policy_metadata", module.data_path()), METADATA_LIMIT)
        .map_err(|reason| error(format!("`policy_metadata` cannot be evaluated: {reason}")))?;
    let text = |key: &str| match metadata[key].as_string() {
        Ok(text) => Ok(text.to_string()),
        Err(_) => Err(error(format!("`policy_metadata.{key}` is not a text"))),
    };
    let wrong = |reason: &dyn std::fmt::Display| error(reason.to_string());
    let title = text("name")?;
    Ok(PolicyInfo {
        name: title.parse().map_err(|reason| wrong(&reason))?,
        code: text("errcode")?.parse().map_err(|reason| wrong(&reason))?,
        severity: Some(text("severity")?.parse().map_err(|reason| wrong(&reason))?),
        title,
        description: String::new(),
        kinds: kinds(&module.outline, &metadata["targets"]),
        dialect: Dialect::MagTape,
        on_error: OnError::default(),
        enabled: true,
        sets: vec![],
        expand: true,
        namespaces: module.team.as_ref().map(|team| team.namespaces.clone()).unwrap_or_default(),
        path: module.file.path.clone(),
    })
}

const HELP: &str = "MagTape's policies declare `policy_metadata = {\"name\": ..., \"severity\": \"LOW\", \"errcode\": \"MT1001\", \
    \"targets\": {\"Deployment\", ...}}`.";

/// The kinds that `matches` lets through when it asks nothing but `policy_metadata.targets[<the kind>]`, or that and
/// more; every kind when it may let others through. `matches` itself is evaluated all the same.
fn kinds(outline: &Outline, targets: &Value) -> Vec<String> {
    let declared: Option<Vec<String>> = match targets {
        Value::Set(targets) => targets.iter_sorted().map(kind).collect(),
        Value::Array(targets) => targets.iter().map(kind).collect(),
        _ => None,
    };
    let mut rules = outline.rules_named("matches").peekable();
    let is_bounded = |rule: &Head| !rule.has_else && rule.statements.iter().any(|text| asks(outline, text));
    let bounded = rules.peek().is_some() && rules.all(is_bounded);
    match declared {
        Some(kinds) if bounded && !kinds.is_empty() => kinds,
        _ => vec!["*".into()],
    }
}

/// MagTape names kinds without their group.
fn kind(target: &Value) -> Option<String> {
    target.as_string().ok().map(|kind| format!("*/{kind}"))
}

/// Whether the statement holds only for kinds that are targets.
fn asks(outline: &Outline, statement: &str) -> bool {
    const KIND: &str = "input.request.kind.kind";
    let index = statement.strip_prefix("policy_metadata.targets[").and_then(|rest| rest.strip_suffix(']'));
    let is_plain = |rule: &Head| rule.kind == HeadKind::Complete && rule.statements.is_empty();
    index.is_some_and(|index| {
        let mut aliases = outline.rules_named(index).peekable();
        let is_alias =
            aliases.peek().is_some() && aliases.all(|rule| !rule.has_else && is_plain(rule) && rule.value == KIND);
        index == KIND || is_alias
    })
}
