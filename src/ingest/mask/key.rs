//! Keyed hashes of masked numbers: a call can be found by a number that nobody can read from it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Number;

/// A secret under which numbers are hashed. Whoever has it can find out by trying which number a hash is of: there are few.
#[derive(Clone)]
pub struct MaskKey(Hmac<Sha256>);

/// Shows nothing of the secret.
impl std::fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskKey")
    }
}

impl MaskKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        // A block of SHA-256, filled up with zeros as HMAC does with keys that are shorter.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block.iter_mut().zip(secret).for_each(|(to, from)| *to = *from);
        Self(Hmac::new(&block))
    }

    /// The hash of a number: HMAC-SHA-256 of its kind and digits, the first 16 bytes. The same number gives the same however it was
    /// written; of two numbers it differs, but for one chance in 2¹²⁸.
    #[must_use]
    pub fn fingerprint(&self, number: &Number) -> [u8; 16] {
        let mut hash = self.0.clone();
        hash.update(number.kind.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(number.digits.as_bytes());
        let whole = hash.finalize().into_bytes();
        let mut first = [0; 16];
        first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::mask::{NumberKind, mask};

    fn number(text: &str) -> Number {
        let mut found = Vec::new();
        mask(text, &mut |number| found.push(number));
        found.pop().expect(text)
    }

    #[test]
    fn a_number_has_one_fingerprint_however_it_is_written() {
        let key = MaskKey::new(&[7; 32]);
        let expected = key.fingerprint(&number("13800138000"));
        for text in ["+86 138-0013-8000", "0086 138 0013 8000", "幺三八零零幺三八零零零", "１３８００１３８０００", "013800138000"]
        {
            assert_eq!(key.fingerprint(&number(text)), expected, "{text}");
        }
        assert_ne!(key.fingerprint(&number("13800138001")), expected);
        assert_ne!(MaskKey::new(&[8; 32]).fingerprint(&number("13800138000")), expected, "keyed");
        let card = Number { kind: NumberKind::BankCard, ..number("13800138000") };
        assert_ne!(key.fingerprint(&card), expected, "by kind");
        let old = number("110105491231002");
        assert_eq!(key.fingerprint(&old), key.fingerprint(&number("11010519491231002x")), "an old ID card and the new one");
    }

    #[test]
    fn hashes_are_hmac_sha_256() {
        // printf 'phone\00013800138000' | openssl dgst -sha256 -mac hmac -macopt hexkey:0707…
        let hash = MaskKey::new(&[7; 32]).fingerprint(&number("13800138000"));
        let told: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told, "ca1e1f4586fd2e6089bb12c27d14c73e");
    }
}
