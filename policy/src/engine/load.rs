//! The way of a Rego source to the engine: limits on its tokens, rewrites of what the engine reads otherwise than OPA,
//! parse, static checks. Nothing reaches the engine around it. Pure; places are always the author's.

mod checks;
mod edit;
mod engine_error;
mod limits;
mod names;
mod parse;
mod position_map;
mod rewrite;
pub(in crate::engine) mod token;
pub(in crate::engine) mod walk;

use crate::{Diagnostic, SourceFile};
use engine_error::EngineError;
use regorus::unstable::{Module, Ref};

pub use position_map::PositionMap;

/// A Rego source made ready for the engine, with positions mapped back to the author's text.
#[derive(Debug, Clone)]
pub struct LoadedSource {
    /// Path within the repository.
    pub path: String,
    /// What the engine reads.
    pub text: String,
    /// Whether it is Rego v0.
    pub v0: bool,
    /// From the engine's text back to the author's.
    pub map: PositionMap,
    module: Ref<Module>,
    unbound: Vec<(String, Diagnostic)>,
}

impl LoadedSource {
    /// The syntax tree, as the static checks and the metadata reader see it.
    pub fn module(&self) -> &Ref<Module> {
        &self.module
    }

    /// Every path below `data` that the source names; an empty path stands for all of `data`.
    pub(crate) fn names_below_data(&self) -> std::collections::BTreeSet<Vec<String>> {
        names::below_data(&self.text)
    }

    /// What its `with` modifiers replace, in parts.
    pub(crate) fn replaced_names(&self) -> Vec<Vec<String>> {
        checks::replaced_names(self)
    }

    /// Gives the source to an engine. It is parsed anew: engines of different threads must not share a tree.
    pub fn add_to(&self, engine: &mut regorus::Engine) -> anyhow::Result<()> {
        self.add_text_to(engine, self.text.clone())
    }

    /// Gives another text of the same meaning to an engine.
    pub(super) fn add_text_to(&self, engine: &mut regorus::Engine, text: String) -> anyhow::Result<()> {
        engine.set_policy_length_config(parse::length_config());
        engine.set_rego_v0(self.v0);
        engine.add_policy(self.path.clone(), text)?;
        Ok(())
    }

    /// A finding at a range of the engine's text, placed in the author's.
    pub(crate) fn diagnostic(&self, range: std::ops::Range<usize>, message: impl Into<String>) -> Diagnostic {
        let (line, column) = self.map.place(range.start);
        Diagnostic::error(self.path.clone(), message).at(line, column).spanning(self.map.length(range))
    }
}

/// Tokens, limits, rewrites, parse and the checks that need no other module.
pub fn load(file: &SourceFile, dialect_v0: bool) -> Result<LoadedSource, Vec<Diagnostic>> {
    limits::check(file)?;
    let rewritten = rewrite::rewrite(file, dialect_v0)?;
    let rewrite::Rewritten { text, map, module, unbound } = rewritten;
    Ok(LoadedSource { path: file.path.clone(), text, v0: dialect_v0, map, module, unbound })
}

/// Every path below `data` that an author's text names; an empty path stands for all of `data`.
pub(crate) fn names_below_data(text: &str) -> std::collections::BTreeSet<Vec<String>> {
    names::below_data(text)
}

/// What can only be seen across the modules of one engine.
pub fn check_together(sources: &[LoadedSource]) -> Vec<Diagnostic> {
    checks::check(sources)
}

/// An error of the engine (while preparing or evaluating these sources) as a finding in the author's text.
pub fn explain(sources: &[LoadedSource], error: &anyhow::Error) -> Diagnostic {
    let error = EngineError::read(error);
    let source = sources.iter().find(|source| error.path.as_deref() == Some(&source.path)).or(sources.first());
    match source {
        Some(source) => error.diagnostic(&source.path, &source.text, &source.map),
        None => Diagnostic::error(error.path.unwrap_or_default(), error.sentence),
    }
}
