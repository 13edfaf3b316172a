//! What the engine reads otherwise than OPA, rewritten into what it reads alike. Each rewrite is a file of its own;
//! all of them keep the author's lines.

mod chained_bodies;
mod newline_paren;

use super::edit::{Edit, apply};
use super::parse::parse;
use super::position_map::PositionMap;
use super::token::{Token, tokens};
use crate::{Diagnostic, SourceFile};
use regorus::unstable::{Module, Ref};

/// A text that means to the engine what the author's means to OPA.
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) map: PositionMap,
    pub(crate) module: Ref<Module>,
}

/// A rewrite that needs no more than the tokens.
type TokenRewrite = fn(&str, &[Token]) -> Vec<Edit>;

const TOKEN_REWRITES: [TokenRewrite; 2] = [newline_paren::edits, chained_bodies::edits];

/// All rewrites in order.
pub(crate) fn rewrite(file: &SourceFile, v0: bool) -> Result<Rewritten, Vec<Diagnostic>> {
    let mut text = file.text.to_string();
    let mut map = PositionMap::identity(file.text.clone());
    for edits_of in TOKEN_REWRITES {
        let tokens = tokens(&text).expect("the source passed the lexer, and rewrites insert whole tokens");
        let edits = edits_of(&text, &tokens);
        change(&mut text, &mut map, edits);
    }
    let module = parse(&file.path, &text, v0, &map).map_err(|error| vec![error])?;
    Ok(Rewritten { text, map, module })
}

fn change(text: &mut String, map: &mut PositionMap, edits: Vec<Edit>) {
    if edits.is_empty() {
        return;
    }
    let (changed, segments) = apply(text, edits);
    *text = changed;
    map.push(segments);
}
