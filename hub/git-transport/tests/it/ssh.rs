//! Over ssh, against a real daemon on loopback. Without one the tests say so and pass; `./test` counts them as skipped.

use crate::host::{fetch, host, mirror, push, text};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The options name one file of known hosts, which both tests write.
static KNOWN_HOSTS: Mutex<()> = Mutex::new(());

struct Daemon {
    child: Child,
    port: u16,
    user: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// A daemon that lets the user of this process in by key; `None` where none is installed.
    fn start(folder: &Path) -> Option<Self> {
        let sshd =
            ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|p| Path::new(p).exists());
        let Some(sshd) = sshd else {
            writ_e2e::skipped("ssh", "no sshd on this machine (package openssh-server)");
            return None;
        };
        let user = output(Command::new("id").arg("-un"));
        // Debian's daemon wants this folder for its unprivileged half; only root can make it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::write(folder.join("sshd_config"), config(folder, port)).unwrap();
        let child = Command::new(sshd)
            .args(["-D", "-e", "-f", text(&folder.join("sshd_config"))])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, port, user };
        daemon.wait_until_it_listens();
        Some(daemon)
    }

    fn wait_until_it_listens(&self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "sshd does not listen");
            std::thread::yield_now();
        }
    }

    fn url(&self, path: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, text(path))
    }
}

fn config(folder: &Path, port: u16) -> String {
    let folder = text(folder);
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/id.pub\n\
         PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn make_key(file: &Path) -> String {
    if !file.exists() {
        output(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", text(file)]));
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::read_to_string(file.with_extension("pub")).unwrap()
}

#[test]
fn a_clone_and_then_a_new_commit_arrive_over_ssh() {
    let _guard = KNOWN_HOSTS.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let host_key = make_key(&folder.path().join("host_key"));
    let key = make_key(&host().path("id"));
    std::fs::write(folder.path().join("id.pub"), key).unwrap();
    let Some(daemon) = Daemon::start(folder.path()) else { return };
    std::fs::write(host().path("known_hosts"), format!("[127.0.0.1]:{} {host_key}", daemon.port)).unwrap();

    let (work, first) = host().repository("over-ssh");
    let (_mirror, mirror) = mirror();
    let url = daemon.url(&host().path("over-ssh.git"));
    assert_eq!(fetch(&mirror, &url).unwrap(), first);
    let second = push(&work, "package b\n");
    assert_eq!(fetch(&mirror, &url).unwrap(), second);

    let absent = fetch(&mirror, &daemon.url(&host().path("absent.git"))).unwrap_err();
    assert!(absent.message().contains("does not appear to be a git repository"), "{absent}");
}

#[test]
fn an_unknown_host_key_is_refused() {
    let _guard = KNOWN_HOSTS.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    make_key(&folder.path().join("host_key"));
    let key = make_key(&host().path("id"));
    std::fs::write(folder.path().join("id.pub"), key).unwrap();
    let Some(daemon) = Daemon::start(folder.path()) else { return };
    std::fs::write(host().path("known_hosts"), "").unwrap();

    let (_mirror, mirror) = mirror();
    let error = fetch(&mirror, &daemon.url(&host().path("any.git"))).unwrap_err();
    assert!(error.message().contains("Host key verification failed"), "{error}");
}

#[test]
fn a_changed_host_key_is_refused() {
    let _guard = KNOWN_HOSTS.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    make_key(&folder.path().join("host_key"));
    let former = make_key(&folder.path().join("former_host_key"));
    let key = make_key(&host().path("id"));
    std::fs::write(folder.path().join("id.pub"), key).unwrap();
    let Some(daemon) = Daemon::start(folder.path()) else { return };
    std::fs::write(host().path("known_hosts"), format!("[127.0.0.1]:{} {former}", daemon.port)).unwrap();

    let (_mirror, mirror) = mirror();
    let error = fetch(&mirror, &daemon.url(&host().path("any.git"))).unwrap_err();
    assert!(error.message().contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{error}");
}
