//! The client: K keep-alive TLS connections, requests written as bytes so that the driver costs little.

use crate::prepare::Prepared;
use crate::server::Server;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Stream = TlsStream<TcpStream>;

/// How fast reviews are sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Each connection sends the next when it has the answer.
    Full,
    /// So many in all.
    PerSecond(f64),
}

/// What a run found.
pub struct Found {
    pub per_second: f64,
    per_cpu_second: f64,
    p50: Duration,
    p99: Duration,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let Self { per_second, per_cpu_second, p50, p99 } = self;
        let cpu_us = 1e6 / per_cpu_second;
        write!(f, "{per_cpu_second:14.0} {per_second:12.0} {:9.2} {:9.2} {cpu_us:9.0}", ms(*p50), ms(*p99))
    }
}

pub struct Driver<'a> {
    server: &'a Server,
    request: Arc<[u8]>,
    connector: TlsConnector,
    connections: usize,
}

impl<'a> Driver<'a> {
    pub fn new(server: &'a Server, prepared: &Prepared, connections: usize) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(server.authority.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let head = format!(
            "POST /validate?timeout=10s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            prepared.review.len()
        );
        let request = [head.as_bytes(), prepared.review.as_bytes()].concat().into();
        Self { server, request, connector: TlsConnector::from(Arc::new(config)), connections }
    }

    pub async fn run(&self, pace: Pace, reviews: usize) -> Found {
        let mut streams = vec![];
        for _ in 0..self.connections {
            streams.push(self.connect().await);
        }
        let (cpu, started) = (self.server.cpu(), Instant::now());
        let mut latencies = match pace {
            Pace::Full => self.run_full(streams, reviews).await,
            Pace::PerSecond(rate) => self.run_paced(streams, reviews, rate).await,
        };
        let (took, cpu) = (started.elapsed().as_secs_f64(), (self.server.cpu() - cpu).as_secs_f64());
        latencies.sort();
        let count = latencies.len();
        Found {
            per_second: count as f64 / took,
            per_cpu_second: count as f64 / cpu,
            p50: latencies[count / 2],
            p99: latencies[count * 99 / 100],
        }
    }

    async fn run_full(&self, streams: Vec<Stream>, reviews: usize) -> Vec<Duration> {
        let left = Arc::new(AtomicUsize::new(reviews));
        let mut connections = JoinSet::new();
        for stream in streams {
            connections.spawn(send_all(stream, self.request.clone(), left.clone()));
        }
        connections.join_all().await.concat()
    }

    /// Reviews are due at even distances, one connection after the other. The beat comes from a thread, because the
    /// runtime's timer rounds to milliseconds and would send them in bursts.
    async fn run_paced(&self, streams: Vec<Stream>, reviews: usize, rate: f64) -> Vec<Duration> {
        let mut connections = JoinSet::new();
        let mut beats = vec![];
        for stream in streams {
            let (beat, due) = mpsc::unbounded_channel();
            beats.push(beat);
            connections.spawn(send_when_due(stream, self.request.clone(), due));
        }
        let start = Instant::now();
        let pacer = std::thread::spawn(move || {
            for number in 0..reviews {
                let due = start + Duration::from_secs_f64(number as f64 / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                beats[number % beats.len()].send(due).unwrap();
            }
        });
        let latencies = connections.join_all().await.concat();
        pacer.join().unwrap();
        latencies
    }

    async fn connect(&self) -> Stream {
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        self.connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }
}

/// One connection that sends the next review when it has the answer.
async fn send_all(mut stream: Stream, request: Arc<[u8]>, left: Arc<AtomicUsize>) -> Vec<Duration> {
    let (mut latencies, mut buffer) = (vec![], vec![0; 64 << 10]);
    while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
        let started = Instant::now();
        stream.write_all(&request).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        latencies.push(started.elapsed());
    }
    latencies
}

/// One connection that sends at given times. Latency counts from when the review was due, so that a slow answer is not
/// hidden by the reviews that were sent late because of it.
async fn send_when_due(
    mut stream: Stream,
    request: Arc<[u8]>,
    mut due: mpsc::UnboundedReceiver<Instant>,
) -> Vec<Duration> {
    let (mut latencies, mut buffer) = (vec![], vec![0; 64 << 10]);
    while let Some(due) = due.recv().await {
        stream.write_all(&request).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        latencies.push(due.elapsed());
    }
    latencies
}

async fn read_answer(stream: &mut Stream, buffer: &mut [u8]) {
    let mut filled = 0;
    let mut expected = usize::MAX;
    while filled < expected {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let head = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
        if let (usize::MAX, Some(head)) = (expected, head) {
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            expected = head + 4 + length.parse::<usize>().unwrap();
        }
    }
}
