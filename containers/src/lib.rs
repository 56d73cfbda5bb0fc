//! Starts real Postfix mail servers for interop tests, in Docker or in a chroot.
