//! What a source may cost before anything parses it.

use super::token::{LexicalError, Token, tokens};
use crate::{Diagnostic, SourceFile};

/// The tokens of a source within its limits.
pub(crate) fn check(file: &SourceFile) -> Result<Vec<Token>, Vec<Diagnostic>> {
    tokens(&file.text).map_err(|error| vec![lexical(file, &error)])
}

fn lexical(file: &SourceFile, error: &LexicalError) -> Diagnostic {
    let (line, column) = super::PositionMap::identity(file.text.clone()).place(error.at);
    Diagnostic::error(file.path.clone(), error.message).at(line, column).help(error.help)
}
