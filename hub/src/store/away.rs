//! Errors that pass by themselves: the database is away, is being restarted, fails over, or two transactions were in
//! each other's way. Who asked is told to come back; nothing was stored.

/// PostgreSQL's: no connection, too many, shut down or starting, no primary, serialization, deadlock, took too long.
const PASSING: [&str; 14] = [
    "08000", "08003", "08006", "08001", "08004", "53300", "57P01", "57P02", "57P03", "25006", "40001", "40P01",
    "55P03", "57014",
];

/// SQLite's, in the lowest byte: another process writes to the file. PostgreSQL's codes have five characters.
fn is_busy(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Whether asking again later may help.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| PASSING.contains(&&*code) || is_busy(&code)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_away;

    #[test]
    fn lost_connection_passes_and_a_closed_pool_does_not() {
        assert!(is_away(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_away(&sqlx::Error::PoolClosed));
        assert!(!is_away(&sqlx::Error::RowNotFound));
    }
}
