//! What the engine reads otherwise than OPA, rewritten into what it reads alike. Each rewrite is a file of its own;
//! all of them keep the author's lines.

mod chained_bodies;
mod head_terms;
mod keyword_field;
mod membership;
mod negation;
mod newline_paren;
mod output;
mod place;
mod print;
mod walk_call;

use super::edit::{Edit, apply};
use super::parse::parse;
use super::position_map::PositionMap;
use super::token::{Token, tokens};
use crate::{Diagnostic, SourceFile};
use regorus::unstable::{Module, Ref};

/// The deepest negations within negations that are rewritten.
const MAX_PASSES: usize = 16;

/// A text that means to the engine what the author's means to OPA.
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) map: PositionMap,
    pub(crate) module: Ref<Module>,
    /// Names that are unsafe in negations unless they are rules, and the findings if they are not.
    pub(crate) unbound: Vec<(String, Diagnostic)>,
}

/// A rewrite that needs no more than the tokens.
type TokenRewrite = fn(&str, &[Token]) -> Vec<Edit>;

const TOKEN_REWRITES: [TokenRewrite; 3] = [keyword_field::edits, newline_paren::edits, chained_bodies::edits];

/// A rewrite that needs the syntax tree, too.
type TreeRewrite = fn(&str, &[Token], &Module) -> Vec<Edit>;

const TREE_REWRITES: [TreeRewrite; 5] =
    [print::edits, head_terms::edits, output::edits, walk_call::edits, membership::edits];

/// All rewrites in order.
pub(crate) fn rewrite(file: &SourceFile, v0: bool) -> Result<Rewritten, Vec<Diagnostic>> {
    let mut rewriting =
        Rewriting { file, v0, text: file.text.to_string(), map: PositionMap::identity(file.text.clone()) };
    rewriting.refuse_reserved_names()?;
    for edits_of in TOKEN_REWRITES {
        let edits = edits_of(&rewriting.text, &rewriting.tokens());
        rewriting.change(edits);
    }
    let mut module = rewriting.parse()?;
    for edits_of in TREE_REWRITES {
        let edits = edits_of(&rewriting.text, &rewriting.tokens(), &module);
        if !edits.is_empty() {
            rewriting.change(edits);
            module = rewriting.parse()?;
        }
    }
    if let Some(range) = walk_call::lost(&module) {
        return Err(vec![rewriting.lost_walk(range)]);
    }
    let unbound = negation::unbound(&module).into_iter().map(|found| rewriting.unbound(found)).collect();
    for pass in 1..=MAX_PASSES {
        let edits = negation::edits(&rewriting.text, &rewriting.tokens(), &module, pass);
        match edits.map_err(|wildcard| vec![rewriting.unsafe_wildcard(wildcard)])? {
            edits if edits.is_empty() => {
                let Rewriting { text, map, .. } = rewriting;
                return Ok(Rewritten { text, map, module, unbound });
            }
            edits => rewriting.change(edits),
        }
        module = rewriting.parse()?;
    }
    Err(vec![Diagnostic::error(file.path.clone(), "negations are nested too deeply").help("Use rules of their own.")])
}

struct Rewriting<'f> {
    file: &'f SourceFile,
    v0: bool,
    text: String,
    map: PositionMap,
}

impl Rewriting<'_> {
    fn tokens(&self) -> Vec<Token> {
        tokens(&self.text).expect("the source passed the lexer, and rewrites insert whole tokens")
    }

    fn parse(&self) -> Result<Ref<Module>, Vec<Diagnostic>> {
        parse(&self.file.path, &self.text, self.v0, &self.map).map_err(|error| vec![error])
    }

    fn change(&mut self, edits: Vec<Edit>) {
        if !edits.is_empty() {
            let (changed, segments) = apply(&self.text, edits);
            self.text = changed;
            self.map.push(segments);
        }
    }

    fn refuse_reserved_names(&self) -> Result<(), Vec<Diagnostic>> {
        let tokens = self.tokens();
        let Some(token) = tokens.iter().find(|token| token.text(&self.text).starts_with(negation::RESERVED)) else {
            return Ok(());
        };
        let message = format!("names that begin with `{}` are reserved", negation::RESERVED);
        Err(vec![self.finding(token.range.clone(), message).help("Rename it.")])
    }

    fn unsafe_wildcard(&self, negation::Unsafe(range): negation::Unsafe) -> Diagnostic {
        self.finding(range, "`_` in a negation is unsafe: it is not said which one must be missing".into())
            .help("Name it before (`some x in xs`), or negate a rule of its own that looks for one.")
    }

    fn lost_walk(&self, range: std::ops::Range<usize>) -> Diagnostic {
        self.finding(range, "`walk` has many results, and here it is not said what to do with each".into())
            .help("Write `walk(x, [path, value])` as a statement of its own.")
    }

    fn unbound(&self, (name, range): (String, std::ops::Range<usize>)) -> (String, Diagnostic) {
        let message = format!("`{name}` in a negation is unsafe: nothing outside of it says which one");
        let finding = self.finding(range, message);
        (name, finding.help("Bind it before (`some x in xs`), or negate a rule of its own that looks for one."))
    }

    fn finding(&self, range: std::ops::Range<usize>, message: String) -> Diagnostic {
        let (line, column) = self.map.place(range.start);
        Diagnostic::error(self.file.path.clone(), message).at(line, column).spanning(self.map.length(range))
    }
}
