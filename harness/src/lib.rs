//! Interop test harness for TLS forward secrecy in Postfix.

pub mod peer;
