//! A proxy between the hub and the git host sees where the hub wants to go, and nothing else.

use git2::Repository;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use writ_git_transport::{Options, register};

const TOKEN: &str = "a-bearer-token";

#[test]
fn https_goes_through_the_proxy_and_credentials_do_not() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("token");
    std::fs::write(&password_file, TOKEN).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let proxy = Some(proxy.parse().unwrap());
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = vec![];
        while !seen.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(seen).unwrap()
    });
    let options = Options { password_file: Some(password_file), bearer: true, proxy, ..Options::default() };
    let options = Arc::new(options);
    register(move |_| Some(options.clone())).unwrap();
    let mirror = Repository::init_bare(folder.path().join("mirror")).unwrap();
    let mut remote = mirror.remote_anonymous("https://git.example/policies.git").unwrap();
    let error = remote.fetch(&["+refs/heads/main:refs/heads/main"], None, None).unwrap_err();
    let seen = seen.join().unwrap();
    assert!(seen.starts_with("CONNECT git.example:443 HTTP/1.1\r\n"), "{seen}");
    assert!(!seen.contains(TOKEN) && !error.message().contains(TOKEN), "{seen} {error}");
}
