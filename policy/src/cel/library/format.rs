//! Formats by name: `format.dns1123Label().validate(x)` is empty when `x` has it, else a list of what is wrong.

use super::{Answer, Arguments, at, kind, opaque, text_at};
use crate::cel::environment::{function, method};
use crate::cel::fault::failed;
use crate::engine::builtins::pattern;
use base64::Engine;
use cel::common::types::{CelList, CelOptional, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env};

#[derive(Debug, Clone, PartialEq)]
struct Format(usize);

opaque!(Format, "kubernetes.NamedFormat", |one, other| one == other);

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// Whether a text has the format.
type Has = fn(&str) -> bool;

/// The names as `format.named` knows them.
const FORMATS: [(&str, Has); 13] = [
    ("dns1123Label", |text| short(text, 63) && whole(text, LABEL)),
    ("dns1123Subdomain", is_subdomain),
    ("dns1035Label", |text| short(text, 63) && whole(text, LABEL_1035)),
    ("qualifiedName", is_qualified),
    ("dns1123LabelPrefix", |text| short(text, 63) && whole(&masked(text), LABEL)),
    ("dns1123SubdomainPrefix", |text| is_subdomain(&masked(text))),
    ("dns1035LabelPrefix", |text| short(text, 63) && whole(&masked(text), LABEL_1035)),
    ("labelValue", |text| text.is_empty() || (short(text, 63) && whole(text, QUALIFIED))),
    ("uri", |text| super::url::parse(text).is_some()),
    ("uuid", |text| whole(&text.to_lowercase(), "[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")),
    ("byte", |text| base64::engine::general_purpose::STANDARD.decode(text).is_ok()),
    ("date", |text| whole(text, "[0-9]{4}-[0-9]{2}-[0-9]{2}") && text.parse::<jiff::civil::Date>().is_ok()),
    ("datetime", |text| text.parse::<jiff::Timestamp>().is_ok()),
];

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    function(env, "format.named", vec![STRING_TYPE], |arguments| {
        let name = text_at(&arguments, 0)?;
        let found = FORMATS.iter().position(|(known, _)| *known == name);
        Ok(CowVal::owned(found.map_or_else(CelOptional::none, |at| CelOptional::of(Box::new(Format(at))))))
    })?;
    macro_rules! named {
        ($($at:literal),*) => {
            $(function(env, &format!("format.{}", FORMATS[$at].0), vec![], |_| Ok(CowVal::owned(Format($at))))?;)*
        };
    }
    named!(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    method(env, "validate", kind::<Format>(), vec![STRING_TYPE], validate)
}

fn validate<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let Format(at) = at::<Format>(&arguments, 0)?;
    let (name, has) = FORMATS.get(*at).ok_or_else(|| failed("validate", "the format is not known"))?;
    if has(text_at(&arguments, 1)?) {
        return Ok(CowVal::owned(CelOptional::none()));
    }
    let wrong: Vec<Box<dyn Val + 'v>> = vec![Box::new(CelString::from(format!("it is no {name}")))];
    Ok(CowVal::owned(CelOptional::of(Box::new(CelList::from(wrong)))))
}

fn short(text: &str, most: usize) -> bool {
    text.len() <= most
}

fn whole(text: &str, wanted: &str) -> bool {
    pattern(&format!("^(?:{wanted})$")).is_some_and(|pattern| pattern.is_match(text))
}

fn is_subdomain(text: &str) -> bool {
    short(text, 253) && text.split('.').all(|label| whole(label, LABEL))
}

fn is_qualified(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_subdomain) && short(name, 63) && whole(name, QUALIFIED)
}

/// A prefix may end with a dash, because something follows it.
fn masked(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(before) if !before.is_empty() => format!("{before}a"),
        _ => text.to_owned(),
    }
}
