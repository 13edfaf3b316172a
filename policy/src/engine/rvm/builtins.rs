//! Writ's builtins in place of the engine's own in a program: the machine knows no extensions, but a program's table of
//! functions is open.

use super::super::builtins::{Own, answer_of, own, refuse};
use super::fit::AGREE;
use regorus::Value;
use regorus::rvm::Program;
use regorus::unstable::{Expr, Ref, Span};

/// A builtin as the machine calls it. It cannot carry anything, so that each of Writ's has a function of its own.
type Call = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

/// Puts Writ's builtins where the program calls the engine's of the same name.
pub(super) fn install(program: &mut Program) -> Option<()> {
    for (at, info) in program.builtin_info_table.iter().enumerate() {
        if info.name == AGREE {
            program.resolved_builtins.get_mut(at)?.0 = agree;
        }
        if let Some(position) = own().iter().position(|own| own.name == info.name) {
            program.resolved_builtins.get_mut(at)?.0 = *CALLS.get(position)?;
        }
    }
    Some(())
}

/// The one value in lists of no or one value each; undefined if there is none. Different ones are the interpreter's.
fn agree(_: &Span, _: &[Ref<Expr>], arguments: &[Value], _: bool) -> anyhow::Result<Value> {
    let lists = arguments[0].as_array()?;
    let mut values = lists.iter().filter_map(|list| list.as_array().ok()).flat_map(|list| list.iter());
    let Some(first) = values.next() else { return Ok(Value::Undefined) };
    if values.any(|value| value != first) {
        refuse("different values for one rule".into());
    }
    Ok(first.clone())
}

fn call<const AT: usize>(_: &Span, _: &[Ref<Expr>], arguments: &[Value], _: bool) -> anyhow::Result<Value> {
    let own: &Own = own()[AT];
    answer_of(own, arguments)
}

macro_rules! calls {
    ($($tens:literal)*) => { [$(
        call::<{ $tens * 10 }>, call::<{ $tens * 10 + 1 }>, call::<{ $tens * 10 + 2 }>, call::<{ $tens * 10 + 3 }>,
        call::<{ $tens * 10 + 4 }>, call::<{ $tens * 10 + 5 }>, call::<{ $tens * 10 + 6 }>, call::<{ $tens * 10 + 7 }>,
        call::<{ $tens * 10 + 8 }>, call::<{ $tens * 10 + 9 }>,
    )*] };
}

/// By the position of the builtin in [`own`].
const CALLS: [Call; 160] = calls!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
