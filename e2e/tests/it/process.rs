//! A running binary of Writ: started with its output in a file, ended when dropped.

use crate::wait::eventually;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One process.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a binary; its output goes to `<folder>/<name>.log`.
    pub(crate) fn start(binary: &str, folder: &Path, name: &str, arguments: &[&str]) -> Self {
        Self::start_command(Command::new(path_of(binary)), folder, name, arguments)
    }

    /// The same with a folder `<folder>/<name>` that holds no more than so much (`2m`), in a user namespace of its own.
    pub(crate) fn start_on_small_disk(binary: &str, folder: &Path, name: &str, size: &str, arguments: &[&str]) -> Self {
        let script = format!("mkdir -p {name} && mount -t tmpfs -o size={size} tmpfs {name} && exec \"$0\" \"$@\"");
        let mut command = in_own_mounts(&script);
        command.arg(path_of(binary));
        Self::start_command(command, folder, name, arguments)
    }

    /// A program of the folder `<folder>/<name>`, to which that is all there is, beside what every container has: `/proc` and
    /// `/dev`.
    pub(crate) fn start_in_root(program: &str, folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let script = format!(
            "for part in proc dev; do mkdir {name}/$part && mount --rbind /$part {name}/$part || exit 1; done; \
                     exec chroot {name} \"$0\" \"$@\""
        );
        let mut command = in_own_mounts(&script);
        command.arg(program);
        Self::start_command(command, folder, name, arguments)
    }

    fn start_command(mut command: Command, folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let writ = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WRIT_"));
        for (variable, _) in writ {
            command.env_remove(variable);
        }
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
        let child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Self { child, log }
    }

    /// Ends it without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it as an orchestrator does, and waits until it is gone; whether it said that all was well.
    pub(crate) fn stop(&mut self) -> bool {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        self.child.wait().is_ok_and(|ended| ended.success())
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The content of a file that the process writes once it is ready.
    pub(crate) async fn announced(&mut self, file: &Path) -> String {
        eventually(&format!("{} from\n{}", file.display(), self.log()), async || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}):\n{}", self.log());
            std::fs::read_to_string(file).ok().filter(|text| !text.trim().is_empty())
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), self.log().as_bytes());
        }
    }
}

/// A shell that may mount without being root, and of whose mounts nobody else knows.
fn in_own_mounts(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command
}

/// Runs a binary to its end; whether it succeeded, and what it wrote.
pub(crate) fn run(binary: &str, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let ran = Command::new(path_of(binary)).args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.success(), format!("{}{}", text(&ran.stdout), text(&ran.stderr)))
}

/// The binary beside this test's own: both come from one `cargo build --workspace`.
pub(crate) fn path_of(binary: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(binary);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace` first", path.display());
    path
}
