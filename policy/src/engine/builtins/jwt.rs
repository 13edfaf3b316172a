//! `io.jwt.*`: reading tokens and verifying what signed them. Nothing is signed here: a policy holds no secrets.

mod constraints;
mod der;
mod key;

use super::answer::{Fault, hex, text};
use super::{Answer, Own};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use key::Key;
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "io.jwt.decode", arity: 1, call: decode },
    Own { name: "io.jwt.decode_verify", arity: 2, call: constraints::decode_verify },
    Own { name: "io.jwt.verify_eddsa", arity: 2, call: |given| verify(given, "EdDSA") },
    Own { name: "io.jwt.verify_es256", arity: 2, call: |given| verify(given, "ES256") },
    Own { name: "io.jwt.verify_es384", arity: 2, call: |given| verify(given, "ES384") },
    Own { name: "io.jwt.verify_es512", arity: 2, call: |given| verify(given, "ES512") },
    Own { name: "io.jwt.verify_hs256", arity: 2, call: |given| verify_secret(given, hmac::HMAC_SHA256) },
    Own { name: "io.jwt.verify_hs384", arity: 2, call: |given| verify_secret(given, hmac::HMAC_SHA384) },
    Own { name: "io.jwt.verify_hs512", arity: 2, call: |given| verify_secret(given, hmac::HMAC_SHA512) },
    Own { name: "io.jwt.verify_ps256", arity: 2, call: |given| verify(given, "PS256") },
    Own { name: "io.jwt.verify_ps384", arity: 2, call: |given| verify(given, "PS384") },
    Own { name: "io.jwt.verify_ps512", arity: 2, call: |given| verify(given, "PS512") },
    Own { name: "io.jwt.verify_rs256", arity: 2, call: |given| verify(given, "RS256") },
    Own { name: "io.jwt.verify_rs384", arity: 2, call: |given| verify(given, "RS384") },
    Own { name: "io.jwt.verify_rs512", arity: 2, call: |given| verify(given, "RS512") },
];

/// How often a token may be wrapped in another.
const MAX_NESTING: usize = 8;

/// Tokens and keys come with and without padding, as OPA takes both.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The three parts of a token as they are written.
struct Token<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Token<'t> {
    fn read(text: &'t str) -> Result<Self, Fault> {
        let mut parts = text.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(payload), Some(signature), None) => Ok(Self { header, payload, signature }),
            _ => Err(Fault::Undefined),
        }
    }

    fn signed(&self) -> String {
        format!("{}.{}", self.header, self.payload)
    }

    fn signature(&self) -> Result<Vec<u8>, Fault> {
        decoded(self.signature)
    }

    /// The header; that of an encrypted token is an error.
    fn header(&self) -> Result<Value, Fault> {
        let header = object(&decoded_text(self.header)?)?;
        if member(&header, "enc").is_some() { Err(Fault::Undefined) } else { Ok(header) }
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE.decode(text).map_err(|_| Fault::Undefined)
}

fn decoded_text(text: &str) -> Result<String, Fault> {
    String::from_utf8(decoded(text)?).map_err(|_| Fault::Undefined)
}

fn object(json: &str) -> Result<Value, Fault> {
    match Value::from_json_str(json) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Fault::Undefined),
    }
}

/// The member of an object.
fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object().ok()?.get(&Value::from(name))
}

/// The text member of an object; nothing when it is absent, undefined when it is something else.
fn text_member<'v>(object: &'v Value, name: &str) -> Result<Option<&'v str>, Fault> {
    match member(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::Undefined),
    }
}

fn decode(arguments: &[Value]) -> Answer {
    let mut whole = text(arguments, 0)?.to_owned();
    for _ in 0..MAX_NESTING {
        let token = Token::read(&whole)?;
        let header = token.header()?;
        let payload = decoded_text(token.payload)?;
        if text_member(&header, "cty")? != Some("JWT") {
            let signature = Value::from(hex(&token.signature()?));
            return Ok(Value::from(vec![header, object(&payload)?, signature]));
        }
        whole = payload.trim_matches(['"', '\'']).to_owned();
    }
    Err(Fault::Refused(format!("a token within more than {MAX_NESTING} others")))
}

fn verify(arguments: &[Value], algorithm: &str) -> Answer {
    let token = Token::read(text(arguments, 0)?)?;
    let keys = key::read(text(arguments, 1)?)?;
    let signature = token.signature()?;
    let header = token.header()?;
    let (id, named) = (text_member(&header, "kid")?, text_member(&header, "alg")?);
    let signed = token.signed();
    let verified = |key: &Key| key.verifies(algorithm, signed.as_bytes(), &signature);
    Ok(Value::from(any_verifies(&keys, id, named.unwrap_or_default(), verified)))
}

/// The key that the token names, or any that may have signed it.
fn any_verifies(keys: &[Key], id: Option<&str>, algorithm: &str, verified: impl Fn(&Key) -> bool) -> bool {
    let named = id.filter(|id| !id.is_empty()).and_then(|id| keys.iter().find(|key| key.id == id));
    match named {
        Some(key) => verified(key),
        None => keys.iter().any(|key| (key.algorithm.is_empty() || key.algorithm == algorithm) && verified(key)),
    }
}

fn verify_secret(arguments: &[Value], algorithm: hmac::Algorithm) -> Answer {
    let token = Token::read(text(arguments, 0)?)?;
    let secret = text(arguments, 1)?;
    let signature = token.signature()?;
    Ok(Value::from(secret_verifies(secret.as_bytes(), algorithm, token.signed().as_bytes(), &signature)))
}

fn secret_verifies(secret: &[u8], algorithm: hmac::Algorithm, signed: &[u8], signature: &[u8]) -> bool {
    let expected = hmac::sign(&hmac::Key::new(algorithm, secret), signed);
    constant_time::verify_slices_are_equal(expected.as_ref(), signature).is_ok()
}

/// Text between the lines of a PEM block, decoded.
fn decoded_pem(body: &str) -> Result<Vec<u8>, Fault> {
    let packed: String = body.split_ascii_whitespace().collect();
    general_purpose::STANDARD.decode(packed).map_err(|_| Fault::Undefined)
}
