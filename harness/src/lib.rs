//! Interop test harness for TLS forward secrecy in Postfix.
