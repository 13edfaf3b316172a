//! One argument under one verb.

use super::super::answer::Fault;
use super::super::render;
use super::float;
use regorus::Value;

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    /// A negative width fills on the right.
    pub(super) width: Option<i64>,
    pub(super) precision: Option<i64>,
}

/// A value as OPA hands it to Go: everything but numbers is a string.
pub(super) enum Argument {
    Integer { negative: bool, digits: String, value: Value, is_big: bool },
    Float(f64),
    Text(String),
}

impl Argument {
    pub(super) fn of(value: &Value) -> Result<Self, Fault> {
        Ok(match value {
            Value::String(text) => Argument::Text(text.to_string()),
            Value::Number(number) if number.is_integer() => {
                let written = number.format_decimal();
                let negative = written.starts_with('-');
                let digits = written.trim_start_matches('-').to_owned();
                Argument::Integer { negative, digits, value: value.clone(), is_big: number.as_i64().is_none() }
            }
            Value::Number(number) => Argument::Float(number.as_f64().ok_or(Fault::Undefined)?),
            other => Argument::Text(render::term(other)?),
        })
    }

    /// Go's name of the type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Argument::Integer { is_big: true, .. } => "*big.Int",
            Argument::Integer { .. } => "int",
            Argument::Float(_) => "float64",
            Argument::Text(_) => "string",
        }
    }

    pub(super) fn format(&self, verb: char, flags: &Flags) -> Result<String, Fault> {
        let formatted = match (self, verb) {
            (_, 'T') => return Ok(pad(self.kind(), flags)),
            (Argument::Text(text), _) => format_text(text, verb, flags),
            (Argument::Float(number), _) => float::format(*number, verb, flags)?,
            (Argument::Integer { .. }, _) => self.format_integer(verb, flags),
        };
        match formatted {
            Some(formatted) => Ok(formatted),
            None => Ok(format!("%!{verb}({}={})", self.kind(), self.format('v', flags)?)),
        }
    }

    fn format_integer(&self, verb: char, flags: &Flags) -> Option<String> {
        let Argument::Integer { negative, digits, value, is_big } = self else { return None };
        let number = value.as_number().ok()?;
        let (digits, prefix) = match verb {
            'd' | 'v' => (digits.clone(), ""),
            's' if *is_big => (digits.clone(), ""),
            'x' => (number.abs().format_big_hex().trim_start_matches("0x").to_lowercase(), "0x"),
            'X' => (number.abs().format_big_hex().trim_start_matches("0x").to_uppercase(), "0X"),
            'o' => (number.abs().format_octal().trim_start_matches("0o").to_owned(), "0"),
            'O' => (number.abs().format_octal().trim_start_matches("0o").to_owned(), "0o"),
            'b' => (number.abs().format_bin().trim_start_matches("0b").to_owned(), "0b"),
            'c' | 'q' | 'U' if !is_big => return Some(character(number.as_i64()?, verb, flags)),
            _ => return None,
        };
        let sign = sign(*negative, flags);
        let prefix = if flags.sharp || verb == 'O' { prefix } else { "" };
        Some(pad_number(&format!("{sign}{prefix}"), &digits, flags))
    }
}

fn character(code: i64, verb: char, flags: &Flags) -> String {
    let character = u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    match verb {
        'c' => pad(&character.to_string(), flags),
        'U' => pad(&format!("U+{code:04X}"), flags),
        _ => {
            let quoted = quote(&character.to_string());
            let inner = quoted[1..quoted.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
            pad(&format!("'{inner}'"), flags)
        }
    }
}

/// `-`, or what `+` and blank ask for.
pub(super) fn sign(negative: bool, flags: &Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

/// Digits with what comes before them; zeros fill between the two.
fn pad_number(before: &str, digits: &str, flags: &Flags) -> String {
    let wanted = match flags.precision {
        Some(0) if digits == "0" => return pad("", &Flags { zero: false, ..*flags }),
        Some(precision) => precision as usize,
        None if flags.zero && !flags.minus => {
            flags.width.map_or(0, |width| (width as usize).saturating_sub(before.len()))
        }
        None => 0,
    };
    let zeros = "0".repeat(wanted.saturating_sub(digits.len()));
    pad(&format!("{before}{zeros}{digits}"), &Flags { zero: false, ..*flags })
}

fn format_text(text: &str, verb: char, flags: &Flags) -> Option<String> {
    let cut: String = match flags.precision {
        Some(precision) => text.chars().take(precision as usize).collect(),
        None => text.to_owned(),
    };
    let hexadecimal = |upper: bool| {
        let bytes = &text.as_bytes()[..flags.precision.map_or(text.len(), |most| text.len().min(most as usize))];
        let byte = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        bytes.iter().map(byte).collect::<Vec<_>>().join(if flags.space { " " } else { "" })
    };
    match verb {
        'v' if flags.sharp => Some(pad(&quote(&cut), flags)),
        'v' | 's' => Some(pad(&cut, flags)),
        'q' if flags.sharp && !cut.contains('`') => Some(pad(&format!("`{cut}`"), flags)),
        'q' => Some(pad(&quote(&cut), flags)),
        'x' => Some(pad(&hexadecimal(false), flags)),
        'X' => Some(pad(&hexadecimal(true), flags)),
        _ => None,
    }
}

/// Fills up to the width, which counts characters.
pub(super) fn pad(text: &str, flags: &Flags) -> String {
    let missing = (flags.width.unwrap_or(0).unsigned_abs() as usize).saturating_sub(text.chars().count());
    match (flags.minus, flags.zero) {
        (true, _) => format!("{text}{}", " ".repeat(missing)),
        (false, true) => format!("{}{text}", "0".repeat(missing)),
        (false, false) => format!("{}{text}", " ".repeat(missing)),
    }
}

/// Go's quotes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if c < ' ' || c == '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
