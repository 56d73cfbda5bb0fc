//! TLS 1.0 to 1.2 with the key exchanges modern stacks leave out; for testing peers only.
