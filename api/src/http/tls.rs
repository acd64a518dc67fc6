//! The certificate of the server.

use crate::config::TlsSettings;
use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// The TLS configuration for a certificate and its key.
///
/// # Errors
/// If a file cannot be read, or the key does not match the certificate.
pub(super) fn tls_config(settings: &TlsSettings) -> anyhow::Result<ServerConfig> {
    let named = |what: &str, path: &std::path::Path| format!("api.tls.{what}: {}", path.display());
    let certificates = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| named("certificate", &settings.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).with_context(|| named("key", &settings.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("api.tls: the key does not match the certificate")
}
