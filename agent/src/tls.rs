//! One TLS provider for the process.

/// Makes aws-lc-rs the provider of rustls. May be called any number of times.
pub fn install_provider() {
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
