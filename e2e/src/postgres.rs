//! Debian's PostgreSQL for tests: one server per test process, a database of its own for each test, all gone when the
//! process ends, however it ends. A machine without the server skips what needs it.

use crate::certificates::Certificates;
use anyhow::{Context, bail, ensure};
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Names the kind of database that tests use which run on any: `postgres`, or SQLite.
const WANTED: &str = "WRIT_TEST_DATABASE";
/// The oldest version that Writ runs on.
const OLDEST: u32 = 15;
/// How long a server may take to start.
const LIMIT: Duration = Duration::from_secs(60);
/// What it listens on where nothing else is said: the name of its socket.
const PORT: u16 = 5432;
/// It refuses to run as root.
const USER: &str = "postgres";
/// Runs the server until this process closes the pipe or dies. What then remains is removed, unless it starts again.
const KEEPER: &str = r#"
"$@" >"$0/log" 2>&1 &
cat >/dev/null
kill -QUIT $! 2>/dev/null
wait
[ -e "$0/again" ] || rm -rf "$0""#;

/// A running server; dropping it ends it.
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    settings: Vec<String>,
    port: u16,
    keeper: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// The URL of an empty database, where tests are to run on PostgreSQL; `None` means SQLite.
pub fn wanted() -> Option<String> {
    let wanted = std::env::var_os(WANTED).filter(|wanted| wanted != "sqlite")?;
    assert_eq!(wanted, "postgres", "{WANTED} is postgres or sqlite");
    Some(database().expect("tests that are to run on PostgreSQL find its server"))
}

/// The URL of an empty database of this process's server, or `None` where this machine has no PostgreSQL.
pub fn database() -> Option<String> {
    static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| programs().map(|_| Postgres::start().expect("PostgreSQL starts")));
    shared.as_ref().map(|postgres| postgres.database().expect("PostgreSQL makes a database"))
}

/// Everything in the database at this URL, as text.
pub fn dump(url: &str) -> anyhow::Result<String> {
    run(Command::new(programs().context("there is no PostgreSQL")?.join("pg_dump")).arg(url))
}

/// Whether this machine has the server.
pub fn is_here() -> bool {
    programs().is_some()
}

impl Postgres {
    /// A server of its own, for tests that kill it. Ask [`is_here`] before.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_in(&std::env::temp_dir())
    }

    /// The same, with its data below this folder, which its user may enter.
    pub fn start_in(parent: &Path) -> anyhow::Result<Self> {
        let postgres = Self::made_in(parent, PORT, vec![])?;
        postgres.start_server()?;
        Ok(postgres)
    }

    /// One that is reached at 127.0.0.1 and 127.0.0.2, over TLS alone, and shows this certificate.
    pub fn start_with_tls(certificates: &Certificates) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let settings =
            ["listen_addresses=127.0.0.1,127.0.0.2", "ssl=on", "ssl_cert_file=tls.crt", "ssl_key_file=tls.key"];
        let settings = settings.map(str::to_owned).into_iter().chain([format!("port={port}")]).collect();
        let postgres = Self::made_in(&std::env::temp_dir(), port, settings)?;
        let data = postgres.data();
        let who = "local all all trust\nhostssl all all 127.0.0.0/8 trust\n";
        for (name, text) in
            [("tls.crt", &*certificates.certificate), ("tls.key", &*certificates.key), ("pg_hba.conf", who)]
        {
            let path = data.join(name);
            std::fs::write(&path, text)?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            hand_over(&path)?;
        }
        postgres.start_server()?;
        Ok(postgres)
    }

    /// Where a server that speaks TLS is reached, after `127.0.0.1:`.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn made_in(parent: &Path, port: u16, settings: Vec<String>) -> anyhow::Result<Self> {
        let programs = programs().context("there is no PostgreSQL of version 15 or later")?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in(parent)?;
        hand_over(folder.path())?;
        let postgres =
            Self { programs, folder, settings, port, keeper: Mutex::default(), databases: AtomicU32::new(0) };
        let data = postgres.data();
        let mut make = postgres.as_user("initdb");
        make.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]).arg(&data);
        run(&mut make)?;
        Ok(postgres)
    }

    /// A new empty database; returns its URL.
    pub fn database(&self) -> anyhow::Result<String> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(format!("postgres://{USER}@localhost/{name}?host={}", self.folder.path().display()))
    }

    /// Runs statements as the database's owner and returns what they answer, a line per row.
    pub fn sql(&self, database: &str, statements: &str) -> anyhow::Result<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database]);
        command.args(["-p", &self.port.to_string(), "-h"]);
        run(command.arg(self.folder.path()).args(["-c", statements]))
    }

    /// Ends the server at once, as a crash or a power cut does. One that ended by itself is none the worse for it.
    pub fn kill(&self) -> anyhow::Result<()> {
        std::fs::write(self.folder.path().join("again"), "")?;
        if let Some(pid) = self.pid() {
            let _may_be_gone = run(Command::new("kill").args(["-KILL", &pid.to_string()]));
        }
        self.end_keeper()
    }

    /// Starts it again after [`Postgres::kill`].
    pub fn restart(&self) -> anyhow::Result<()> {
        let _of_the_one_that_was_killed = std::fs::remove_file(self.data().join("postmaster.pid"));
        self.start_server()?;
        Ok(std::fs::remove_file(self.folder.path().join("again"))?)
    }

    fn start_server(&self) -> anyhow::Result<()> {
        let mut keeper = self.as_user("sh");
        keeper.args(["-c", KEEPER]).arg(self.folder.path()).arg(self.programs.join("postgres"));
        keeper.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        let usual = [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=64MB",
            "logging_collector=off",
        ];
        for setting in usual.into_iter().chain(self.settings.iter().map(String::as_str)) {
            keeper.args(["-c", setting]);
        }
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        *self.keeper.lock().expect("no holder of the lock panics") = Some(keeper);
        let started = Instant::now();
        while !self.is_ready() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            ensure!(started.elapsed() < LIMIT, "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The last line of the file says how far the server is.
    fn is_ready(&self) -> bool {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        text.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    }

    fn pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    fn end_keeper(&self) -> anyhow::Result<()> {
        if let Some(mut keeper) = self.keeper.lock().expect("no holder of the lock panics").take() {
            drop(keeper.stdin.take());
            keeper.wait()?;
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server, as a user that it accepts.
    fn as_user(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let program = if path.exists() { path } else { program.into() };
        let mut command = match is_root() {
            true => Command::new("runuser"),
            false => Command::new(&program),
        };
        if is_root() {
            command.args(["-u", USER, "--"]).arg(&program);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.end_keeper();
    }
}

/// The newest version that is installed, or the one on the path.
fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = installed.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        (number >= OLDEST && programs.join("initdb").exists()).then_some((number, programs))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = || std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    versions.max().map(|(_, programs)| programs).or_else(on_path)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Gives the folder to the server's user.
fn hand_over(folder: &Path) -> anyhow::Result<()> {
    if !is_root() {
        return Ok(());
    }
    let id = |of: &str| anyhow::Ok(run(Command::new("id").args([of, USER]))?.parse::<u32>()?);
    Ok(chown(folder, Some(id("-u")?), Some(id("-g")?))?)
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("running {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{:?} failed: {}", command.get_program(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
