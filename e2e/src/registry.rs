//! A real OCI registry of this machine: Debian's docker-registry, over plain http on loopback.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "/usr/bin/docker-registry";
/// Far beyond what its start takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running registry; it ends when dropped.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    /// `127.0.0.1:port`.
    pub address: String,
}

impl Registry {
    /// A registry that keeps its files in this folder; nothing where the program is not.
    pub fn start(folder: &Path) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let address = format!("127.0.0.1:{port}");
        let (storage, file) = (folder.join("registry"), folder.join("registry.yml"));
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp: {{addr: \"{address}\"}}\n",
            storage.display()
        );
        std::fs::write(&file, config).ok()?;
        let mut command = Command::new(PROGRAM);
        let child = command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let registry = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            if start.elapsed() > PATIENCE {
                return None;
            }
            std::thread::yield_now();
        }
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
