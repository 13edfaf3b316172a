//! Networks in CIDR notation, where the engine lacks what OPA has.

use super::answer::{Fault, MAX_ITEMS, text, texts, within};
use super::{Answer, Own};
use regorus::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "net.cidr_contains", arity: 2, call: contains },
    Own { name: "net.cidr_expand", arity: 1, call: expand },
    Own { name: "net.cidr_is_valid", arity: 1, call: is_valid },
    Own { name: "net.cidr_intersects", arity: 2, call: intersects },
    Own { name: "net.cidr_merge", arity: 1, call: merge },
    Own { name: "net.cidr_contains_matches", arity: 2, call: contains_matches },
];

/// The first and the last address, as numbers of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    is_v6: bool,
    first: u128,
    last: u128,
}

/// Whether a network holds another, or an address.
pub(super) fn contains(arguments: &[Value]) -> Answer {
    let (outer, inner) = (network(text(arguments, 0)?)?, network_or_address(text(arguments, 1)?)?);
    Ok(Value::from(outer.holds(inner)))
}

/// Every address of a network, as OPA does it: of few.
fn expand(arguments: &[Value]) -> Answer {
    let network = network(text(arguments, 0)?)?;
    let size = (network.last - network.first).saturating_add(1);
    within(usize::try_from(size).unwrap_or(usize::MAX), MAX_ITEMS, "addresses")?;
    let addresses = (network.first..=network.last).map(|number| Value::from(network.address(number).to_string()));
    Ok(Value::from(addresses.collect::<BTreeSet<_>>()))
}

fn is_valid(arguments: &[Value]) -> Answer {
    Ok(Value::from(text(arguments, 0).and_then(network).is_ok()))
}

fn intersects(arguments: &[Value]) -> Answer {
    let (left, right) = (network(text(arguments, 0)?)?, network(text(arguments, 1)?)?);
    Ok(Value::from(left.is_v6 == right.is_v6 && left.first <= right.last && right.first <= left.last))
}

fn merge(arguments: &[Value]) -> Answer {
    let mut networks = texts(arguments, 0)?.into_iter().map(network_or_class).collect::<Result<Vec<_>, _>>()?;
    networks.sort();
    let mut merged: Vec<Network> = vec![];
    for network in networks {
        match merged.last_mut() {
            Some(last) if last.is_v6 == network.is_v6 && network.first <= last.last.saturating_add(1) => {
                last.last = last.last.max(network.last);
            }
            _ => merged.push(network),
        }
    }
    Ok(Value::from(merged.into_iter().flat_map(Network::blocks).map(Value::from).collect::<BTreeSet<_>>()))
}

/// Pairs of the keys under which a network and what it holds stand.
fn contains_matches(arguments: &[Value]) -> Answer {
    let (outer, inner) = (keyed(&arguments[0])?, keyed(&arguments[1])?);
    let mut pairs = BTreeSet::new();
    for (outer_key, outer) in &outer {
        for (inner_key, inner) in &inner {
            if network(outer)?.holds(network_or_address(inner)?) {
                pairs.insert(Value::from(vec![outer_key.clone(), inner_key.clone()]));
            }
        }
    }
    Ok(Value::from(pairs))
}

/// A text, an array, a set or an object of texts (or of arrays that begin with one), with their keys.
fn keyed(value: &Value) -> Result<Vec<(Value, String)>, Fault> {
    let network_of = |item: &Value| match item {
        Value::String(text) => Ok(text.to_string()),
        Value::Array(items) => {
            items.first().and_then(|item| item.as_string().ok()).map(ToString::to_string).ok_or(Fault::Undefined)
        }
        _ => Err(Fault::Undefined),
    };
    match value {
        Value::String(_) => Ok(vec![(value.clone(), network_of(value)?)]),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| Ok((Value::from(at as u64), network_of(item)?))).collect()
        }
        Value::Set(items) => items.iter().map(|item| Ok((item.clone(), network_of(item)?))).collect(),
        Value::Object(fields) => fields.iter().map(|(key, item)| Ok((key.clone(), network_of(item)?))).collect(),
        _ => Err(Fault::Undefined),
    }
}

fn network_or_address(text: &str) -> Result<Network, Fault> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Network::around(address, bits(address))),
        Err(_) => network(text),
    }
}

/// As OPA merges: an IPv4 address without a prefix stands for the network of its class.
fn network_or_class(text: &str) -> Result<Network, Fault> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let prefix = match address.octets()[0] {
                0..=127 => 8,
                128..=191 => 16,
                192..=223 => 24,
                _ => return Err(Fault::Undefined),
            };
            Ok(Network::around(address.into(), prefix))
        }
        Ok(IpAddr::V6(_)) => Err(Fault::Undefined),
        Err(_) => network(text),
    }
}

fn network(text: &str) -> Result<Network, Fault> {
    let (address, prefix) = text.split_once('/').ok_or(Fault::Undefined)?;
    let address: IpAddr = address.parse().map_err(|_| Fault::Undefined)?;
    let prefix: u32 = prefix.parse().map_err(|_| Fault::Undefined)?;
    if prefix > bits(address) {
        return Err(Fault::Undefined);
    }
    Ok(Network::around(address, prefix))
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Network {
    fn around(address: IpAddr, prefix: u32) -> Self {
        let (is_v6, number) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address))),
            IpAddr::V6(address) => (true, u128::from(address)),
        };
        let free = (bits(address) - prefix).min(128);
        let hosts = u128::MAX.checked_shr(128 - free).unwrap_or(0);
        Self { is_v6, first: number & !hosts, last: number | hosts }
    }

    fn holds(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.first && other.last <= self.last
    }

    /// The fewest blocks that make up the range.
    fn blocks(self) -> Vec<String> {
        let width = if self.is_v6 { 128 } else { 32 };
        let mut blocks = vec![];
        let mut first = self.first;
        loop {
            let mut free = first.trailing_zeros().min(width);
            while free > 0
                && u128::MAX
                    .checked_shr(128 - free)
                    .is_some_and(|hosts| first.checked_add(hosts).is_none_or(|last| last > self.last))
            {
                free -= 1;
            }
            let last = first | u128::MAX.checked_shr(128 - free).unwrap_or(0);
            blocks.push(format!("{}/{}", self.address(first), width - free));
            match last.checked_add(1) {
                Some(next) if last < self.last => first = next,
                _ => return blocks,
            }
        }
    }

    fn address(self, number: u128) -> IpAddr {
        if self.is_v6 {
            IpAddr::V6(number.into())
        } else {
            IpAddr::V4(u32::try_from(number).expect("an IPv4 network stays within 32 bits").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_merge_into_the_fewest_blocks() {
        let given = Value::from_json_str(r#"["192.0.128.0/24", "192.0.129.1", "10.0.0.1", "::/0"]"#).unwrap();
        let merged = merge(&[given]).unwrap();
        assert_eq!(merged.to_string(), r#"["10.0.0.0/8","192.0.128.0/23","::/0"]"#);
    }

    #[test]
    fn families_never_hold_each_other() {
        let holds = |a: &str, b: &str| contains(&[Value::from(a), Value::from(b)]);
        assert_eq!(holds("0.0.0.0/0", "::1"), Ok(Value::from(false)));
        assert_eq!(holds("10.0.0.0/8", "10.1.2.3"), Ok(Value::from(true)));
        assert_eq!(holds("10.0.0.0/33", "10.1.2.3"), Err(Fault::Undefined));
    }
}
