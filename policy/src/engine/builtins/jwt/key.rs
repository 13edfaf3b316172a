//! The keys that tokens are verified with: a certificate or a public key as PEM, or JSON Web Keys.

use super::super::answer::Fault;
use super::der::{self, Kind};
use super::{decoded, decoded_pem, member, secret_verifies, text_member};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self as schemes, ParsedPublicKey, RsaParameters, UnparsedPublicKey};
use regorus::Value;

/// The most keys of a set: each may be tried.
const MAX_KEYS: usize = 64;

/// A key, with what a set of keys says of it.
pub(super) struct Key {
    /// Empty when it has none.
    pub(super) id: String,
    /// Empty when it may be used with any.
    pub(super) algorithm: String,
    material: Material,
}

enum Material {
    /// The whole number and the exponent.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// As a certificate holds it.
    RsaDer(Vec<u8>),
    /// A point that is not compressed.
    Elliptic(Vec<u8>),
    Edwards(Vec<u8>),
    Secret(Vec<u8>),
}

impl Key {
    /// Whether it made this signature. A key of another kind than the algorithm's made none.
    pub(super) fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => rsa(algorithm).is_some_and(|scheme| {
                let key = PublicKeyComponents { n, e };
                key.verify(scheme, signed, signature).is_ok()
            }),
            Material::RsaDer(key) => rsa(algorithm)
                .is_some_and(|scheme| UnparsedPublicKey::new(scheme, key).verify(signed, signature).is_ok()),
            Material::Elliptic(key) => elliptic(algorithm).is_some_and(|scheme| {
                ParsedPublicKey::new(scheme, key).is_ok_and(|key| key.verify_sig(signed, signature).is_ok())
            }),
            Material::Edwards(key) => {
                algorithm == "EdDSA" && UnparsedPublicKey::new(&schemes::ED25519, key).verify(signed, signature).is_ok()
            }
            Material::Secret(key) => {
                secret(algorithm).is_some_and(|algorithm| secret_verifies(key, algorithm, signed, signature))
            }
        }
    }

    pub(super) fn secret(text: &str) -> Self {
        Self { id: String::new(), algorithm: String::new(), material: Material::Secret(text.into()) }
    }
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &schemes::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        "RS384" => &schemes::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &schemes::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        "PS256" => &schemes::RSA_PSS_2048_8192_SHA256,
        "PS384" => &schemes::RSA_PSS_2048_8192_SHA384,
        "PS512" => &schemes::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn elliptic(algorithm: &str) -> Option<&'static schemes::EcdsaVerificationAlgorithm> {
    Some(match algorithm {
        "ES256" => &schemes::ECDSA_P256_SHA256_FIXED,
        "ES384" => &schemes::ECDSA_P384_SHA384_FIXED,
        "ES512" => &schemes::ECDSA_P521_SHA512_FIXED,
        _ => return None,
    })
}

fn secret(algorithm: &str) -> Option<hmac::Algorithm> {
    Some(match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return None,
    })
}

/// All keys of a text.
pub(super) fn read(text: &str) -> Result<Vec<Key>, Fault> {
    match text.find("-----BEGIN ") {
        Some(start) => pem(&text[start..]).map(|key| vec![key]),
        None => web_keys(text),
    }
}

/// One block, and nothing after it.
fn pem(text: &str) -> Result<Key, Fault> {
    let rest = text.strip_prefix("-----BEGIN ").ok_or(Fault::Undefined)?;
    let (label, rest) = rest.split_once("-----").ok_or(Fault::Undefined)?;
    let (body, after) = rest.split_once(&format!("-----END {label}-----")).ok_or(Fault::Undefined)?;
    if !after.trim_start_matches([' ', '\t', '\r']).trim_start_matches('\n').is_empty() {
        return Err(Fault::Undefined);
    }
    let bytes = decoded_pem(body)?;
    let info = match label {
        "CERTIFICATE" => der::key_of_certificate(&bytes),
        "PUBLIC KEY" => Some(&bytes[..]),
        _ => None,
    };
    let (kind, key) = info.and_then(der::public_key).ok_or(Fault::Undefined)?;
    let material = match kind {
        Kind::Rsa => Material::RsaDer(key.into()),
        Kind::Elliptic => Material::Elliptic(key.into()),
        Kind::Edwards => Material::Edwards(key.into()),
    };
    Ok(Key { id: String::new(), algorithm: String::new(), material })
}

/// A key, or `{"keys": [...]}`.
fn web_keys(text: &str) -> Result<Vec<Key>, Fault> {
    let json = super::object(text)?;
    let keys = match member(&json, "keys") {
        Some(Value::Array(keys)) if keys.len() > MAX_KEYS => {
            return Err(Fault::Refused(format!("{} keys, more than {MAX_KEYS}", keys.len())));
        }
        Some(Value::Array(keys)) => keys.iter().map(web_key).collect::<Result<Vec<_>, _>>()?,
        Some(_) => return Err(Fault::Undefined),
        None => vec![web_key(&json)?],
    };
    Ok(keys.into_iter().filter(|key| key.algorithm.is_empty() || is_known(&key.algorithm)).collect())
}

fn is_known(algorithm: &str) -> bool {
    algorithm == "EdDSA" || rsa(algorithm).is_some() || elliptic(algorithm).is_some() || secret(algorithm).is_some()
}

fn web_key(json: &Value) -> Result<Key, Fault> {
    let bytes = |name: &str| text_member(json, name)?.ok_or(Fault::Undefined).and_then(decoded);
    let material = match text_member(json, "kty")? {
        Some("RSA") => Material::Rsa { n: bytes("n")?, e: bytes("e")? },
        Some("EC") => Material::Elliptic([vec![4], bytes("x")?, bytes("y")?].concat()),
        Some("OKP") => Material::Edwards(bytes("x")?),
        Some("oct") => Material::Secret(bytes("k")?),
        _ => return Err(Fault::Undefined),
    };
    let named = |name: &str| text_member(json, name).map(|text| text.unwrap_or_default().to_owned());
    Ok(Key { id: named("kid")?, algorithm: named("alg")?, material })
}
