//! The two listeners: TLS for the API server, plain HTTP for probes and metrics. Owns sockets and their limits.

use crate::certificate::Material;
use crate::tls;
use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long requests in flight have to end at shutdown.
const GRACE: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// A socket that listens, so that the port is known before anything is served.
pub fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
    listener.set_nonblocking(true).context("preparing the socket")?;
    let bound = listener.local_addr().context("asking for the bound address")?;
    Ok((listener, bound))
}

/// The TLS configuration of this certificate; reloading it changes the running listener.
pub async fn tls(material: &Material) -> anyhow::Result<RustlsConfig> {
    tls::install_provider();
    let config = RustlsConfig::from_pem(material.certificate.clone().into(), material.key.clone().into());
    config.await.context("the webhook's certificate cannot be used")
}

/// Serves TLS until shutdown; then stops accepting and answers what is in flight.
pub async fn serve_tls(
    listener: TcpListener,
    tls: RustlsConfig,
    router: Router,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)
        .context("preparing the webhook's socket")?
        .acceptor(RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor))
        .handle(handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    server.http_builder().http2().timer(TokioTimer::new()).max_concurrent_streams(128);
    let serve = server.serve(router.into_make_service());
    gracefully(serve, handle, shutdown).await.context("serving the webhook")
}

/// Serves plain HTTP until shutdown.
pub async fn serve_plain(listener: TcpListener, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener).context("preparing the socket of metrics")?.handle(handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let serve = server.serve(router.into_make_service());
    gracefully(serve, handle, shutdown).await.context("serving metrics")
}

async fn gracefully(
    serve: impl Future<Output = std::io::Result<()>>,
    handle: Handle<SocketAddr>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    tokio::pin!(serve);
    tokio::select! {
        ended = &mut serve => ended,
        () = shutdown.cancelled() => {
            handle.graceful_shutdown(Some(GRACE));
            serve.await
        }
    }
}
