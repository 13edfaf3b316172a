//! `io.jwt.decode_verify`: a token, who signed it, and what it must say.

use super::super::answer::{Fault, text};
use super::super::{Answer, clock};
use super::key::{self, Key};
use super::{MAX_NESTING, Token, any_verifies, decoded_text, member, object, text_member};
use regorus::Value;

/// What the second argument asks for.
struct Constraints {
    keys: Vec<Key>,
    algorithm: Option<String>,
    issuer: Option<String>,
    audience: String,
    /// Nanoseconds.
    now: f64,
}

/// `[valid, header, payload]`; both objects are empty when it is not valid.
pub(super) fn decode_verify(arguments: &[Value]) -> Answer {
    let constraints = Constraints::read(&arguments[1])?;
    let verified = match constraints.verified(text(arguments, 0)?)? {
        Some((header, payload)) if constraints.are_met(&payload)? => vec![Value::from(true), header, payload],
        _ => vec![Value::from(false), Value::new_object(), Value::new_object()],
    };
    Ok(Value::from(verified))
}

impl Constraints {
    fn read(given: &Value) -> Result<Self, Fault> {
        let known = ["cert", "secret", "alg", "iss", "aud", "time"];
        let names = given.as_object().map_err(|_| Fault::Undefined)?.iter().map(|(name, _)| name);
        if names.into_iter().any(|name| !known.iter().any(|known| *name == Value::from(*known))) {
            return Err(Fault::Undefined);
        }
        let named = |name: &str| text_member(given, name).map(|text| text.map(str::to_owned));
        let keys = match (text_member(given, "cert")?, text_member(given, "secret")?.filter(|text| !text.is_empty())) {
            (Some(keys), None) => key::read(keys)?,
            (None, Some(secret)) => vec![Key::secret(secret)],
            _ => return Err(Fault::Undefined),
        };
        let now = match member(given, "time") {
            Some(time) => float(time).filter(|time| *time >= 0.0).ok_or(Fault::Undefined)?,
            None => clock::nanoseconds()? as f64,
        };
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let audience = named("aud")?.unwrap_or_default();
        Ok(Self { keys, algorithm: some(named("alg")?), issuer: some(named("iss")?), audience, now })
    }

    /// Header and payload of the innermost token, when each was signed by one of the keys.
    fn verified(&self, text: &str) -> Result<Option<(Value, Value)>, Fault> {
        let mut whole = text.to_owned();
        for _ in 0..MAX_NESTING {
            let token = Token::read(&whole)?;
            let header = token.header()?;
            if !self.is_signed(&token, &header)? {
                return Ok(None);
            }
            let payload = decoded_text(token.payload)?;
            if !text_member(&header, "cty")?.is_some_and(|kind| kind.eq_ignore_ascii_case("JWT")) {
                return Ok(Some((header, object(&payload)?)));
            }
            whole = payload;
        }
        Err(Fault::Refused(format!("a token within more than {MAX_NESTING} others")))
    }

    fn is_signed(&self, token: &Token<'_>, header: &Value) -> Result<bool, Fault> {
        let algorithm = text_member(header, "alg")?.unwrap_or_default();
        let (id, _) = (text_member(header, "kid")?, text_member(header, "typ")?);
        let wanted = self.algorithm.as_deref().is_none_or(|wanted| wanted == algorithm);
        if algorithm.is_empty() || has_unknown_critical(header)? || !wanted {
            return Ok(false);
        }
        let (signature, signed) = (token.signature()?, token.signed());
        let verified = |key: &Key| key.verifies(algorithm, signed.as_bytes(), &signature);
        Ok(any_verifies(&self.keys, id, algorithm, verified))
    }

    fn are_met(&self, payload: &Value) -> Result<bool, Fault> {
        if let Some(issuer) = &self.issuer
            && text_member(payload, "iss")? != Some(issuer)
        {
            return Ok(false);
        }
        let audience = match member(payload, "aud") {
            Some(Value::Array(items)) => items.iter().any(|item| *item == Value::from(self.audience.as_str())),
            Some(one) => *one == Value::from(self.audience.as_str()),
            None => self.audience.is_empty(),
        };
        let now = Value::from(self.now / 1e9);
        let expired = moment(payload, "exp")?.is_some_and(|expires| now >= *expires);
        let too_early = moment(payload, "nbf")?.is_some_and(|begins| now < *begins);
        Ok(audience && !expired && !too_early)
    }
}

/// The nearest fraction, also of whole numbers that no fraction is.
fn float(value: &Value) -> Option<f64> {
    let number = value.as_number().ok()?;
    number.as_i64().map(|whole| whole as f64).or_else(|| number.as_f64())
}

fn moment<'v>(payload: &'v Value, name: &str) -> Result<Option<&'v Value>, Fault> {
    match member(payload, name) {
        Some(Value::Number(_)) | None => Ok(member(payload, name)),
        Some(_) => Err(Fault::Undefined),
    }
}

/// Whether the header names a member that must be understood and is not.
fn has_unknown_critical(header: &Value) -> Result<bool, Fault> {
    let critical = match member(header, "crit") {
        None => return Ok(false),
        Some(Value::Array(names)) if !names.is_empty() => names,
        Some(_) => return Err(Fault::Undefined),
    };
    let known = ["alg", "kid", "typ", "cty", "crit"];
    let is_known = |name: &Value| known.iter().any(|known| *name == Value::from(*known));
    Ok(critical
        .iter()
        .any(|name| !is_known(name) && member(header, name.as_string().map_or("", |name| name)).is_some()))
}
