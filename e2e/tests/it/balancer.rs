//! What a Service is to the API server: one address, new connections to whoever is ready, as far as was noticed yet.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How often readiness is asked for: endpoints follow probes with a delay.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Where an agent listens, and where it says whether it is ready.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: String,
}

/// Ends with everything it carries when dropped.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    pub(crate) backends: Arc<Mutex<Vec<Backend>>>,
    _tasks: JoinSet<()>,
}

impl Balancer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((crate::cluster::host(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (backends, ready) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(vec![])));
        let mut tasks = JoinSet::new();
        tasks.spawn(probe(backends.clone(), ready.clone()));
        tasks.spawn(accept(listener, ready));
        Self { address, backends, _tasks: tasks }
    }
}

async fn probe(backends: Arc<Mutex<Vec<Backend>>>, ready: Arc<Mutex<Vec<SocketAddr>>>) {
    loop {
        let all: Vec<Backend> = backends.lock().unwrap().clone();
        let mut found = vec![];
        for backend in all {
            let answer = reqwest::get(format!("{}/readyz", backend.metrics)).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                found.push(backend.address);
            }
        }
        *ready.lock().unwrap() = found;
        tokio::time::sleep(PROBE_EVERY).await;
    }
}

async fn accept(listener: TcpListener, ready: Arc<Mutex<Vec<SocketAddr>>>) {
    let (mut carried, turn) = (JoinSet::new(), AtomicUsize::new(0));
    while let Ok((mut from, _)) = listener.accept().await {
        let ready = ready.lock().unwrap().clone();
        let Some(to) = ready.get(turn.fetch_add(1, Relaxed) % ready.len().max(1)).copied() else { continue };
        carried.spawn(async move {
            if let Ok(mut to) = TcpStream::connect(to).await {
                // A Service's packets are passed on as they are, and never wait for the next.
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let _ends_as_either_does = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}
