//! Fractions under Go's `%e`, `%f` and `%g`.

use super::super::answer::Fault;
use super::verb::{Flags, pad, sign};

/// From this power of ten on, `%g` without a precision writes an exponent.
const SHORTEST_EXPONENT: i32 = 6;

/// The number under the verb; nothing when Go has no such verb for it.
pub(super) fn format(number: f64, verb: char, flags: &Flags) -> Result<Option<String>, Fault> {
    let magnitude = number.abs();
    let precision = flags.precision.map(|precision| precision as usize);
    let digits = match verb {
        'v' | 'g' => general(magnitude, precision),
        'G' => general(magnitude, precision).to_uppercase(),
        'e' => exponent(magnitude, precision.unwrap_or(6)),
        'E' => exponent(magnitude, precision.unwrap_or(6)).to_uppercase(),
        'f' | 'F' => format!("{magnitude:.*}", precision.unwrap_or(6)),
        'x' | 'X' | 'b' => return Err(Fault::Refused(format!("`%{verb}` of a fraction is not supported"))),
        _ => return Ok(None),
    };
    let sign = sign(number.is_sign_negative(), flags);
    if flags.zero && !flags.minus {
        let width = flags.width.map(|width| (width - sign.len() as i64).max(0));
        return Ok(Some(format!("{sign}{}", pad(&digits, &Flags { width, ..*flags }))));
    }
    Ok(Some(pad(&format!("{sign}{digits}"), &Flags { zero: false, ..*flags })))
}

/// `d.ddde±dd`.
fn exponent(number: f64, precision: usize) -> String {
    go_exponent(&format!("{number:.precision$e}"))
}

/// Rust writes `1e3` where Go writes `1e+03`.
fn go_exponent(written: &str) -> String {
    let (digits, exponent) = written.split_once('e').expect("`{:e}` writes an exponent");
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

fn general(number: f64, precision: Option<usize>) -> String {
    let scientific = match precision {
        None => format!("{number:e}"),
        Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
    };
    let (digits, power) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let power: i32 = power.parse().expect("`{:e}` writes a whole exponent");
    let most = precision.map_or(SHORTEST_EXPONENT, |precision| precision.max(1) as i32);
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if power < -4 || power >= most {
        return go_exponent(&format!("{digits}e{power}"));
    }
    let significant = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    let decimals = significant - 1 - power;
    format!("{number:.*}", decimals.max(0) as usize)
}
