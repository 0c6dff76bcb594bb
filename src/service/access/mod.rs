//! Who asks: tenants, roles, API keys and tokens. What each method asks for is the transport's table.

mod kept;
mod key;
mod token;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use key::PREFIX;
pub use key::{KeyRecord, KeyRing, NewKey, is_key};
pub use token::{Claims, TokenError, TokenKeys, Tokens};

use super::tenant::DEFAULT;

/// What a key or token lets its bearer do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Brings calls in and reads their verdicts: dialers.
    Ingest,
    /// Reads the calls that are kept and publishes scripts: quality assurance.
    Qa,
    /// Deletes calls.
    Admin,
}

impl Role {
    /// All, the lowest first.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Qa, Self::Admin];

    /// As flags, tokens and the store spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Qa => "qa",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let role = Self::ALL.into_iter().find(|role| role.name() == name);
        role.ok_or_else(|| format!("there is no role {name:?}; there are ingest, qa and admin"))
    }
}

/// Most characters of a tenant's name.
const TENANT_CHARS: usize = 64;

/// A tenant's name, checked: 1 to 64 of `a`–`z`, `0`–`9`, `_` and `-`, so that it can stand in file names, metrics and URLs.
///
/// # Errors
/// The name is none.
///
/// # Examples
/// ```
/// assert_eq!(&*callgrade::service::access::tenant("north-1").unwrap(), "north-1");
/// assert!(callgrade::service::access::tenant("North").is_err());
/// ```
pub fn tenant(name: &str) -> Result<Arc<str>, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if (1..=TENANT_CHARS).contains(&name.len()) && name.bytes().all(plain) {
        Ok(Arc::from(name))
    } else {
        Err(format!("{name:?} is no tenant's name: 1 to {TENANT_CHARS} of a-z, 0-9, _ and -"))
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whose calls they may see.
    pub tenant: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// Who they are in the audit log: `key:` and the key's id, or `jwt:` and the token's `sub`, so that neither can pass for the
    /// other.
    pub subject: Arc<str>,
}

impl Identity {
    /// Whoever reaches a server that asks for no key.
    #[must_use]
    pub fn open() -> Self {
        Self { tenant: Arc::from(DEFAULT), role: Role::Admin, subject: Arc::from("anyone") }
    }
}

/// Why somebody was not let in. Its words go to whoever asked, so they tell nothing that a thief would not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Neither a key nor a token came with the request.
    Nothing,
    /// The header that should bring it cannot be read.
    Unreadable,
    /// There is no such key: its id or its secret is wrong.
    Unknown,
    /// The key is right and was revoked.
    Revoked,
    /// What came has the form of neither a key nor a token.
    Neither,
    /// A token came and the server takes none.
    NoTokens,
    /// The token is not good.
    Token(String),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("give an API key or a token: \"authorization: Bearer …\" or \"x-api-key: …\""),
            Self::Unreadable => f.write_str("the authorization is none: \"Bearer \" and an API key or a token"),
            Self::Unknown => f.write_str("there is no such API key"),
            Self::Revoked => f.write_str("the API key was revoked"),
            Self::Neither => write!(f, "what came is no API key (they begin with {PREFIX}) and no token"),
            Self::NoTokens => f.write_str("this server takes API keys, and no tokens"),
            Self::Token(reason) => write!(f, "the token is refused: {reason}"),
        }
    }
}

impl std::error::Error for Denied {}

/// Who is let in: by key, by token, or everyone as long as there is neither.
#[derive(Debug, Default)]
pub struct Access {
    /// The keys.
    pub keys: KeyRing,
    tokens: Option<Tokens>,
    /// Somebody was asked for a key once, so nobody is let in without from then on: a store that is emptied opens no door.
    closed: AtomicBool,
}

impl Access {
    /// Lets in by key, and by token where `tokens` are given.
    #[must_use]
    pub fn new(keys: KeyRing, tokens: Option<Tokens>) -> Self {
        Self { keys, tokens, closed: AtomicBool::new(false) }
    }

    /// Whether everyone is let in: there is no key, not even a revoked one, and no tokens are taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        let open = self.tokens.is_none() && self.keys.is_empty();
        if !open {
            self.closed.store(true, Ordering::Release);
        }
        open
    }

    /// Who presents this key or token; `None`: none came.
    ///
    /// # Errors
    /// They are not let in.
    pub fn authenticate(&self, presented: Option<&str>) -> Result<Identity, Denied> {
        if self.is_open() {
            return Ok(Identity::open());
        }
        let presented = presented.ok_or(Denied::Nothing)?;
        if is_key(presented) {
            return self.keys.authenticate(presented);
        }
        // Header, claims and signature (RFC 7515, 3.1).
        if presented.split('.').count() != 3 {
            return Err(Denied::Neither);
        }
        self.tokens.as_ref().ok_or(Denied::NoTokens)?.authenticate(presented)
    }

    /// Reads the keys of tokens again if their file has changed. Whether it has.
    ///
    /// # Errors
    /// The file is not good; the keys read before stay in force.
    pub fn refresh(&self) -> Result<bool, TokenError> {
        self.tokens.as_ref().map_or(Ok(false), Tokens::refresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_named() {
        assert!(Role::Ingest < Role::Qa && Role::Qa < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err("there is no role \"root\"; there are ingest, qa and admin".to_owned()));
    }

    #[test]
    fn tenants_have_plain_names() {
        for good in ["a", "default", "north_1-x", &"x".repeat(64)] {
            assert_eq!(tenant(good).as_deref(), Ok(good));
        }
        for bad in ["", "A", "a b", "a/b", "租户", "..", &"x".repeat(65)] {
            assert!(tenant(bad).is_err(), "{bad}");
        }
        assert_eq!(tenant("A"), Err("\"A\" is no tenant's name: 1 to 64 of a-z, 0-9, _ and -".to_owned()));
    }

    #[test]
    fn a_server_that_has_had_a_key_stays_closed() {
        let access = Access::default();
        assert_eq!(access.authenticate(None), Ok(Identity::open()));
        let NewKey { record, key } = NewKey::generate(tenant("north").unwrap(), Role::Qa, "", 1).unwrap();
        access.keys.replace([record]);
        assert_eq!(access.authenticate(None), Err(Denied::Nothing));
        assert_eq!(access.authenticate(Some(&key)).map(|identity| identity.role), Ok(Role::Qa));
        access.keys.replace([]);
        assert_eq!(access.authenticate(None), Err(Denied::Nothing));
        assert_eq!(access.authenticate(Some(&key)), Err(Denied::Unknown));
        assert_eq!(access.authenticate(Some("a.b.c")), Err(Denied::NoTokens));
    }
}
