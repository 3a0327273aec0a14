//! A certificate authority and certificates of it, made for one server and forgotten with it.

use std::{fmt, io, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// What a server shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// A good one for 127.0.0.1.
    Good,
    /// One for `ucondb.example.org`.
    OfAnotherHost,
    /// One for 127.0.0.1 that ended with the year 2020.
    Expired,
}

/// What a server needs to speak TLS, and its clients to trust it.
pub(crate) struct Identity {
    authority: CertifiedIssuer<'static, KeyPair>,
    /// With a good certificate.
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) authority_pem: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    pub(crate) fn make() -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let authority = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let acceptor = acceptor(&authority, Certificate::Good)?;
        Ok(Self { acceptor, authority_pem: authority.pem(), authority })
    }

    /// Speaks TLS with another certificate of the same authority.
    pub(crate) fn acceptor_with(&self, certificate: Certificate) -> io::Result<TlsAcceptor> {
        acceptor(&self.authority, certificate)
    }
}

fn acceptor(authority: &CertifiedIssuer<'static, KeyPair>, certificate: Certificate) -> io::Result<TlsAcceptor> {
    let host = if certificate == Certificate::OfAnotherHost { "ucondb.example.org" } else { "127.0.0.1" };
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(io::Error::other)?;
    if certificate == Certificate::Expired {
        params.not_after = date_time_ymd(2020, 12, 31);
    }
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params.signed_by(&key, authority).map_err(io::Error::other)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
