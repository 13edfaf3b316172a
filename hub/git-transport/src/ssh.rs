//! The smart protocol over the ssh program, which knows the user's keys, agents and jump hosts better than a library.
//! It never asks questions and never accepts an unknown host key.

use crate::address::SshAddress;
use crate::conversation::{Conversation, git_error, io_error, out_of_order};
use crate::{Address, Options};
use anyhow::{Context, anyhow, bail};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

const MAX_STDERR_BYTES: u64 = 4 << 10;
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(crate) struct Ssh {
    options: Arc<Options>,
}

impl Ssh {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Self { options }
    }

    fn open(&self, url: &str, service: &str) -> anyhow::Result<Session> {
        let Address::Ssh(address) = Address::parse(url)? else { bail!("the address is not ssh") };
        let conversation = Conversation::new(&self.options)?;
        let mut command = Command::new("ssh");
        command.args(arguments(&self.options, &address, service));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = conversation.wait(async { command.spawn().context("starting the ssh program") })?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            bail!("the ssh program has no pipes");
        };
        Ok(Session { conversation, child, input, output, errors })
    }
}

impl SmartSubtransport for Ssh {
    fn action(&self, url: &str, action: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        // The connection stays open: libgit2 reuses the stream that listed the refs.
        let session = match action {
            Service::UploadPackLs => self.open(url, "git-upload-pack"),
            Service::ReceivePackLs => self.open(url, "git-receive-pack"),
            Service::UploadPack | Service::ReceivePack => Err(out_of_order()),
        };
        Ok(Box::new(session.map_err(|error| git_error(&error, None))?))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

fn arguments(options: &Options, address: &SshAddress, service: &str) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut set = |name: &str, value: OsString| {
        let mut option = OsString::from(format!("{name}="));
        option.push(value);
        arguments.extend(["-o".into(), option]);
    };
    set("BatchMode", "yes".into());
    set("StrictHostKeyChecking", "yes".into());
    set("ClearAllForwardings", "yes".into());
    set("ConnectTimeout", options.timeout.as_secs().clamp(1, 60).to_string().into());
    if let Some(file) = &options.known_hosts {
        set("UserKnownHostsFile", quoted(file));
        set("GlobalKnownHostsFile", "none".into());
    }
    if let Some(file) = &options.ssh_key {
        set("IdentitiesOnly", "yes".into());
        arguments.extend(["-i".into(), file.into()]);
    }
    if let Some(port) = address.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = &address.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    arguments.extend(["--".into(), (&address.host).into(), remote_command(service, &address.path).into()]);
    arguments
}

/// ssh splits this option at blanks unless it is quoted.
fn quoted(file: &std::path::Path) -> OsString {
    let mut quoted = OsString::from("\"");
    quoted.push(file);
    quoted.push("\"");
    quoted
}

/// The far side's shell reads this; the path is one word to it. A leading `~user` is left for the shell to expand.
fn remote_command(service: &str, path: &str) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let home = path.split('/').next().filter(|part| is_home(part));
    match home {
        Some(home) => format!("{service} {home}{}", quote(&path[home.len()..])),
        None => format!("{service} {}", quote(path)),
    }
}

fn is_home(part: &str) -> bool {
    part.strip_prefix('~').is_some_and(|user| user.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)))
}

/// One running ssh program.
struct Session {
    conversation: Arc<Conversation>,
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
}

impl Session {
    fn receive(&mut self, buffer: &mut [u8]) -> anyhow::Result<usize> {
        let output = &mut self.output;
        let length = self.conversation.wait(async { Ok(output.read(buffer).await?) })?;
        if length == 0 {
            return Err(self.last_words());
        }
        self.conversation.receive(length)?;
        Ok(length)
    }

    fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let input = &mut self.input;
        let sent = self.conversation.wait(async {
            input.write_all(bytes).await?;
            Ok(input.flush().await?)
        });
        sent.map_err(|error| error.context(self.last_words()))
    }

    /// Why ssh ended, in its own words. libgit2 never reads past the end of a conversation that went well.
    fn last_words(&mut self) -> anyhow::Error {
        let mut text = Vec::new();
        let errors = (&mut self.errors).take(MAX_STDERR_BYTES);
        let read = async {
            let mut errors = errors;
            let _ = tokio::time::timeout(LAST_WORDS, errors.read_to_end(&mut text)).await;
            Ok(())
        };
        let _ = self.conversation.wait(read);
        let text = String::from_utf8_lossy(&text);
        match text.trim() {
            "" => anyhow!("the remote ended the connection"),
            text => anyhow!("ssh says: {text}"),
        }
    }
}

impl Read for Session {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer).map_err(|error| io_error(&error, None))
    }
}

impl Write for Session {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes).map(|()| bytes.len()).map_err(|error| io_error(&error, None))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let child = &mut self.child;
        let ended = async { Ok(tokio::time::timeout(LAST_WORDS, child.wait()).await.map(drop)?) };
        let _ = self.conversation.wait(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_one_word_for_the_far_shell() {
        let command = |path| remote_command("git-upload-pack", path);
        assert_eq!(command("/a b.git"), "git-upload-pack '/a b.git'");
        assert_eq!(command("/a'; rm -rf /"), r"git-upload-pack '/a'\''; rm -rf /'");
        assert_eq!(command("~git/p.git"), "git-upload-pack ~git'/p.git'");
        assert_eq!(command("~$(x)/p.git"), "git-upload-pack '~$(x)/p.git'");
    }

    #[test]
    fn host_keys_are_pinned_and_nothing_is_asked() {
        let options = Options {
            known_hosts: Some("/keys/known hosts".into()),
            ssh_key: Some("/keys/id".into()),
            ..Options::default()
        };
        let Ok(Address::Ssh(address)) = Address::parse("ssh://git@h:2222/p.git") else { panic!("not ssh") };
        let words: Vec<_> = arguments(&options, &address, "git-upload-pack");
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        for expected in ["BatchMode=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=\"/keys/known hosts\""] {
            assert!(words.contains(&expected), "{words:?}");
        }
        assert_eq!(words[words.len() - 3..], ["--", "h", "git-upload-pack '/p.git'"]);
    }
}
