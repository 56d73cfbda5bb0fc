/// Why bytes are not the message they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The message ends inside a field.
    #[error("{what} is truncated: {needed} more bytes expected, {available} left")]
    Truncated {
        /// The field.
        what: &'static str,
        /// Bytes the field needs.
        needed: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The message goes on after its last field.
    #[error("{what} is followed by {count} bytes that belong to nothing")]
    TrailingBytes {
        /// The message or list.
        what: &'static str,
        /// Bytes left over.
        count: usize,
    },
    /// A field holds what it must not hold.
    #[error("{what} is {found}, expected {expected}")]
    Illegal {
        /// The field.
        what: &'static str,
        /// What it holds.
        found: u64,
        /// What it may hold.
        expected: &'static str,
    },
    /// A record or message is larger than the protocol or this crate allows.
    #[error("{what} has {found} bytes, at most {limit} are allowed")]
    TooLarge {
        /// The record or message.
        what: &'static str,
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
}
