//! How a hub's key changes without anybody enrolling anew: the key before announces the next one. Whoever trusts one key
//! of the chain comes to trust those that follow it, and none that does not.

use crate::sign::{PublicKey, SignatureError, Signed, Statement};
use serde::{Deserialize, Serialize};

/// The most announcements that are read: a key a month for ten years.
pub const MAX_CHAIN: usize = 128;

/// Signed by `from`: from now on the hub signs with `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// The key that announces.
    pub from: PublicKey,
    /// The key that it announces.
    pub to: PublicKey,
    /// When it was signed, Unix milliseconds.
    pub at: i64,
}

impl Statement for Succession {
    const NAME: &'static str = "succession";
}

/// Why a chain leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SuccessionError {
    #[error("the key {0} announced no other one")]
    Unannounced(String),
    #[error("the announcement of the key that follows {key} is not to be believed: {reason}")]
    Announcement { key: String, reason: SignatureError },
    #[error("the key {0} is announced by one that follows it")]
    Circle(String),
    #[error("there are more than {MAX_CHAIN} announcements")]
    TooLong,
}

/// The keys from the one with this fingerprint to the newest, each announced by the one before. `chain` is in the order
/// of its making; what other keys announced is passed over.
pub fn follow(chain: &[Signed], trusted: &str) -> Result<Vec<PublicKey>, SuccessionError> {
    if chain.len() > MAX_CHAIN {
        return Err(SuccessionError::TooLong);
    }
    let mut keys: Vec<PublicKey> = vec![];
    let mut newest = trusted.to_owned();
    for signed in chain {
        if signed.key != newest {
            continue;
        }
        let next = announced(signed)?;
        if keys.is_empty() {
            keys.push(next.from);
        }
        if keys.contains(&next.to) {
            return Err(SuccessionError::Circle(next.to.fingerprint()));
        }
        newest = next.to.fingerprint();
        keys.push(next.to);
    }
    match keys.is_empty() {
        true => Err(SuccessionError::Unannounced(newest)),
        false => Ok(keys),
    }
}

/// What the key of this fingerprint announced, if its own signature says so.
fn announced(signed: &Signed) -> Result<Succession, SuccessionError> {
    let doubt = |reason| SuccessionError::Announcement { key: signed.key.clone(), reason };
    let malformed =
        |error: serde_json::Error| SignatureError::Malformed { statement: Succession::NAME, reason: error.to_string() };
    // Read before it is verified only to learn which key the fingerprint is of; that key has to have the fingerprint.
    let claimed: Succession = serde_json::from_str(&signed.payload).map_err(malformed).map_err(doubt)?;
    claimed.from.verify(signed).map_err(doubt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;

    fn key() -> SigningKey {
        SigningKey::generate().0
    }

    fn announce(from: &SigningKey, to: &SigningKey) -> Signed {
        from.sign(&Succession { from: from.public(), to: to.public(), at: 1 })
    }

    fn follow_from(chain: &[Signed], trusted: &SigningKey) -> Result<Vec<PublicKey>, SuccessionError> {
        follow(chain, &trusted.public().fingerprint())
    }

    #[test]
    fn whoever_trusts_one_key_of_the_chain_trusts_what_follows_it() {
        let [a, b, c] = [key(), key(), key()];
        let chain = [announce(&a, &b), announce(&b, &c)];
        assert_eq!(follow_from(&chain, &a), Ok(vec![a.public(), b.public(), c.public()]));
        assert_eq!(follow_from(&chain, &b), Ok(vec![b.public(), c.public()]));
        let is_last = follow_from(&chain, &c).unwrap_err();
        assert_eq!(is_last, SuccessionError::Unannounced(c.public().fingerprint()));
        assert!(follow_from(&[], &a).is_err());
    }

    #[test]
    fn key_that_announces_itself_is_not_believed() {
        let [a, b, thief] = [key(), key(), key()];
        let own = thief.sign(&Succession { from: a.public(), to: thief.public(), at: 1 });
        assert!(matches!(follow_from(std::slice::from_ref(&own), &a), Err(SuccessionError::Unannounced(_))));
        let renamed = Signed { key: a.public().fingerprint(), ..own };
        assert!(matches!(follow_from(&[renamed], &a), Err(SuccessionError::Announcement { .. })));
        let foreign = Succession { from: thief.public(), to: thief.public(), at: 1 };
        let renamed = Signed { key: a.public().fingerprint(), ..thief.sign(&foreign) };
        assert!(matches!(follow_from(&[renamed], &a), Err(SuccessionError::Announcement { .. })));
        let mut tampered = announce(&a, &b);
        tampered.payload = tampered.payload.replace(&b.public().to_string(), &thief.public().to_string());
        assert!(matches!(follow_from(&[tampered], &a), Err(SuccessionError::Announcement { .. })));
        let nonsense = Signed { payload: "{}".into(), ..announce(&a, &b) };
        assert!(matches!(follow_from(&[nonsense], &a), Err(SuccessionError::Announcement { .. })));
    }

    #[test]
    fn chain_neither_turns_nor_goes_on_forever() {
        let [a, b] = [key(), key()];
        let circle = [announce(&a, &b), announce(&b, &a)];
        assert_eq!(follow_from(&circle, &a), Err(SuccessionError::Circle(a.public().fingerprint())));
        let itself = [announce(&a, &a)];
        assert!(matches!(follow_from(&itself, &a), Err(SuccessionError::Circle(_))));
        let long = vec![announce(&a, &b); MAX_CHAIN + 1];
        assert_eq!(follow_from(&long, &a), Err(SuccessionError::TooLong));
    }
}
