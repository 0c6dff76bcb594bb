//! Tokens signed as issuers sign them, and as forgers would.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// Made for these tests, of no use elsewhere: the library that makes the other keys makes none of RSA.
const RSA: &str = include_str!("rsa.pem");
const RSA_PUBLIC: &str = include_str!("rsa.pub.pem");
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn file(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("keys");
    std::fs::write(&path, text).unwrap();
    path
}

/// Seconds from now.
fn at(seconds: i64) -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap() + seconds
}

fn claims() -> Value {
    json!({"sub": "dialer-7", "tenant": "north", "role": "ingest", "exp": at(600)})
}

/// The claims with others put in; null takes one out.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn signed(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) }, claims, key).unwrap()
}

fn denied(tokens: &Tokens, token: &str) -> String {
    tokens.authenticate(token).unwrap_err().to_string()
}

/// Takes tokens of the secret.
fn of_secret(folder: &TempDir, claims: Claims) -> (Tokens, EncodingKey) {
    (Tokens::new(TokenKeys::Secret(file(folder, &format!("{SECRET}\n"))), claims).unwrap(), EncodingKey::from_secret(SECRET.as_bytes()))
}

#[test]
fn each_kind_of_key_lets_in_whom_it_signs_for() {
    let folder = tempfile::tempdir().unwrap();
    let (ec, ed) = (KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let public = |pem: &str| TokenKeys::PublicKey(file(&folder, pem));
    let kinds = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(), RSA_PUBLIC.to_owned()),
        (Algorithm::ES256, EncodingKey::from_ec_pem(ec.serialize_pem().as_bytes()).unwrap(), ec.public_key_pem()),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(ed.serialize_pem().as_bytes()).unwrap(), ed.public_key_pem()),
    ];
    let expected = Identity { tenant: "north".into(), role: Role::Ingest, subject: "jwt:dialer-7".into() };
    for (place, (algorithm, key, pem)) in kinds.iter().enumerate() {
        let tokens = Tokens::new(public(pem), Claims::default()).unwrap();
        let token = signed(*algorithm, Some("any"), key, &claims());
        assert_eq!(tokens.authenticate(&token), Ok(expected.clone()), "{algorithm:?}");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let wrong = format!("{head}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
        assert_eq!(denied(&tokens, &wrong), "the token is refused: its signature is wrong", "{algorithm:?}");
        let (other, other_key, _) = &kinds[(place + 1) % kinds.len()];
        let other = signed(*other, None, other_key, &claims());
        assert_eq!(denied(&tokens, &other), "the token is refused: its algorithm is not that of the key", "{algorithm:?}");
    }
    let (tokens, key) = of_secret(&folder, Claims::default());
    assert_eq!(tokens.authenticate(&signed(Algorithm::HS256, None, &key, &claims())), Ok(expected));
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::new(TokenKeys::PublicKey(file(&folder, RSA_PUBLIC)), Claims::default()).unwrap();
    let forged = signed(Algorithm::HS256, None, &EncodingKey::from_secret(RSA_PUBLIC.as_bytes()), &claims());
    assert_eq!(denied(&tokens, &forged), "the token is refused: its algorithm is not that of the key");
    let unsigned = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let none = format!("{}.{}.", unsigned(r#"{"alg":"none"}"#), unsigned(&claims().to_string()));
    assert_eq!(denied(&tokens, &none), "the token is refused: it is no JWT, or of an algorithm that is not known");
}

#[test]
fn what_a_token_claims_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Claims { issuer: Some("https://sso".to_owned()), audience: Some("callgrade".to_owned()), ..Claims::default() };
    let (tokens, key) = of_secret(&folder, asked);
    let good = json!({"iss": "https://sso", "aud": ["other", "callgrade"]});
    let check = |changes: Value| {
        let mut claims = with(&good);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        tokens.authenticate(&signed(Algorithm::HS256, None, &key, &claims)).map_err(|denied| denied.to_string())
    };
    for fine in [json!({}), json!({"aud": "callgrade"}), json!({"exp": at(-10)}), json!({"nbf": at(10)}), json!({"nbf": at(-100)})] {
        assert!(check(fine.clone()).is_ok(), "{fine}");
    }
    for (changes, told) in [
        (json!({"exp": at(-60)}), "it is over (exp)"),
        (json!({"exp": null}), "it has no exp"),
        (json!({"nbf": at(60)}), "it has not begun (nbf)"),
        (json!({"nbf": "soon"}), "its nbf cannot be read"),
        (json!({"iss": "https://other"}), "it is of another issuer (iss)"),
        (json!({"iss": null}), "it has no iss"),
        (json!({"aud": "other"}), "it is for another audience (aud)"),
        (json!({"aud": null}), "it has no aud"),
        (json!({"sub": null}), "it has no sub"),
        (json!({"sub": ""}), "its sub is empty"),
        (json!({"tenant": null}), "it has no tenant"),
        (json!({"tenant": ["north"]}), "its tenant is no string"),
        (json!({"tenant": "North"}), "\"North\" is no tenant's name: 1 to 64 of a-z, 0-9, _ and -"),
        (json!({"role": "root"}), "there is no role \"root\"; there are ingest, qa and admin"),
    ] {
        assert_eq!(check(changes.clone()).map_err(|told| told.replace("the token is refused: ", "")), Err(told.to_owned()), "{changes}");
    }
    for junk in ["", "x", "a.b.c", "eyJ.eyJ."] {
        assert_eq!(denied(&tokens, junk), "the token is refused: it is no JWT, or of an algorithm that is not known", "{junk}");
    }
}

#[test]
fn claims_can_have_other_names_and_an_audience_that_nobody_asks_for_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let (tokens, key) = of_secret(&folder, Claims { tenant: "org".to_owned(), role: "callgrade_role".to_owned(), ..Claims::default() });
    let claims = with(&json!({"org": "south", "callgrade_role": "admin", "aud": "whoever"}));
    let identity = tokens.authenticate(&signed(Algorithm::HS256, None, &key, &claims)).unwrap();
    assert_eq!((&*identity.tenant, identity.role), ("south", Role::Admin));
}

#[test]
fn critical_headers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (tokens, key) = of_secret(&folder, Claims::default());
    let header = Header { crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &claims(), &key).unwrap();
    assert_eq!(denied(&tokens, &token), "the token is refused: it has critical headers, of which none is known");
}

/// A public key as a set of keys has it.
fn jwk(key: &EncodingKey, algorithm: Algorithm, kid: Option<&str>) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
    jwk.common.key_id = kid.map(str::to_owned);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    serde_json::to_value(&jwk).unwrap()
}

#[test]
fn a_set_of_keys_is_read_again_when_it_changes_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    let ec = EncodingKey::from_ec_pem(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem().as_bytes()).unwrap();
    let odd = [json!({"kty": "new", "kid": "x"}), json!({"kty": "oct", "kid": "s", "k": BASE64_URL_SAFE_NO_PAD.encode(SECRET)}), json!(7)];
    let set = |keys: &[Value]| json!({"keys": ([keys, &odd].concat())}).to_string();
    let path = file(&folder, &set(&[jwk(&rsa, Algorithm::RS256, Some("old"))]));
    let tokens = Tokens::new(TokenKeys::Jwks(path.clone()), Claims::default()).unwrap();
    let by_old = signed(Algorithm::RS256, Some("old"), &rsa, &claims());
    let by_new = signed(Algorithm::ES256, Some("new"), &ec, &claims());
    let by_none = signed(Algorithm::RS256, None, &rsa, &claims());
    assert!(tokens.authenticate(&by_old).is_ok());
    assert!(tokens.authenticate(&by_none).is_ok(), "there is but one key");
    assert_eq!(denied(&tokens, &by_new), "the token is refused: no key is known by its kid");
    let shared = signed(Algorithm::HS256, Some("s"), &EncodingKey::from_secret(SECRET.as_bytes()), &claims());
    assert_eq!(denied(&tokens, &shared), "the token is refused: no key is known by its kid");
    assert!(!tokens.refresh().unwrap(), "nothing has changed");

    std::fs::write(&path, set(&[jwk(&rsa, Algorithm::RS256, Some("old")), jwk(&ec, Algorithm::ES256, Some("new"))])).unwrap();
    assert!(tokens.refresh().unwrap());
    assert!(tokens.authenticate(&by_old).is_ok() && tokens.authenticate(&by_new).is_ok());
    assert_eq!(denied(&tokens, &by_none), "the token is refused: it has no kid, and there are several keys");
    let crossed = signed(Algorithm::RS256, Some("new"), &rsa, &claims());
    assert_eq!(denied(&tokens, &crossed), "the token is refused: its algorithm is not that of the key");

    std::fs::write(&path, "{\"keys\": [").unwrap();
    let told = tokens.refresh().unwrap_err().to_string();
    assert!(told.starts_with(&format!("{} is no JWK set: ", path.display())), "{told}");
    assert!(!tokens.refresh().unwrap(), "it is complained of once");
    assert!(tokens.authenticate(&by_new).is_ok());

    std::fs::write(&path, set(&[jwk(&ec, Algorithm::ES256, Some("new"))])).unwrap();
    assert!(tokens.refresh().unwrap());
    assert!(tokens.authenticate(&by_old).is_err() && tokens.authenticate(&by_new).is_ok());
}

#[test]
fn files_that_are_not_good_are_refused_with_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let shown = path.display();
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().public_key_pem();
    type Source = fn(PathBuf) -> TokenKeys;
    let cases: [(Source, &str, String); 8] = [
        (TokenKeys::PublicKey, RSA, format!("{shown} holds a private key; to check tokens the public one is enough")),
        (TokenKeys::PublicKey, "what", format!("{shown} is no public key in PEM: RSA, EC P-256 or Ed25519")),
        (TokenKeys::PublicKey, &p384, format!("{shown} is no public key in PEM: RSA, EC P-256 or Ed25519")),
        (TokenKeys::Secret, "short\n", format!("the secret in {shown} has 5 bytes; HS256 needs 32 or more")),
        (TokenKeys::Secret, RSA_PUBLIC, format!("{shown} holds a PEM key; a secret for HS256 is to be random bytes")),
        (TokenKeys::Jwks, "{\"keys\": []}", format!("{shown} has no public key for RS256, ES256 or EdDSA")),
        (
            TokenKeys::Jwks,
            "[]",
            format!("{shown} is no JWK set: invalid length 0, expected struct JwkSet with 1 element at line 1 column 2"),
        ),
        (TokenKeys::Jwks, "x", format!("{shown} is no JWK set: expected value at line 1 column 1")),
    ];
    for (source, text, told) in cases {
        std::fs::write(&path, text).unwrap();
        assert_eq!(Tokens::new(source(path.clone()), Claims::default()).unwrap_err().to_string(), told);
    }
    let absent = folder.path().join("absent");
    let told = Tokens::new(TokenKeys::Jwks(absent.clone()), Claims::default()).unwrap_err().to_string();
    assert_eq!(told, format!("cannot read {}: No such file or directory (os error 2)", absent.display()));
}
