//! A wire between an agent and the hubs that can be cut, in the midst of whatever is on it: a dumb balancer that gives
//! each new connection to the next hub that takes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// One wire.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: broadcast::Sender<()>,
    open: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn to(targets: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (cut, _) = broadcast::channel(1);
        let open = Arc::new(AtomicUsize::new(0));
        let mut task = JoinSet::new();
        task.spawn(serve(listener, targets, cut.clone(), open.clone()));
        Ok(Self { address, cut, open, _task: task })
    }

    /// Cuts all connections of now, and says how many there were.
    pub(crate) fn cut(&self) -> usize {
        let open = self.open.load(Relaxed);
        let _ = self.cut.send(());
        open
    }
}

async fn serve(listener: TcpListener, targets: Vec<SocketAddr>, cut: broadcast::Sender<()>, open: Arc<AtomicUsize>) {
    let (mut wires, mut turn) = (JoinSet::new(), 0);
    while let Ok((mut near, _)) = listener.accept().await {
        turn += 1;
        let order: Vec<SocketAddr> = targets.iter().cycle().skip(turn).take(targets.len()).copied().collect();
        let (mut cut, open) = (cut.subscribe(), open.clone());
        wires.spawn(async move {
            let Some(mut far) = connect(&order).await else { return };
            open.fetch_add(1, Relaxed);
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = cut.recv() => {}
            }
            open.fetch_sub(1, Relaxed);
        });
        while wires.try_join_next().is_some() {}
    }
}

async fn connect(order: &[SocketAddr]) -> Option<TcpStream> {
    for target in order {
        if let Ok(far) = TcpStream::connect(target).await {
            return Some(far);
        }
    }
    None
}
