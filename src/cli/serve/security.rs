//! The flags that say who is let in, and how.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::service::access::{Access, Claims, KeyRing, TokenKeys, Tokens};
use crate::service::quota::Quota;
use crate::store::Store;
use crate::transport::Security;
use crate::transport::tls::{Tls, TlsFiles};

#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub(super) struct SecurityOptions {
    /// Speak TLS with this certificate, in PEM, those that lead to its authority after it; files are read again when they change
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Ask clients for a certificate of one of these authorities, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Take tokens (JWT) signed with one of these public keys, a JWK set
    #[arg(long, value_name = "FILE", group = "tokens")]
    jwt_jwks: Option<PathBuf>,
    /// Take tokens (JWT) signed with this public key, in PEM: RSA, EC P-256 or Ed25519
    #[arg(long, value_name = "FILE", group = "tokens")]
    jwt_key: Option<PathBuf>,
    /// Take tokens (JWT, HS256) signed with the secret in this file
    #[arg(long, value_name = "FILE", group = "tokens")]
    jwt_secret_file: Option<PathBuf>,
    /// Take tokens of this issuer only (iss)
    #[arg(long, value_name = "NAME", requires = "tokens")]
    jwt_issuer: Option<String>,
    /// Take tokens for this audience only (aud)
    #[arg(long, value_name = "NAME", requires = "tokens")]
    jwt_audience: Option<String>,
    /// Claim of tokens that names the tenant
    #[arg(long, value_name = "CLAIM", default_value = "tenant")]
    jwt_tenant_claim: String,
    /// Claim of tokens that names the role: ingest, qa or admin
    #[arg(long, value_name = "CLAIM", default_value = "role")]
    jwt_role_claim: String,
    /// Listen where others can reach it also without TLS, or without keys and tokens
    #[arg(long)]
    insecure: bool,
    /// Most calls of a tenant that are live at one time; 0: any number
    #[arg(long, value_name = "CALLS", default_value_t = Quota::default().live_calls.unwrap_or(0), help_heading = "Limits")]
    max_live_calls: usize,
    /// Most streams of a tenant that are open at one time; 0: any number
    #[arg(long, value_name = "STREAMS", default_value_t = Quota::default().streams.unwrap_or(0), help_heading = "Limits")]
    max_streams: usize,
    /// Most requests of a tenant in a second, opening a stream is one; 0: any number
    #[arg(long, value_name = "REQUESTS", default_value_t = Quota::default().requests_per_second.map_or(0, NonZeroU32::get), help_heading = "Limits")]
    max_requests_per_second: u32,
}

impl SecurityOptions {
    /// How much a tenant may have at one time.
    pub(super) fn quota(&self) -> Quota {
        Quota {
            live_calls: Some(self.max_live_calls).filter(|most| *most > 0),
            streams: Some(self.max_streams).filter(|most| *most > 0),
            requests_per_second: NonZeroU32::new(self.max_requests_per_second),
        }
    }

    /// What stands before the service, files read, and the keys that `store` has.
    pub(super) fn security(&self, store: Option<Store>) -> anyhow::Result<Security> {
        let keys = KeyRing::default();
        if let Some(store) = &store {
            keys.read(store)?;
        }
        Ok(Security { access: Arc::new(Access::new(keys, self.tokens()?)), store, tls: self.tls()?.map(Arc::new), ..Security::default() })
    }

    fn tokens(&self) -> anyhow::Result<Option<Tokens>> {
        let jwks = self.jwt_jwks.clone().map(TokenKeys::Jwks);
        let key = self.jwt_key.clone().map(TokenKeys::PublicKey);
        let secret = self.jwt_secret_file.clone().map(TokenKeys::Secret);
        let claims = Claims {
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
            tenant: self.jwt_tenant_claim.clone(),
            role: self.jwt_role_claim.clone(),
        };
        Ok(jwks.or(key).or(secret).map(|source| Tokens::new(source, claims)).transpose()?)
    }

    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Ok(Some(Tls::new(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: self.tls_client_ca.clone() })?))
    }

    /// Whether the server may listen on an address; what whoever starts it should know.
    pub(super) fn check(&self, security: &Security, address: SocketAddr) -> anyhow::Result<Option<String>> {
        let open = security.access.is_open() && !security.tls.as_ref().is_some_and(|tls| tls.is_mutual());
        let lacks = [
            (security.tls.is_none(), "TLS (--tls-cert and --tls-key)"),
            (
                open,
                "API keys (callgrade keys create), tokens (--jwt-jwks, --jwt-key or --jwt-secret-file) or client certificates (--tls-client-ca)",
            ),
        ];
        let lacks: Vec<&str> = lacks.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect();
        let lacks = lacks.join(", and without ");
        if address.ip().is_loopback() {
            return Ok(
                open.then(|| format!("there are no keys and no tokens: whoever on this machine connects to {address} may do everything"))
            );
        }
        if lacks.is_empty() {
            return Ok(None);
        }
        anyhow::ensure!(
            self.insecure,
            "will not listen on {address}, where others can reach it, without {lacks}; --insecure does it all the same"
        );
        Ok(Some(format!("listens on {address}, where others can reach it, without {lacks}")))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        security: SecurityOptions,
    }

    fn flags(arguments: &[&str]) -> Result<SecurityOptions, clap::Error> {
        Flags::try_parse_from([&["serve"], arguments].concat()).map(|flags| flags.security)
    }

    #[test]
    fn flags_that_need_each_other_are_given_together() {
        for half in [
            &["--tls-cert", "x"][..],
            &["--tls-key", "x"],
            &["--tls-client-ca", "x"],
            &["--jwt-issuer", "x"],
            &["--jwt-audience", "x"],
            &["--jwt-key", "x", "--jwt-jwks", "y"],
        ] {
            assert!(flags(half).is_err(), "{half:?}");
        }
        assert!(flags(&["--tls-cert", "x", "--tls-key", "y", "--jwt-jwks", "z", "--jwt-issuer", "i", "--jwt-audience", "a"]).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let quota = flags(&["--max-live-calls", "0", "--max-streams", "0", "--max-requests-per-second", "0"]).expect("flags").quota();
        assert_eq!(quota, Quota { live_calls: None, streams: None, requests_per_second: None });
        assert_eq!(flags(&[]).expect("flags").quota(), Quota::default());
    }

    #[test]
    fn insecure_listens_anywhere_and_says_what_is_missing() {
        let open = Security::default();
        let anywhere: SocketAddr = "192.0.2.1:50051".parse().expect("an address");
        let told = flags(&["--insecure"]).expect("flags").check(&open, anywhere).expect("it listens").expect("a notice");
        let lacks = "TLS (--tls-cert and --tls-key), and without API keys (callgrade keys create), tokens (--jwt-jwks, --jwt-key or --jwt-secret-file) or client certificates (--tls-client-ca)";
        assert_eq!(told, format!("listens on 192.0.2.1:50051, where others can reach it, without {lacks}"));
        assert!(flags(&[]).expect("flags").check(&open, anywhere).is_err());
        for loopback in ["127.0.0.1:50051", "127.8.8.8:1", "[::1]:50051"] {
            let address = loopback.parse().expect("an address");
            assert!(flags(&[]).expect("flags").check(&open, address).expect("it listens").is_some(), "{loopback}");
        }
    }
}
