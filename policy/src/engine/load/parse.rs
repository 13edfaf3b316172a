//! One text to one syntax tree, by the engine's own parser, with its errors as diagnostics in the author's text.

use super::engine_error::EngineError;
use super::position_map::PositionMap;
use crate::Diagnostic;
use regorus::unstable::{Module, Parser, Ref};
use std::num::{NonZeroU32, NonZeroUsize};

/// The most lines that the engine reads: the author's limit and what rewrites may add.
const ENGINE_LINES: usize = 40_000;
/// The widest line that the engine reads. The author's own lines are limited by [`super::limits`]; rewrites keep
/// what they add on the line it belongs to.
const ENGINE_COLUMNS: u32 = 1 << 20;

/// What the engine must be told before it reads a rewritten text.
pub(crate) fn length_config() -> regorus::PolicyLengthConfig {
    regorus::PolicyLengthConfig {
        max_col: NonZeroU32::new(ENGINE_COLUMNS).expect("it is not zero"),
        max_file_bytes: NonZeroUsize::new(4 * crate::source::MAX_FILE_BYTES).expect("it is not zero"),
        max_lines: NonZeroUsize::new(ENGINE_LINES).expect("it is not zero"),
    }
}

/// The syntax tree of a text that passed the limits.
pub(crate) fn parse(path: &str, text: &str, v0: bool, map: &PositionMap) -> Result<Ref<Module>, Diagnostic> {
    parse_engine_text(path, text, v0).map_err(|error| EngineError::read(&error).diagnostic(path, text, map))
}

fn parse_engine_text(path: &str, text: &str, v0: bool) -> anyhow::Result<Ref<Module>> {
    let limits = length_config();
    let (path, text) = (path.to_owned(), text.to_owned());
    let source = regorus::Source::from_contents_with_limits(path, text, limits.max_file_bytes, limits.max_lines)?;
    let mut parser = Parser::new(&source)?;
    parser.set_max_col(limits.max_col);
    if !v0 {
        parser.enable_rego_v1()?;
    }
    Ok(Ref::new(parser.parse()?))
}
