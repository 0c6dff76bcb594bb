//! TLS: certificates from files, which are read again when they change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, crypto};
use tokio_rustls::TlsAcceptor;

/// The files of a server that speaks TLS, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, those that lead to its authority after it.
    pub cert: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Authorities that clients' certificates must be of; none: clients need none.
    pub client_ca: Option<PathBuf>,
}

/// Why files of TLS are not taken.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read.
    Read(PathBuf, io::Error),
    /// It holds no certificate, or a damaged one.
    NoCertificate(PathBuf),
    /// It holds no private key, or a damaged one.
    NoKey(PathBuf),
    /// Key and certificate do not go together, or are of a kind that cannot be used.
    Pair(PathBuf, PathBuf, rustls::Error),
    /// Its certificates cannot be authorities.
    Authority(PathBuf, String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::NoCertificate(path) => write!(f, "{} holds no certificate in PEM", path.display()),
            Self::NoKey(path) => write!(f, "{} holds no private key in PEM", path.display()),
            Self::Pair(cert, key, rustls::Error::InconsistentKeys(_)) => {
                write!(f, "the key in {} is not that of the certificate in {}", key.display(), cert.display())
            }
            Self::Pair(cert, key, error) => write!(f, "{} and {} cannot be used: {error}", cert.display(), key.display()),
            Self::Authority(path, error) => write!(f, "{} holds no authority for clients: {error}", path.display()),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) => Some(error),
            Self::Pair(_, _, error) => Some(error),
            _ => None,
        }
    }
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| TlsError::Read(path.to_owned(), error));
        let client_ca = files.client_ca.as_deref().map(read).transpose()?;
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)?, client_ca })
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let certificates = certificates(&files.cert, &self.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let provider = Arc::new(crypto::ring::default_provider());
        let pair = |error| TlsError::Pair(files.cert.clone(), files.key.clone(), error);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(pair)?;
        let builder = match (&files.client_ca, &self.client_ca) {
            (Some(path), Some(text)) => {
                let unfit = |error: &dyn fmt::Display| TlsError::Authority(path.clone(), error.to_string());
                let mut roots = RootCertStore::empty();
                for authority in self::certificates(path, text)? {
                    roots.add(authority).map_err(|error| unfit(&error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| unfit(&error))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|_| TlsError::NoCertificate(path.to_owned()))?;
    if certificates.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(certificates) }
}

/// A server's side of TLS. Connections take what is in force when they begin.
pub struct Tls {
    files: TlsFiles,
    /// The files as they were read last, good or not: so bad ones are told of once.
    read: Mutex<Contents>,
    config: RwLock<Arc<ServerConfig>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// They are not good.
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let read = Contents::read(&files)?;
        let config = read.config(&files)?;
        Ok(Self { files, read: Mutex::new(read), config: RwLock::new(Arc::new(config)) })
    }

    /// Reads the files again if they have changed. Whether they have.
    ///
    /// They are not replaced at one moment, so a certificate may for a while be there without its key: that is an error, and the
    /// next time all is well.
    ///
    /// # Errors
    /// They are not good; those read before stay in force. Files are complained of once, until they change again.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.files)?;
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == contents {
            return Ok(false);
        }
        let config = contents.config(&self.files);
        *last = contents;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config?);
        Ok(true)
    }

    /// Whether clients need a certificate.
    #[must_use]
    pub fn is_mutual(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What takes connections now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
