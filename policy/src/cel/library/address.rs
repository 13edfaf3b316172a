//! IP addresses and networks: `ip("10.0.0.1")`, `cidr("10.0.0.0/8")`. Zones, and IPv4 written as IPv6, are refused.

use super::{Answer, Arguments, at, kind, opaque, text, text_at};
use crate::cel::environment::{function, method};
use crate::cel::equality::truth;
use crate::cel::fault::failed;
use cel::common::types::{CelInt, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq)]
struct Ip(IpAddr);

/// An address and the length of its network's prefix.
#[derive(Debug, Clone, PartialEq)]
struct Cidr(IpAddr, u8);

mod ip_kind {
    use super::Ip;
    super::opaque!(Ip, "net.IP", |one, other| one == other);
}
mod cidr_kind {
    use super::Cidr;
    super::opaque!(Cidr, "net.CIDR", |one, other| one == other);
}

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    function(env, "ip", vec![STRING_TYPE], |arguments| Ok(CowVal::owned(ip(text_at(&arguments, 0)?)?)))?;
    function(env, "isIP", vec![STRING_TYPE], |arguments| Ok(truth(ip(text_at(&arguments, 0)?).is_ok())))?;
    function(env, "ip.isCanonical", vec![STRING_TYPE], |arguments| {
        let text = text_at(&arguments, 0)?;
        Ok(truth(ip(text)?.0.to_string() == text))
    })?;
    function(env, "string", vec![kind::<Ip>()], |arguments| Ok(text(at::<Ip>(&arguments, 0)?.0.to_string())))?;
    method(env, "family", kind::<Ip>(), vec![], |arguments| {
        whole(if at::<Ip>(&arguments, 0)?.0.is_ipv4() { 4 } else { 6 })
    })?;
    let questions: [(&str, cel::common::functions::Function); 5] = [
        ("isUnspecified", |arguments| asked(&arguments, |ip| ip.is_unspecified())),
        ("isLoopback", |arguments| asked(&arguments, |ip| ip.is_loopback())),
        ("isLinkLocalMulticast", |arguments| asked(&arguments, is_link_local_multicast)),
        ("isLinkLocalUnicast", |arguments| asked(&arguments, is_link_local_unicast)),
        ("isGlobalUnicast", |arguments| asked(&arguments, is_global_unicast)),
    ];
    for (name, question) in questions {
        method(env, name, kind::<Ip>(), vec![], question)?;
    }
    networks(env)
}

fn networks(env: &mut Env) -> Result<(), DeclarationError> {
    function(env, "cidr", vec![STRING_TYPE], |arguments| Ok(CowVal::owned(cidr(text_at(&arguments, 0)?)?)))?;
    function(env, "isCIDR", vec![STRING_TYPE], |arguments| Ok(truth(cidr(text_at(&arguments, 0)?).is_ok())))?;
    let own = kind::<Cidr>;
    function(env, "string", vec![own()], |arguments| {
        let Cidr(address, length) = at::<Cidr>(&arguments, 0)?;
        Ok(text(format!("{address}/{length}")))
    })?;
    method(env, "ip", own(), vec![], |arguments| Ok(CowVal::owned(Ip(at::<Cidr>(&arguments, 0)?.0))))?;
    method(env, "prefixLength", own(), vec![], |arguments| whole(at::<Cidr>(&arguments, 0)?.1.into()))?;
    method(env, "masked", own(), vec![], |arguments| {
        let Cidr(address, length) = at::<Cidr>(&arguments, 0)?;
        Ok(CowVal::owned(Cidr(masked(*address, *length), *length)))
    })?;
    for other in [kind::<Ip>(), STRING_TYPE] {
        method(env, "containsIP", own(), vec![other], |arguments| {
            let inner = match at::<Ip>(&arguments, 1) {
                Ok(inner) => inner.clone(),
                Err(_) => ip(text_at(&arguments, 1)?)?,
            };
            Ok(truth(holds(at::<Cidr>(&arguments, 0)?, inner.0)))
        })?;
    }
    for other in [own(), STRING_TYPE] {
        method(env, "containsCIDR", own(), vec![other], |arguments| {
            let inner = match at::<Cidr>(&arguments, 1) {
                Ok(inner) => inner.clone(),
                Err(_) => cidr(text_at(&arguments, 1)?)?,
            };
            let outer = at::<Cidr>(&arguments, 0)?;
            Ok(truth(outer.1 <= inner.1 && holds(outer, inner.0)))
        })?;
    }
    Ok(())
}

fn whole<'b, 'v>(number: i64) -> Answer<'b, 'v> {
    Ok(CowVal::owned(CelInt::from(number)))
}

fn asked<'b, 'v>(arguments: &Arguments<'b, 'v>, question: fn(&IpAddr) -> bool) -> Answer<'b, 'v> {
    Ok(truth(question(&at::<Ip>(arguments, 0)?.0)))
}

fn ip(text: &str) -> Result<Ip, ExecutionError> {
    let address: Option<IpAddr> = text.parse().ok();
    address.filter(is_plain).map(Ip).ok_or_else(|| failed("ip", "it is no IP address"))
}

fn cidr(text: &str) -> Result<Cidr, ExecutionError> {
    let parts = text.split_once('/').and_then(|(address, length)| {
        let address: IpAddr = address.parse().ok().filter(is_plain)?;
        let is_number = length == "0" || (!length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit()));
        let length: u8 = length.parse().ok().filter(|_| is_number)?;
        (length <= bits(&address)).then_some(Cidr(address, length))
    });
    parts.ok_or_else(|| failed("cidr", "it is no network such as 10.0.0.0/8"))
}

fn is_plain(address: &IpAddr) -> bool {
    !matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

fn bits(address: &IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

fn holds(outer: &Cidr, address: IpAddr) -> bool {
    outer.0.is_ipv4() == address.is_ipv4() && masked(address, outer.1) == masked(outer.0, outer.1)
}

fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_global_unicast(address: &IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !is_broadcast
        && !address.is_unspecified()
        && !address.is_loopback()
        && !address.is_multicast()
        && !is_link_local_unicast(address)
}
