//! Which database the hub uses: `sqlite:FILE` or `postgres://USER@HOST/NAME`. A password is never part of it: it comes
//! in a file, so that it is in no process list, log or error.

use anyhow::{Context, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use url::Url;

/// Where rows are kept.
#[derive(Debug, Clone)]
pub enum Database {
    /// An embedded database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Server),
}

/// How a PostgreSQL server is reached. Shown without its password.
#[derive(Clone)]
pub struct Server(Box<PgConnectOptions>);

/// What may follow the `?`.
const OPTIONS: [&str; 6] = ["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"];

impl Database {
    /// The same with the password that the server asks for.
    pub fn with_password(self, password: &str) -> anyhow::Result<Self> {
        match self {
            Database::Sqlite(_) => bail!("--database-password-file is for PostgreSQL; SQLite asks for no password"),
            Database::Postgres(Server(options)) => Ok(Database::Postgres(Server(Box::new(options.password(password))))),
        }
    }

    /// Whether several hubs may use it.
    pub fn is_shared(&self) -> bool {
        matches!(self, Database::Postgres(_))
    }
}

impl Server {
    /// What sqlx asks for.
    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.0
    }
}

impl FromStr for Database {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            ensure!(!file.is_empty(), "sqlite: names no file");
            return Ok(Database::Sqlite(file.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Database::Postgres(Server(Box::new(server(text)?))));
        }
        bail!("a database is sqlite:FILE or postgres://USER@HOST/NAME")
    }
}

fn server(text: &str) -> anyhow::Result<PgConnectOptions> {
    // The text may hold a password, so no error quotes it.
    let url = Url::parse(text).context("the URL of the database cannot be read")?;
    let has_password = url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password");
    ensure!(!has_password, "the URL of the database holds a password: put it into a file, --database-password-file");
    if let Some((key, _)) = url.query_pairs().find(|(key, _)| !OPTIONS.contains(&&**key)) {
        bail!("the URL of the database has an unknown option {key:?}; there are {}", OPTIONS.join(", "));
    }
    let options: PgConnectOptions = text.parse().context("the URL of the database cannot be read")?;
    ensure!(options.get_database().is_some_and(|name| !name.is_empty()), "the URL of the database names no database");
    let says_how = url.query_pairs().any(|(key, _)| key == "sslmode");
    Ok(match says_how {
        true => options,
        false if is_here(&options) => options.ssl_mode(PgSslMode::Prefer),
        // Who can read or answer in its place could read or change what the fleet enforces.
        false => options.ssl_mode(PgSslMode::VerifyFull),
    })
}

fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    options.get_socket().is_some() || host == "localhost" || is_loopback
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get_database().unwrap_or_default();
        match self.0.get_socket() {
            Some(folder) => write!(f, "PostgreSQL's database `{name}` in {}", folder.display()),
            None => write!(f, "PostgreSQL's database `{name}` at {}:{}", self.0.get_host(), self.0.get_port()),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(file) => write!(f, "the file {}", file.display()),
            Database::Postgres(server) => write!(f, "{server}"),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> PgSslMode {
        let Ok(Database::Postgres(server)) = text.parse() else { panic!("{text}") };
        server.options().get_ssl_mode()
    }

    #[test]
    fn server_elsewhere_must_prove_who_it_is_unless_told_otherwise() {
        assert!(matches!(mode("postgres://writ@db.example/writ"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://writ@db.example/writ?sslmode=disable"), PgSslMode::Disable));
        assert!(matches!(mode("postgresql://writ@127.0.0.1:5433/writ"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://writ@localhost/writ?host=/run/postgresql"), PgSslMode::Prefer));
    }

    #[test]
    fn password_is_taken_from_a_file_only_and_never_shown() {
        for text in ["postgres://writ:geheim@db.example/writ", "postgres://writ@db.example/writ?password=geheim"] {
            let error = format!("{:#}", text.parse::<Database>().unwrap_err());
            assert!(error.contains("--database-password-file") && !error.contains("geheim"), "{error}");
        }
        let database: Database = "postgres://writ@db.example/writ".parse().unwrap();
        let shown = format!("{:?}", database.with_password("geheim").unwrap());
        assert_eq!(shown, "Postgres(PostgreSQL's database `writ` at db.example:5432)");
    }

    #[test]
    fn odd_names_are_refused_with_the_reason() {
        for (text, reason) in [
            ("mysql://db", "postgres://"),
            ("sqlite:", "names no file"),
            ("postgres://writ@db.example", "names no database"),
            ("postgres://writ@db.example/writ?sslmod=disable", "\"sslmod\""),
            ("postgres://writ@db.example/writ?sslmode=sometimes", "cannot be read"),
        ] {
            let error = format!("{:#}", text.parse::<Database>().unwrap_err());
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
