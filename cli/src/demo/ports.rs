//! Which ports the demo listens on, and a sentence when one is taken.

use anyhow::bail;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Where one process listens.
pub(crate) type Port = u16;

/// How many agents the demo runs.
pub(crate) const AGENTS: usize = 3;

/// The hub's port; the agents' webhooks follow it, their metrics are ten above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    hub: Port,
}

impl Ports {
    /// All ports from the hub's own, or any free ones for 0. Refuses when one of them is in use.
    pub(crate) fn new(hub: Port) -> anyhow::Result<Self> {
        let ports = Self { hub };
        if hub == 0 {
            return Ok(ports);
        }
        if Port::MAX - hub < 20 {
            bail!("port {hub} is too high, because the agents use the ports after it; choose one below 65500");
        }
        let agents = (0..AGENTS).flat_map(|agent| [ports.webhook(agent), ports.metrics(agent)]);
        std::iter::once(ports.hub()).chain(agents).try_for_each(refuse_taken)?;
        Ok(ports)
    }

    pub(crate) fn hub(self) -> SocketAddr {
        local(self.hub)
    }

    pub(crate) fn webhook(self, agent: usize) -> SocketAddr {
        self.after(1 + agent)
    }

    pub(crate) fn metrics(self, agent: usize) -> SocketAddr {
        self.after(11 + agent)
    }

    fn after(self, offset: usize) -> SocketAddr {
        let offset = Port::try_from(offset).expect("offsets are below 20");
        local(if self.hub == 0 { 0 } else { self.hub + offset })
    }
}

fn local(port: Port) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn refuse_taken(address: SocketAddr) -> anyhow::Result<()> {
    let port = address.port();
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is in use by another program (perhaps another demo); stop that, or choose other ports, \
             e.g. --port 8520, or --port 0 for any that are free"
        ),
        Err(error) => bail!("could not listen on port {port}: {error}; choose another with --port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = refuse_taken(local(port)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {port} is in use")), "{error}");
        assert!(Ports::new(65_530).is_err());
    }

    #[test]
    fn zero_means_any_for_all() {
        let ports = Ports::new(0).unwrap();
        assert_eq!([ports.hub(), ports.webhook(2), ports.metrics(0)].map(|address| address.port()), [0, 0, 0]);
    }
}
