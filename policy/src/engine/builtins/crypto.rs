//! `crypto.*`: digests and keyed digests, as hexadecimal text. Policies compare with what other tools wrote down, so the
//! weak ones are here too. Certificates and private keys are refused by name: see `refused`.

mod md5;

use super::answer::text;
use super::{Answer, Own};
use aws_lc_rs::digest::{self, Algorithm};
use aws_lc_rs::hmac;
use regorus::Value;

pub(super) const BUILTINS: &[Own] = &[
    Own { name: "crypto.hmac.equal", arity: 2, call: equal },
    Own { name: "crypto.hmac.md5", arity: 2, call: |given| keyed(given, |key, text| md5::keyed(key, text).to_vec()) },
    Own {
        name: "crypto.hmac.sha1",
        arity: 2,
        call: |given| keyed(given, keyed_by(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)),
    },
    Own { name: "crypto.hmac.sha256", arity: 2, call: |given| keyed(given, keyed_by(hmac::HMAC_SHA256)) },
    Own { name: "crypto.hmac.sha512", arity: 2, call: |given| keyed(given, keyed_by(hmac::HMAC_SHA512)) },
    Own { name: "crypto.md5", arity: 1, call: |given| Ok(hex(&md5::digest(text(given, 0)?.as_bytes()))) },
    Own { name: "crypto.sha1", arity: 1, call: |given| digest(given, &digest::SHA1_FOR_LEGACY_USE_ONLY) },
    Own { name: "crypto.sha256", arity: 1, call: |given| digest(given, &digest::SHA256) },
];

fn digest(arguments: &[Value], algorithm: &'static Algorithm) -> Answer {
    Ok(hex(digest::digest(algorithm, text(arguments, 0)?.as_bytes()).as_ref()))
}

/// The text is the first argument, the key the second.
fn keyed(arguments: &[Value], digest: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Answer {
    let (text, key) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(hex(&digest(key.as_bytes(), text.as_bytes())))
}

fn keyed_by(algorithm: hmac::Algorithm) -> impl Fn(&[u8], &[u8]) -> Vec<u8> {
    move |key, text| hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
}

/// The time that it takes tells nothing of where two texts differ.
fn equal(arguments: &[Value]) -> Answer {
    let (left, right) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(Value::from(aws_lc_rs::constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()))
}

fn hex(bytes: &[u8]) -> Value {
    Value::from(super::answer::hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::answer::Fault;
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let call = |name: &str, given: &[&str]| {
            let own = BUILTINS.iter().find(|own| own.name == name).unwrap();
            let given: Vec<_> = given.iter().map(|text| Value::from(*text)).collect();
            (own.call)(&given).unwrap().as_string().unwrap().to_string()
        };
        assert_eq!(call("crypto.md5", &[""]), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(call("crypto.md5", &["message digest"]), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(call("crypto.md5", &[&"1234567890".repeat(8)]), "57edf4a22be3c955ac49da2e2107b67a");
        assert_eq!(call("crypto.sha1", &["abc"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(call("crypto.sha256", &["abc"]).starts_with("ba7816bf8f01cfea"));
        assert_eq!(
            call("crypto.hmac.md5", &["what do ya want for nothing?", "Jefe"]),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(call("crypto.hmac.sha1", &["what do ya want for nothing?", "Jefe"]), sha1);
        assert_eq!(equal(&[Value::from("a"), Value::from("b")]), Ok(Value::from(false)));
        assert_eq!(equal(&[Value::from("a"), Value::from(1_u64)]), Err(Fault::Undefined));
    }
}
