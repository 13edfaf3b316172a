//! What people see: standard output, standard error, colour only where a person looks.

use std::io::{self, IsTerminal, Write};

/// One line (or more) for people or the next program.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// One line on standard error. A closed standard error leaves nobody to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A question answered by `y` or `yes`. Anything else, or no terminal to ask on, is a no.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(io::stdout().lock(), "{question} [y/N] ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Whether standard output is looked at by a person.
pub(crate) fn is_colourful() -> bool {
    io::stdout().is_terminal()
}

/// Columns of the terminal, or a width that reads well in a log.
pub(crate) fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stdout()).map_or(120, |size| usize::from(size.ws_col).max(60))
}

pub(crate) fn bold(text: &str) -> String {
    painted(text, "1")
}

pub(crate) fn red(text: &str) -> String {
    painted(text, "1;31")
}

pub(crate) fn green(text: &str) -> String {
    painted(text, "32")
}

pub(crate) fn yellow(text: &str) -> String {
    painted(text, "33")
}

pub(crate) fn dim(text: &str) -> String {
    painted(text, "2")
}

fn painted(text: &str, code: &str) -> String {
    if is_colourful() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
