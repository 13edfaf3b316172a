//! As much of DER as leads from a certificate to its public key, and from a public key to its kind.

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    Elliptic,
    Edwards,
}

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;

/// The public key (SubjectPublicKeyInfo) within a certificate.
pub(super) fn key_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, outer, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut rest, _) = element(outer)? else { return None };
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // The serial number, the signature's algorithm, the issuer, the validity and the subject.
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, _, after) = element(rest)? else { return None };
    Some(&rest[..rest.len() - after.len()])
}

/// The kind of a public key and the key itself, without the names around it.
pub(super) fn public_key(info: &[u8]) -> Option<(Kind, &[u8])> {
    let (SEQUENCE, inner, _) = element(info)? else { return None };
    let (SEQUENCE, algorithm, rest) = element(inner)? else { return None };
    let (OBJECT_ID, name, _) = element(algorithm)? else { return None };
    let (BIT_STRING, [0, key @ ..], _) = element(rest)? else { return None };
    match name {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1] => Some((Kind::Rsa, key)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] => Some((Kind::Elliptic, key)),
        [0x2b, 0x65, 0x70] => Some((Kind::Edwards, key)),
        _ => None,
    }
}

/// The tag, the content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_no_key() {
        let info = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        let whole: Vec<u8> = info.into_iter().chain([7; 32]).collect();
        assert_eq!(public_key(&whole), Some((Kind::Edwards, &[7; 32][..])));
        assert!((0..whole.len()).all(|length| public_key(&whole[..length]).is_none()));
        assert_eq!(key_of_certificate(&whole), None);
    }
}
