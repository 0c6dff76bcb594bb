//! TLS to a PostgreSQL server, which always means that its certificate is verified.
//!
//! `sslmode=require` (or `verify-full`) in the URL asks for it; `sslrootcert=FILE` names the authorities to trust, in PEM, and asks for
//! it, too. Without a file those that browsers trust are.

use std::path::PathBuf;
use std::sync::Arc;

use postgres::Config;
use postgres::config::SslMode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

/// What of a URL is about TLS and not the driver's to read: the URL without it, and the file of authorities.
pub(super) fn take(url: &str) -> (String, Option<PathBuf>) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let mut authorities = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("sslrootcert", file) => authorities = Some(PathBuf::from(file)),
            // Verified is what it is in any case.
            ("sslmode", "verify-full") => drop(rest.append_pair("sslmode", "require")),
            _ => drop(rest.append_pair(&name, &value)),
        }
    }
    // The driver reads a plus sign as itself.
    (format!("{place}?{}", rest.finish().replace('+', "%20")), authorities)
}

/// How connections are made, if by TLS.
///
/// # Errors
/// The file of authorities cannot be read or holds none.
pub(super) fn connector(config: &mut Config, authorities: Option<PathBuf>) -> Result<Option<MakeRustlsConnect>, StoreError> {
    if authorities.is_some() {
        config.ssl_mode(SslMode::Require);
    }
    if config.get_ssl_mode() != SslMode::Require {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let wrong = |reason: String| StoreError::Refused(format!("sslrootcert {}: {reason}", file.display()));
            for authority in CertificateDer::pem_file_iter(&file).map_err(|error| wrong(error.to_string()))? {
                let authority = authority.map_err(|error| wrong(error.to_string()))?;
                roots.add(authority).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("no certificate in it".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| StoreError::Refused(format!("TLS: {error}")))?;
    Ok(Some(MakeRustlsConnect::new(tls.with_root_certificates(roots).with_no_client_auth())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_reads_all_of_a_url_but_what_is_about_authorities() {
        for (url, rest, authorities) in [
            ("postgres://h/d", "postgres://h/d", None),
            ("postgres://u:p@h/d?sslmode=require", "postgres://u:p@h/d?sslmode=require", None),
            (
                "postgres://h/d?connect_timeout=3&sslrootcert=%2Fetc%2Fca%20s.pem&application_name=a%2Bb%20c",
                "postgres://h/d?connect_timeout=3&application_name=a%2Bb%20c",
                Some("/etc/ca s.pem"),
            ),
            ("postgres://h/d?sslmode=verify-full", "postgres://h/d?sslmode=require", None),
        ] {
            assert_eq!(take(url), (rest.to_owned(), authorities.map(PathBuf::from)), "{url}");
        }
    }
}
