//! Tokens against a real server.

use callgrade::service::access::{Claims, Role, TokenKeys, Tokens};
use callgrade::transport::Security;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use super::{access, ask, eventually, new_key, start};
use crate::support::block_on;

/// An issuer: the key it signs with, and the public half as a set of keys.
fn issuer(kid: &str) -> (EncodingKey, String) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).expect("a key");
    let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("its public half");
    public.common.key_id = Some(kid.to_owned());
    (key, json!({"keys": [public]}).to_string())
}

fn token(kid: &str, key: &EncodingKey, role: &str) -> String {
    let claims: Value = json!({"sub": "console", "tenant": "north", "role": role, "exp": get_current_timestamp() + 600});
    encode(&Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) }, &claims, key).expect("a token")
}

#[test]
fn tokens_are_taken_beside_keys_and_their_issuer_may_change_while_the_server_runs() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jwks.json");
        let (old, old_set) = issuer("old");
        let (new, new_set) = issuer("new");
        std::fs::write(&path, &old_set).expect("written");
        let tokens = Tokens::new(TokenKeys::Jwks(path.clone()), Claims::default()).expect("good keys");
        let key = new_key("south", Role::Ingest);
        let server = start(Security { access: access([key.record], Some(tokens)), ..Security::default() }).await;
        let status = async |presented: &str| {
            let bearer = format!("Bearer {presented}");
            ask(&server, "GET", "/v1/scripts", &[("authorization", &bearer)]).await.0.as_u16()
        };
        let (by_old, by_new) = (token("old", &old, "ingest"), token("new", &new, "ingest"));
        assert_eq!((status(&key.key).await, status(&by_old).await, status(&by_new).await), (200, 200, 401));
        assert_eq!(status(&token("old", &new, "ingest")).await, 401, "signed by another");

        std::fs::write(&path, "{").expect("written");
        assert_eq!(status(&by_old).await, 200, "a damaged file changes nothing");
        std::fs::write(&path, &new_set).expect("written");
        eventually("the new issuer is known", async || (status(&by_new).await == 200).then_some(())).await;
        assert_eq!((status(&by_old).await, status(&key.key).await), (401, 200));
    });
}
