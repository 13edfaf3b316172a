//! Signed statements: Ed25519 over the exact bytes that travel. The agent trusts these, not the connection.

use crate::Digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;
use std::str::FromStr;

/// A payload and its signature. The payload is kept as the bytes that were signed, never re-serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Which key signed: the fingerprint of its public half.
    pub key: String,
    /// The statement as JSON text.
    pub payload: String,
    /// Ed25519 over `context || 0x00 || payload`, base64.
    pub signature: String,
}

/// Why a statement was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SignatureError {
    #[error("signed by key {actual}, only {expected} is trusted")]
    UnknownKey { expected: String, actual: String },
    #[error("the signature does not match the {statement}")]
    Mismatch { statement: &'static str },
    #[error("the {statement} is signed but is not a {statement}: {reason}")]
    Malformed { statement: &'static str, reason: String },
    #[error("not an Ed25519 public key in base64")]
    Key,
}

/// What is signed. The context keeps a signature for one kind of statement from passing as another.
pub trait Statement: Serialize + DeserializeOwned {
    /// What it is called in errors and in the signature's context, e.g. `assignment`.
    const NAME: &'static str;
}

/// The private half, PKCS#8. Shown as `***`.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

impl SigningKey {
    /// A new key and its PKCS#8 bytes, for the caller to keep.
    pub fn generate() -> (Self, Vec<u8>) {
        let key = Ed25519KeyPair::generate().expect("the system's random source works");
        let pkcs8 = key.to_pkcs8().expect("a generated key has a PKCS#8 form").as_ref().to_vec();
        (Self(key), pkcs8)
    }

    /// The key kept in these PKCS#8 bytes.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SignatureError> {
        Ed25519KeyPair::from_pkcs8(pkcs8).map(Self).map_err(|_| SignatureError::Key)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes"))
    }

    /// The statement, signed.
    pub fn sign<S: Statement>(&self, statement: &S) -> Signed {
        let payload = serde_json::to_string(statement).expect("statements have only string keys");
        let signature = self.0.sign(&message::<S>(&payload));
        Signed { key: self.public().fingerprint(), signature: BASE64.encode(signature.as_ref()), payload }
    }
}

/// The public half, 32 bytes; base64 as text.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The first 16 hex digits of the key's SHA-256: short enough for a token, long enough to compare.
    pub fn fingerprint(&self) -> String {
        Digest::of(self.0).to_string()[..16].to_owned()
    }

    /// The statement, if this key signed exactly these bytes as this kind of statement.
    pub fn verify<S: Statement>(&self, signed: &Signed) -> Result<S, SignatureError> {
        if signed.key != self.fingerprint() {
            let actual = signed.key.chars().take(32).collect();
            return Err(SignatureError::UnknownKey { expected: self.fingerprint(), actual });
        }
        let mismatch = SignatureError::Mismatch { statement: S::NAME };
        let signature = BASE64.decode(&signed.signature).map_err(|_| mismatch.clone())?;
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(&message::<S>(&signed.payload), &signature)
            .map_err(|_| mismatch)?;
        serde_json::from_str(&signed.payload)
            .map_err(|error| SignatureError::Malformed { statement: S::NAME, reason: error.to_string() })
    }
}

impl Signed {
    /// The digest of the payload: the identity of the statement.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }
}

fn message<S: Statement>(payload: &str) -> Vec<u8> {
    let context = format!("writ.dev/v1 {}", S::NAME);
    [context.as_bytes(), &[0], payload.as_bytes()].concat()
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = SignatureError;
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let bytes = BASE64.decode(text.trim()).map_err(|_| SignatureError::Key)?;
        bytes.try_into().map(Self).map_err(|_| SignatureError::Key)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = SignatureError;
    fn try_from(text: String) -> Result<Self, SignatureError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order(u32);
    impl Statement for Order {
        const NAME: &'static str = "order";
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Receipt(u32);
    impl Statement for Receipt {
        const NAME: &'static str = "receipt";
    }

    #[test]
    fn signed_statement_verifies_and_a_changed_one_does_not() {
        let (key, pkcs8) = SigningKey::generate();
        let signed = SigningKey::from_pkcs8(&pkcs8).unwrap().sign(&Order(7));
        assert_eq!(key.public().verify::<Order>(&signed), Ok(Order(7)));
        let tampered = Signed { payload: "8".into(), ..signed.clone() };
        assert_eq!(key.public().verify::<Order>(&tampered), Err(SignatureError::Mismatch { statement: "order" }));
        assert!(key.public().verify::<Receipt>(&signed).is_err(), "a signature is for one kind of statement");
    }

    #[test]
    fn another_key_is_not_trusted() {
        let signed = SigningKey::generate().0.sign(&Order(7));
        let error = SigningKey::generate().0.public().verify::<Order>(&signed).unwrap_err();
        assert!(matches!(error, SignatureError::UnknownKey { .. }));
    }

    #[test]
    fn private_key_is_never_shown() {
        assert_eq!(format!("{:?}", SigningKey::generate().0), "SigningKey(***)");
    }
}
