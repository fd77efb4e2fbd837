//! When a connection is encrypted, and whom we trust.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{BadSettings, SmtpSettings, Tls};

/// [`Tls`], with what it needs.
#[derive(Clone)]
pub(super) enum Encryption {
    None,
    Implicit(Trust),
    StartTls(Trust),
}

impl Encryption {
    pub(super) fn new(settings: &SmtpSettings) -> Result<Self, BadSettings> {
        let trust = || Trust::new(&settings.host, settings.ca_file.as_deref());
        Ok(match settings.tls {
            Tls::None => Self::None,
            Tls::Implicit => Self::Implicit(trust()?),
            Tls::StartTls => Self::StartTls(trust()?),
        })
    }
}

/// Which certificates we take, and for which name.
#[derive(Clone)]
pub(super) struct Trust {
    pub(super) connector: TlsConnector,
    pub(super) server: ServerName<'static>,
}

impl Trust {
    fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, BadSettings> {
        let server = ServerName::try_from(host.to_owned())
            .map_err(|_| BadSettings::Host(host.to_owned()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| BadSettings::NoTrust)?
            .with_root_certificates(roots(ca_file)?)
            .with_no_client_auth();
        Ok(Self { connector: Arc::new(config).into(), server })
    }
}

/// The machine's trusted certificates and those of `ca_file`.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, BadSettings> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let own = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| BadSettings::ca_file(path, error))?;
        if own.is_empty() {
            return Err(BadSettings::ca_file(path, "it holds no certificate"));
        }
        for certificate in own {
            roots.add(certificate).map_err(|error| BadSettings::ca_file(path, error))?;
        }
    }
    if roots.is_empty() { Err(BadSettings::NoTrust) } else { Ok(roots) }
}
