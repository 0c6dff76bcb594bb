//! JSON Web Tokens (RFC 7519) as bearer tokens: who signs them is configured, and what they claim names tenant and role.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Denied, Identity, Role, tenant};

/// How far the clocks of issuer and server may differ, in seconds.
const LEEWAY_S: u64 = 30;
/// Fewest bytes of a secret for HS256: as many as its hash has (RFC 7518, 3.2).
const SECRET_BYTES: usize = 32;

/// The file that tells whose signatures are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKeys {
    /// A JWK set (RFC 7517) of public keys, the token's `kid` choosing among them.
    Jwks(PathBuf),
    /// One public key in PEM: RSA, EC P-256 or Ed25519.
    PublicKey(PathBuf),
    /// A secret that issuer and server share, for HS256; space at the end of the file is none of it.
    Secret(PathBuf),
}

impl TokenKeys {
    fn path(&self) -> &Path {
        match self {
            Self::Jwks(path) | Self::PublicKey(path) | Self::Secret(path) => path,
        }
    }
}

/// What a token must say, besides that it is not over (`exp`), has begun (`nbf`) and has a subject (`sub`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Its `iss` must be this.
    pub issuer: Option<String>,
    /// Its `aud` must be or hold this.
    pub audience: Option<String>,
    /// The claim that names the tenant.
    pub tenant: String,
    /// The claim that names the role.
    pub role: String,
}

impl Default for Claims {
    fn default() -> Self {
        Self { issuer: None, audience: None, tenant: "tenant".to_owned(), role: "role".to_owned() }
    }
}

/// Why a file of keys is not taken.
#[derive(Debug)]
pub enum TokenError {
    /// It cannot be read.
    Read(PathBuf, io::Error),
    /// It is no JWK set.
    NotJwks(PathBuf, serde_json::Error),
    /// None of its keys can be used.
    NoKey(PathBuf),
    /// It is no public key of a kind that is known.
    NotPublicKey(PathBuf),
    /// It holds a private key, which has no business here.
    Private(PathBuf),
    /// Its secret is too short; how long it is.
    ShortSecret(PathBuf, usize),
    /// Its secret is a PEM key: whoever knows the public key could sign with it.
    NotSecret(PathBuf),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::NotJwks(path, error) => write!(f, "{} is no JWK set: {error}", path.display()),
            Self::NoKey(path) => write!(f, "{} has no public key for RS256, ES256 or EdDSA", path.display()),
            Self::NotPublicKey(path) => write!(f, "{} is no public key in PEM: RSA, EC P-256 or Ed25519", path.display()),
            Self::Private(path) => write!(f, "{} holds a private key; to check tokens the public one is enough", path.display()),
            Self::ShortSecret(path, bytes) => {
                write!(f, "the secret in {} has {bytes} bytes; HS256 needs {SECRET_BYTES} or more", path.display())
            }
            Self::NotSecret(path) => write!(f, "{} holds a PEM key; a secret for HS256 is to be random bytes", path.display()),
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) => Some(error),
            Self::NotJwks(_, error) => Some(error),
            _ => None,
        }
    }
}

/// One key, with the only algorithm it is used with: a token does not choose (RFC 8725, 3.1).
struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The keys of a file.
enum Keys {
    /// One, whatever `kid` a token names.
    One(Key),
    /// Several, chosen by `kid`.
    Set(Vec<Key>),
}

/// The tokens that are taken.
pub struct Tokens {
    source: TokenKeys,
    claims: Claims,
    keys: RwLock<Arc<Keys>>,
    /// The file as it was read last, good or not: so a bad one is told of once.
    read: Mutex<Vec<u8>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("source", &self.source).field("claims", &self.claims).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Reads the keys.
    ///
    /// # Errors
    /// The file is not good.
    pub fn new(source: TokenKeys, claims: Claims) -> Result<Self, TokenError> {
        let text = read(source.path())?;
        let keys = parse(&source, &text)?;
        Ok(Self { source, claims, keys: RwLock::new(Arc::new(keys)), read: Mutex::new(text) })
    }

    /// Reads the keys again if the file has changed. Whether it has.
    ///
    /// # Errors
    /// The file is not good; the keys read before stay in force. A file is complained of once, until it changes again.
    pub fn refresh(&self) -> Result<bool, TokenError> {
        let text = read(self.source.path())?;
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == text {
            return Ok(false);
        }
        let keys = parse(&self.source, &text);
        *last = text;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys?);
        Ok(true)
    }

    /// Who presents a token.
    ///
    /// # Errors
    /// It is not good.
    pub fn authenticate(&self, token: &str) -> Result<Identity, Denied> {
        let denied = |reason: &str| Denied::Token(reason.to_owned());
        let header = jsonwebtoken::decode_header(token).map_err(|_| denied("it is no JWT, or of an algorithm that is not known"))?;
        if header.crit.is_some() {
            return Err(denied("it has critical headers, of which none is known"));
        }
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let key = keys.of(header.kid.as_deref(), header.alg)?;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &self.validation(key.algorithm))
            .map_err(|error| Denied::Token(reason(error.kind())))?
            .claims;
        let claim = |name: &str| {
            let value = claims.get(name).ok_or_else(|| Denied::Token(format!("it has no {name}")))?;
            value.as_str().ok_or_else(|| Denied::Token(format!("its {name} is no string")))
        };
        let role: Role = claim(&self.claims.role)?.parse().map_err(Denied::Token)?;
        let tenant = tenant(claim(&self.claims.tenant)?).map_err(Denied::Token)?;
        let subject = claim("sub")?;
        if subject.is_empty() {
            return Err(denied("its sub is empty"));
        }
        Ok(Identity { tenant, role, subject: format!("jwt:{subject}").into() })
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.claims.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &self.claims.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

impl Keys {
    /// The key for a token's header.
    fn of(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Denied> {
        let other = || Denied::Token("its algorithm is not that of the key".to_owned());
        match self {
            Self::One(key) => Some(key).filter(|key| key.algorithm == algorithm).ok_or_else(other),
            Self::Set(keys) => match kid {
                Some(kid) => {
                    let mut named = keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).peekable();
                    if named.peek().is_none() {
                        return Err(Denied::Token("no key is known by its kid".to_owned()));
                    }
                    named.find(|key| key.algorithm == algorithm).ok_or_else(other)
                }
                None => match &keys[..] {
                    [key] => Some(key).filter(|key| key.algorithm == algorithm).ok_or_else(other),
                    _ => Err(Denied::Token("it has no kid, and there are several keys".to_owned())),
                },
            },
        }
    }
}

/// Why a token is not good, to whoever sent it.
fn reason(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::ExpiredSignature => "it is over (exp)".to_owned(),
        ErrorKind::ImmatureSignature => "it has not begun (nbf)".to_owned(),
        ErrorKind::InvalidIssuer => "it is of another issuer (iss)".to_owned(),
        ErrorKind::InvalidAudience => "it is for another audience (aud)".to_owned(),
        ErrorKind::InvalidSignature => "its signature is wrong".to_owned(),
        ErrorKind::MissingRequiredClaim(name) => format!("it has no {name}"),
        ErrorKind::InvalidClaimFormat(name) => format!("its {name} cannot be read"),
        _ => "it is no JWT".to_owned(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TokenError> {
    std::fs::read(path).map_err(|error| TokenError::Read(path.to_owned(), error))
}

fn parse(source: &TokenKeys, text: &[u8]) -> Result<Keys, TokenError> {
    let is_pem = text.trim_ascii_start().starts_with(b"-----BEGIN");
    match source {
        TokenKeys::Jwks(path) => jwks(path, text).map(Keys::Set),
        TokenKeys::PublicKey(path) => {
            if is_pem && text.windows(11).any(|window| window == b"PRIVATE KEY") {
                return Err(TokenError::Private(path.clone()));
            }
            let kinds = [
                (Algorithm::RS256, DecodingKey::from_rsa_pem(text)),
                (Algorithm::ES256, DecodingKey::from_ec_pem(text)),
                (Algorithm::EdDSA, DecodingKey::from_ed_pem(text)),
            ];
            let key = kinds.into_iter().find_map(|(algorithm, key)| Some(Key { kid: None, algorithm, key: key.ok()? }));
            key.filter(fits).map(Keys::One).ok_or_else(|| TokenError::NotPublicKey(path.clone()))
        }
        TokenKeys::Secret(path) => {
            let secret = text.trim_ascii_end();
            if is_pem {
                return Err(TokenError::NotSecret(path.clone()));
            }
            if secret.len() < SECRET_BYTES {
                return Err(TokenError::ShortSecret(path.clone(), secret.len()));
            }
            Ok(Keys::One(Key { kid: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) }))
        }
    }
}

/// Bytes of an uncompressed point of P-256.
const P256_BYTES: usize = 65;

/// Whether a key is of the size its algorithm has: an EC key may be of another curve.
fn fits(key: &Key) -> bool {
    key.algorithm != Algorithm::ES256 || key.key.try_get_as_bytes().is_ok_and(|point| point.len() == P256_BYTES)
}

/// A JWK set, each key apart: those of a kind that is not understood are passed over (RFC 7517, 5).
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

fn jwks(path: &Path, text: &[u8]) -> Result<Vec<Key>, TokenError> {
    let set: JwkSet = serde_json::from_slice(text).map_err(|error| TokenError::NotJwks(path.to_owned(), error))?;
    let keys: Vec<Key> = set.keys.into_iter().filter_map(|key| usable(&serde_json::from_value(key).ok()?)).collect();
    if keys.is_empty() { Err(TokenError::NoKey(path.to_owned())) } else { Ok(keys) }
}

/// A public key that checks signatures; secrets (`oct`) are none, since sets of keys are published.
fn usable(jwk: &Jwk) -> Option<Key> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => (Algorithm::ES256, KeyAlgorithm::ES256),
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => (Algorithm::EdDSA, KeyAlgorithm::EdDSA),
        _ => return None,
    };
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let agrees = jwk.common.key_algorithm.is_none_or(|named| named == name);
    let key = Key { kid: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? };
    Some(key).filter(|key| signs && agrees && fits(key))
}

#[cfg(test)]
mod tests;
