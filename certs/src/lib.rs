//! Test PKI for TLS interop tests of mail servers.
