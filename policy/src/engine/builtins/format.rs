//! `sprintf` as Go formats: missing and surplus arguments are said in the text, never an error that would lose a
//! violation. Width and precision are bounded.

mod float;
mod verb;

use super::answer::{Fault, MAX_TEXT, text, within};
use super::{Answer, Own};
use regorus::Value;
use verb::{Argument, Flags};

pub(super) const BUILTINS: &[Own] = &[Own { name: "sprintf", arity: 2, call: sprintf }];

/// The widest field and the most digits that a verb may ask for.
const MAX_WIDTH: usize = 4_096;
/// Go's own limit, beyond which it says so in the text.
const GO_MAX_WIDTH: usize = 1_000_000;

fn sprintf(arguments: &[Value]) -> Answer {
    let format = text(arguments, 0)?;
    let Value::Array(values) = &arguments[1] else { return Err(Fault::Undefined) };
    let mut printer =
        Printer { rest: format, values: values.as_slice(), next: 0, reordered: false, out: String::new() };
    printer.run()?;
    Ok(Value::from(printer.out))
}

struct Printer<'f> {
    rest: &'f str,
    values: &'f [Value],
    next: usize,
    reordered: bool,
    out: String,
}

impl Printer<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some(at) = self.rest.find('%') {
            self.out.push_str(&self.rest[..at]);
            self.rest = &self.rest[at + 1..];
            self.directive()?;
            within(self.out.len(), MAX_TEXT, "bytes")?;
        }
        self.out.push_str(self.rest);
        self.surplus()?;
        within(self.out.len(), MAX_TEXT, "bytes")
    }

    fn directive(&mut self) -> Result<(), Fault> {
        let mut flags = self.flags();
        let mut well_indexed = self.index();
        flags.width = self.amount("%!(BADWIDTH)", &mut well_indexed)?;
        if flags.width.is_some_and(|width| width < 0) {
            flags.minus = true;
        }
        if self.eat(".") {
            well_indexed &= self.index();
            flags.precision =
                self.amount("%!(BADPREC)", &mut well_indexed)?.filter(|precision| *precision >= 0).or(Some(0));
        }
        well_indexed &= self.index();
        let Some(verb) = self.take() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(());
        };
        match (verb, self.values.get(self.next)) {
            ('%', _) => self.out.push('%'),
            (verb, _) if !well_indexed => self.out.push_str(&format!("%!{verb}(BADINDEX)")),
            (verb, None) => self.out.push_str(&format!("%!{verb}(MISSING)")),
            (verb, Some(value)) => {
                self.next += 1;
                let argument = Argument::of(value)?;
                self.out.push_str(&argument.format(verb, &flags)?);
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let stripped = self.rest.strip_prefix(prefix);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.rest.bytes().next() {
                Some(b'#') => flags.sharp = true,
                Some(b'0') => flags.zero = true,
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b' ') => flags.space = true,
                _ => return flags,
            }
            self.rest = &self.rest[1..];
        }
    }

    /// `[n]`: the next argument is the n-th. False when there is none of that number.
    fn index(&mut self) -> bool {
        let Some(inner) = self.rest.strip_prefix('[') else { return true };
        let Some((number, rest)) = inner.split_once(']') else { return false };
        self.rest = rest;
        self.reordered = true;
        match number.parse::<usize>() {
            Ok(number) if (1..=self.values.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => false,
        }
    }

    /// A width or a precision: digits, or `*` for the next argument.
    fn amount(&mut self, bad: &str, well_indexed: &mut bool) -> Result<Option<i64>, Fault> {
        if self.eat("*") {
            let given = self.values.get(self.next).and_then(|value| value.as_i64().ok());
            self.next += 1;
            *well_indexed &= self.index();
            return match given.filter(|amount| amount.unsigned_abs() <= GO_MAX_WIDTH as u64) {
                Some(amount) => bounded(amount).map(Some),
                None => {
                    self.out.push_str(bad);
                    Ok(None)
                }
            };
        }
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = &self.rest[..length];
        self.rest = &self.rest[length..];
        match digits.parse::<i64>() {
            _ if digits.is_empty() => Ok(None),
            Ok(amount) if amount <= GO_MAX_WIDTH as i64 => bounded(amount).map(Some),
            // Go reads no further number and takes what follows for the verb.
            _ => Err(Fault::Refused(format!("a width of {digits}, more than {MAX_WIDTH}"))),
        }
    }

    fn surplus(&mut self) -> Result<(), Fault> {
        if self.reordered || self.next >= self.values.len() {
            return Ok(());
        }
        let mut said = vec![];
        for value in &self.values[self.next..] {
            let argument = Argument::of(value)?;
            said.push(format!("{}={}", argument.kind(), argument.format('v', &Flags::default())?));
        }
        self.out.push_str(&format!("%!(EXTRA {})", said.join(", ")));
        Ok(())
    }
}

fn bounded(amount: i64) -> Result<i64, Fault> {
    if amount.unsigned_abs() > MAX_WIDTH as u64 {
        return Err(Fault::Refused(format!("a width of {amount}, more than {MAX_WIDTH}")));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(format: &str, values: &str) -> String {
        let values = Value::from_json_str(values).unwrap();
        sprintf(&[Value::from(format), values]).unwrap().as_string().unwrap().to_string()
    }

    #[test]
    fn verbs_format_as_go_does() {
        for (format, values, expected) in [
            (
                "%d %s %v %5.2f %q %x %t",
                r#"[1, "a", {"k": [1, "x"]}, 3.14159, "q", 255, true]"#,
                "1 a {\"k\": [1, \"x\"]}  3.14 \"q\" ff %!t(string=true)",
            ),
            ("%d %d", "[1]", "1 %!d(MISSING)"),
            ("%d", "[1, \"b\"]", "1%!(EXTRA string=b)"),
            ("%s|%d|%z", r#"[5, "x", 1]"#, "%!s(int=5)|%!d(string=x)|%!z(int=1)"),
            (
                "%5d|%-5d|%05d|%+d|%x|%X|%#x|%o|%b",
                "[42, 42, -42, 42, -255, 255, 255, 8, 5]",
                "   42|42   |-0042|+42|-ff|FF|0xff|10|101",
            ),
            (
                "%5s|%-5s|%.2s|%q|%x",
                r#"["é", "é", "été", "a\"\n\u0001", "hi"]"#,
                "    é|é    |ét|\"a\\\"\\n\\x01\"|6869",
            ),
            ("%c|%U|%q", "[233, 233, 65]", "é|U+00E9|'A'"),
            ("%v %v %v", "[1.5, 0.000001, 123456789.5]", "1.5 1e-06 1.234567895e+08"),
            (
                "%e %g %.3g %6.1f|%-8.3f|",
                "[1234.5678, 100000.5, 1234.5678, 2.25, 1.0005]",
                "1.234568e+03 100000.5 1.23e+03    2.2|1.000   |",
            ),
            ("%f %.0f %s", "[1.5, 2.5, 1.5]", "1.500000 2 %!s(float64=1.5)"),
            ("%[2]d %[1]d %[9]d", "[1, 2]", "2 1 %!d(BADINDEX)"),
            ("%*d|%-*d|%.*f", "[4, 7, 4, 7, 1, 2.25]", "   7|7   |2.2"),
            ("100%% %", "[]", "100% %!(NOVERB)"),
            ("%v %v %v", "[null, [], {}]", "null [] {}"),
            ("%T %T %T", r#"[1, "a", 1.5]"#, "int string float64"),
        ] {
            assert_eq!(formatted(format, values), expected, "{format} {values}");
        }
    }

    #[test]
    fn huge_fields_are_the_policys_error() {
        for format in ["%100000d", "%.99999f", "%9999999999s"] {
            let answer = sprintf(&[Value::from(format), Value::from(vec![Value::from(1_i64)])]);
            assert!(matches!(answer, Err(Fault::Refused(_))), "{format}: {answer:?}");
        }
    }
}
