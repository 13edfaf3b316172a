//! `units.*`: the engine's arithmetic, for the units that OPA knows. The engine takes others too (`n`, `h`, `Q`), whose
//! numbers would be judged here and nowhere else.

use super::answer::{Fault, text};
use super::bounded::native;
use super::{Answer, Own};
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "units.parse", arity: 1, call: parse },
    Own { name: "units.parse_bytes", arity: 1, call: parse_bytes },
];

/// The most digits of an exponent: a number of more places is no quantity.
const MAX_EXPONENT_DIGITS: usize = 3;

fn parse(arguments: &[Value]) -> Answer {
    let unit = unit(text(arguments, 0)?)?;
    let mut letters = unit.chars();
    let prefix = letters.next();
    let is_binary = letters.as_str().eq_ignore_ascii_case("i");
    let known = match prefix {
        None => true,
        Some('m' | 'M') if letters.as_str().is_empty() => true,
        Some(prefix) => "kKgGtTpPeE".contains(prefix) && (letters.as_str().is_empty() || is_binary),
    };
    let known = known || (is_binary && matches!(prefix, Some('m' | 'M')));
    if known { native("units.parse", arguments) } else { Err(Fault::Undefined) }
}

fn parse_bytes(arguments: &[Value]) -> Answer {
    let unit = unit(text(arguments, 0)?)?.to_ascii_lowercase();
    let prefix = unit.strip_suffix("ib").or(unit.strip_suffix('i')).or(unit.strip_suffix('b')).unwrap_or(&unit);
    let known = unit.is_empty() || matches!(prefix, "k" | "m" | "g" | "t" | "p" | "e");
    if known { native("units.parse_bytes", arguments) } else { Err(Fault::Undefined) }
}

/// What follows the number; there must be one, and no blanks. An `e` before digits or a sign is its exponent.
fn unit(whole: &str) -> Result<String, Fault> {
    let whole = whole.replace('"', "");
    let bytes = whole.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => at += 1,
            b'e' | b'E' if matches!(bytes.get(at + 1), Some(b'0'..=b'9' | b'+' | b'-')) => {
                at += 1 + usize::from(!bytes[at + 1].is_ascii_digit());
                if digits(at) > MAX_EXPONENT_DIGITS {
                    return Err(Fault::Refused(format!("an exponent of more than {MAX_EXPONENT_DIGITS} digits")));
                }
            }
            _ => break,
        }
    }
    if at == 0 || whole.contains(' ') { Err(Fault::Undefined) } else { Ok(whole[at..].to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_units_of_opa_are_known() {
        let call = |text: &str| parse(&[Value::from(text)]).map(|value| value.to_string());
        for (text, expected) in [
            ("10Ki", "10240"),
            ("100m", "0.1"),
            ("1e3", "1000"),
            ("2E", "2000000000000000000"),
            ("3", "3"),
            ("1KI", "1024"),
        ] {
            assert_eq!(call(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["100n", "1h", "10Q", "1 K", "K", "", "1KiB", "1mb"] {
            assert_eq!(call(text), Err(Fault::Undefined), "{text}");
        }
        assert!(matches!(call("1e99999"), Err(Fault::Refused(_))));
        assert_eq!(parse_bytes(&[Value::from("1KiB")]).unwrap().to_string(), "1024");
        assert_eq!(parse_bytes(&[Value::from("1h")]), Err(Fault::Undefined));
    }
}
