//! Clients that never finish what they begin, at a real socket.

use clap::Parser;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use writ_hub::config::Config;
use writ_hub::serve::Listener;

#[tokio::test]
async fn request_that_never_ends_is_cut_off() {
    let config = Config::parse_from(["writ-hub", "--source", "/", "--listen", "127.0.0.1:0"]);
    let listener = Listener::bind(&config).await.unwrap();
    let address = listener.address.strip_prefix("http://").unwrap().to_owned();
    let shutdown = CancellationToken::new();
    let mut serving = JoinSet::new();
    serving.spawn(listener.serve(axum::Router::new(), shutdown.clone()));
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(b"POST /hooks/push HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
        // Ends when the hub closes the connection, which it does by itself.
        let mut rest = vec![];
        stream.read_to_end(&mut rest).unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    });
    let answer = client.await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    shutdown.cancel();
    serving.join_next().await.unwrap().unwrap().unwrap();
}
