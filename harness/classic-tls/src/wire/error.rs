use crate::names::extension_name;

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
    /// A hello with the same extension twice.
    #[error("{} is sent twice", extension(*.code))]
    DoubledExtension {
        /// Its code point.
        code: u16,
    },
    /// Text where a TLS record should begin, such as a reply of SMTP.
    #[error("plain text instead of TLS: {line:?}")]
    PlainText {
        /// Its first line, without its end; at most 512 bytes.
        line: String,
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

fn extension(code: u16) -> String {
    extension_name(code).map_or(format!("extension {code}"), |name| {
        format!("the extension {name}")
    })
}
