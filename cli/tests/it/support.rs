//! Running `writ`, and a small hub that answers what a test tells it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

/// How a run of `writ` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `writ` in this folder with an identity for git, whoever runs the tests.
pub(crate) fn writ(dir: &Path, arguments: &[&str]) -> Ended {
    writ_with(dir, arguments, &[("GIT_CONFIG_GLOBAL", "/dev/null")])
}

/// The same with variables. `HOME` is the folder, so that nothing of the machine is read.
pub(crate) fn writ_with(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
    command.current_dir(dir).args(arguments).env("HOME", dir).env_remove("XDG_CONFIG_HOME");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("writ ends by itself");
    Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A folder whose `.gitconfig` names somebody.
pub(crate) fn home() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.com\n").unwrap();
    dir
}

/// A hub that answers each path with the body of the first prefix that fits, else 404.
pub(crate) fn fake_hub(answers: Vec<(&'static str, String)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &answers);
        }
    });
    address
}

fn answer(mut stream: TcpStream, answers: &[(&'static str, String)]) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request).unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(bytes) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let found = answers.iter().find(|(prefix, _)| path.starts_with(prefix));
    let (status, body) =
        found.map_or(("404 Not Found", r#"{"error":"no such thing"}"#), |(_, body)| ("200 OK", body.as_str()));
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
}
