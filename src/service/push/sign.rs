//! The signature of [Standard Webhooks](https://www.standardwebhooks.com) 1.0, the symmetric one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: for each key `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, with spaces
/// between them. `timestamp_s` is when it is sent, in seconds since 1970.
#[must_use]
pub fn signature(keys: &[Vec<u8>], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let mut signatures = Vec::with_capacity(keys.len());
    for key in keys {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { continue };
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the reference implementations' own tests.
    #[test]
    fn the_known_vector() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let body = br#"{"test": 2432232314}"#;
        let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        assert_eq!(signature(std::slice::from_ref(&key), id, at, body), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let two = signature(&[vec![0; 24], key], id, at, body);
        let [new, old] = two.split(' ').collect::<Vec<_>>()[..] else { panic!("{two:?} is not two signatures") };
        assert!(new.starts_with("v1,") && new != old);
        assert_eq!(old, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
