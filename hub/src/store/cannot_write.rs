//! Why the database does not take what is written, as far as agents should know: they keep what they have and come back.

use crate::failure::Error;

/// SQLite's, of a trigger that refuses: only a database that was moved has any.
const CLOSED: &str = "1811";

/// What is answered to who wanted something stored.
pub(crate) fn cannot_write(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    // SQLite's extended codes hold the plain one in their lowest byte; PostgreSQL's have five characters.
    let sqlite =
        code.as_deref().filter(|code| code.len() < 5).and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    if code.as_deref() == Some(CLOSED) {
        return Error::CannotStore("the hub's database was moved elsewhere: start the hub there");
    }
    match (sqlite, code.as_deref()) {
        (Some(13), _) | (_, Some("53100")) => Error::CannotStore("the hub cannot store this now: its disk is full"),
        (Some(8 | 10), _) | (_, Some("25006")) => {
            Error::CannotStore("the hub cannot store this now: its database cannot be written")
        }
        (Some(11 | 26), _) => Error::CannotStore("the hub cannot store this: its database is damaged"),
        _ => Error::from(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_errors_stay_what_they_are() {
        assert!(matches!(cannot_write(sqlx::Error::PoolTimedOut), Error::Busy));
        assert!(matches!(cannot_write(sqlx::Error::WorkerCrashed), Error::Internal(_)));
    }
}
