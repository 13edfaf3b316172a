//! The listener: plain HTTP or TLS, with bounds on clients that are slow or many. What is answered is in `api`.

mod pace;

use crate::config::Config;
use anyhow::Context;
use axum::Router;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use pace::Pace;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest that a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long open requests may still take once the hub is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A bound socket that does not serve yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<RustlsConfig>,
    /// `http://127.0.0.1:8420`, with the port that was really bound.
    pub address: String,
}

impl Listener {
    /// Binds the address; reads the certificate, if there is one.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let socket = TcpListener::bind(config.listen).with_context(|| {
            format!("cannot listen on {}: is another program using the port? Choose one with --listen", config.listen)
        })?;
        socket.set_nonblocking(true)?;
        let tls = match (&config.tls_cert, &config.tls_key) {
            (Some(cert), Some(key)) => Some(
                RustlsConfig::from_pem_file(cert, key)
                    .await
                    .with_context(|| format!("reading {} and {}", cert.display(), key.display()))?,
            ),
            _ => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", socket.local_addr()?);
        Ok(Self { socket, tls, address })
    }

    /// Serves until told to stop, then lets open requests end.
    pub async fn serve(self, routes: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
        let handle = Handle::new();
        let stop = async {
            shutdown.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
            std::future::pending().await
        };
        let mut server = axum_server::from_tcp(self.socket)?.handle(handle.clone());
        bound(&mut server);
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        let served = async {
            match self.tls {
                Some(tls) => server.acceptor(Pace::new(RustlsAcceptor::new(tls))).serve(service).await,
                None => server.acceptor(Pace::new(DefaultAcceptor::new())).serve(service).await,
            }
        };
        tokio::select! {
            ended = served => ended.context("serving"),
            () = stop => unreachable!("stopping only asks the server to end"),
        }
    }
}

fn bound(server: &mut Server<SocketAddr>) {
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIMEOUT).max_concurrent_streams(64);
}

/// Tells other programs where the hub listens: written whole, by renaming.
pub fn write_listen_file(file: &Path, address: &str) -> anyhow::Result<()> {
    let unfinished = file.with_extension("new");
    std::fs::write(&unfinished, address)
        .and_then(|()| std::fs::rename(&unfinished, file))
        .with_context(|| format!("writing {}", file.display()))
}
