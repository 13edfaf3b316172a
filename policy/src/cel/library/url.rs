//! URLs: `url("https://example.com:8080/path?k=v")`, an absolute one or a path from the root.

use super::{Answer, Arguments, at, kind, opaque, text, text_at};
use crate::cel::environment::{function, method};
use crate::cel::equality::truth;
use crate::cel::fault::failed;
use cel::common::types::{CelList, CelMap, CelMapKey, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Url {
    scheme: String,
    /// With its port.
    host: String,
    path: String,
    query: String,
}

opaque!(Url, "kubernetes.URL", |one, other| one == other);

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    function(env, "url", vec![STRING_TYPE], |arguments| {
        let url = parse(text_at(&arguments, 0)?).ok_or_else(|| failed("url", "it is no absolute URL"))?;
        Ok(CowVal::owned(url))
    })?;
    function(env, "isURL", vec![STRING_TYPE], |arguments| Ok(truth(parse(text_at(&arguments, 0)?).is_some())))?;
    let own = kind::<Url>;
    method(env, "getScheme", own(), vec![], |arguments| Ok(text(&*it(&arguments)?.scheme)))?;
    method(env, "getHost", own(), vec![], |arguments| Ok(text(&*it(&arguments)?.host)))?;
    method(env, "getHostname", own(), vec![], |arguments| {
        Ok(text(split_port(&it(&arguments)?.host).0.trim_matches(['[', ']'])))
    })?;
    method(env, "getPort", own(), vec![], |arguments| Ok(text(split_port(&it(&arguments)?.host).1)))?;
    method(env, "getEscapedPath", own(), vec![], |arguments| Ok(text(escaped(&it(&arguments)?.path))))?;
    method(env, "getQuery", own(), vec![], |arguments| query(&it(&arguments)?.query))
}

fn it<'a>(arguments: &'a Arguments<'_, '_>) -> Result<&'a Url, ExecutionError> {
    at::<Url>(arguments, 0)
}

/// The URL; a fragment is no part of what is requested and not looked for.
pub(super) fn parse(whole: &str) -> Option<Url> {
    if whole.is_empty() || whole.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    let (scheme, rest) = match whole.find(':') {
        Some(at) if is_scheme(&whole[..at]) => (whole[..at].to_lowercase(), &whole[at + 1..]),
        _ if whole.starts_with('/') => (String::new(), whole),
        _ => return None,
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) if !scheme.is_empty() || !rest.starts_with("///") => {
            let end = after.find('/').unwrap_or(after.len());
            (&after[..end], &after[end..])
        }
        _ => ("", rest),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_whole = is_escaped_well(path) && is_host(host);
    is_whole.then(|| Url { scheme, host: host.to_owned(), path: path.to_owned(), query: query.to_owned() })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_host(host: &str) -> bool {
    let (name, port) = split_port(host);
    let is_v6 = name.starts_with('[');
    let is_name = match is_v6 {
        true => name.ends_with(']'),
        false => !name.bytes().any(|byte| b" <>\"\\^`{|}[]:#".contains(&byte)) && is_escaped_well(name),
    };
    is_name && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// The host without its port, and the port.
fn split_port(host: &str) -> (&str, &str) {
    let from = host.rfind(']').unwrap_or(0);
    match host[from..].rfind(':') {
        Some(at) => (&host[..from + at], &host[from + at + 1..]),
        None => (host, ""),
    }
}

fn is_escaped_well(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || (is_hex(at + 1) && is_hex(at + 2)))
}

fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte.into()),
            _ if b"-_.~$&+,/:;=@!'()*%[]".contains(&byte) => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The values of each key, in their order.
fn query<'b, 'v>(query: &str) -> Answer<'b, 'v> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(key), Some(value)) = (unescaped(key), unescaped(value)) {
            values.entry(key).or_default().push(value);
        }
    }
    let mut map: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> = HashMap::new();
    for (key, values) in values {
        let values = values.into_iter().map(|value| Box::new(CelString::from(value)) as Box<dyn Val + 'v>);
        let values: Vec<_> = values.collect();
        map.insert(CelMapKey::String(CelString::from(key)), Box::new(CelList::from(values)));
    }
    Ok(CowVal::owned(CelMap::from(map)))
}

fn unescaped(text: &str) -> Option<String> {
    if !is_escaped_well(text) {
        return None;
    }
    let (bytes, mut out, mut at) = (text.as_bytes(), vec![], 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'%' => {
                out.push(u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()?);
                at += 2;
            }
            b'+' => out.push(b' '),
            other => out.push(*other),
        }
        at += 1;
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
