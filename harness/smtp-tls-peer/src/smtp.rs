//! A minimal SMTP (RFC 5321), both sides, on any byte stream: enough to carry one message through Postfix, with and
//! without STARTTLS (RFC 3207), and strict about everything the other side may send.

pub mod client;
pub mod line;
pub mod message;
pub mod server;

pub use client::Client;
pub use line::{Lines, MAX_LINE, MAX_REPLY_LINES};
pub use message::{MAX_MESSAGE, Mail, Message};
pub use server::{Event, Offer, Server};

use std::fmt;

/// A complete SMTP reply: a code and one or more lines of text (RFC 5321 section 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// The text of each line, without code and separator; control characters are escaped.
    pub lines: Vec<String>,
}

impl Reply {
    /// Whether the reply says that the command succeeded (2xx) or may go on (3xx).
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// Whether this reply to EHLO offers STARTTLS.
    pub(super) fn offers_starttls(&self) -> Result<(), SmtpError> {
        self.lines
            .iter()
            .any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"))
            .then_some(())
            .ok_or(SmtpError::NotOffered)
    }

    /// The queue id in Postfix's reply to the end of DATA, `250 2.0.0 Ok: queued as 4CABC…`.
    #[must_use]
    pub fn queue_id(&self) -> Option<&str> {
        let (_, rest) = self.lines.last()?.split_once("queued as ")?;
        rest.split_whitespace().next()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" / "))
    }
}

/// What was said on a connection so far. It outlives the connection, so that a report can tell how far it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// The step that was under way last.
    pub stage: Stage,
    /// Replies received, in order; filled by a client. At most [`MAX_ENTRIES`].
    pub replies: Vec<Reply>,
    /// Commands received, in order; filled by a server. At most [`MAX_ENTRIES`].
    pub commands: Vec<String>,
    /// Whether the client said QUIT.
    pub quit: bool,
}

/// How many replies or commands a [`Dialogue`] keeps; what comes later is answered but not kept.
pub const MAX_ENTRIES: usize = 256;

impl Dialogue {
    fn reply(&mut self, reply: &Reply) {
        if self.replies.len() < MAX_ENTRIES {
            self.replies.push(reply.clone());
        }
    }

    fn command(&mut self, line: &str) {
        if self.commands.len() < MAX_ENTRIES {
            self.commands.push(line.to_owned());
        }
    }
}

/// The steps of a connection, in the order in which they happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The options of the peer are turned into a configuration; nothing has been sent.
    #[default]
    Options,
    /// A client connects, a server waits for a connection.
    Connect,
    /// The server's 220 greeting.
    Banner,
    /// EHLO before TLS.
    Ehlo,
    /// The STARTTLS command and its reply.
    Starttls,
    /// The TLS handshake.
    Handshake,
    /// EHLO inside TLS.
    EhloTls,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA and its 354 reply.
    Data,
    /// The text of the message and the reply to its end.
    Message,
    /// The message is accepted, QUIT and its reply are left.
    Quit,
    /// Everything was said.
    Done,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Options => "options",
            Self::Connect => "connect",
            Self::Banner => "banner",
            Self::Ehlo => "EHLO",
            Self::Starttls => "STARTTLS",
            Self::Handshake => "TLS handshake",
            Self::EhloTls => "EHLO inside TLS",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Message => "end of message",
            Self::Quit => "QUIT",
            Self::Done => "done",
        })
    }
}

/// What can go wrong on an SMTP connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// Reading or writing failed; inside TLS the cause may be a TLS error.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The connection ended where more was expected.
    #[error("connection closed by the other side while waiting for {expected}")]
    Closed {
        /// What should have come.
        expected: &'static str,
    },
    /// A line without an end.
    #[error(
        "line of more than {limit} bytes received, beginning \"{start}\"; at most {limit} are read"
    )]
    LineTooLong {
        /// The limit in bytes, line end included.
        limit: usize,
        /// The first bytes, escaped.
        start: String,
    },
    /// A line that ends in LF without CR, which RFC 5321 section 2.3.8 forbids.
    #[error("line \"{line}\" ends in a bare LF; expected CR LF")]
    BareLineFeed {
        /// The line, escaped.
        line: String,
    },
    /// What TLS begins with, in clear, where a command was expected: a client that does not know of STARTTLS.
    #[error("the client began TLS where a command was expected")]
    TlsInClear,
    /// A reply that is not `ddd[ -]text`.
    #[error("line \"{line}\" received; expected a reply such as \"250 Ok\"")]
    NotAReply {
        /// The line, escaped.
        line: String,
    },
    /// A reply whose lines carry different codes.
    #[error("reply line with code {found} inside a reply with code {expected}")]
    MixedReply {
        /// Code of the first line.
        expected: u16,
        /// Code of the line that differs.
        found: u16,
    },
    /// A reply of too many lines.
    #[error("reply of more than {limit} lines received")]
    ReplyTooLong {
        /// The limit in lines.
        limit: usize,
    },
    /// The server said no, or something that does not fit.
    #[error("{command} was answered {reply}; expected {expected}")]
    Refused {
        /// What was asked, in short.
        command: String,
        /// The answer.
        reply: Reply,
        /// The code that lets the dialogue go on.
        expected: u16,
    },
    /// The server does not offer STARTTLS.
    #[error("STARTTLS was not offered in the reply to EHLO")]
    NotOffered,
    /// A message over [`MAX_MESSAGE`].
    #[error("message of more than {limit} bytes received")]
    MessageTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A client that sends nothing but nonsense.
    #[error("{count} commands received that SMTP does not know, the last one \"{last}\"")]
    Nonsense {
        /// How many.
        count: usize,
        /// The last of them, escaped.
        last: String,
    },
    /// An address, name or text of our own that cannot be sent.
    #[error("{what} \"{value}\" cannot be sent: {why}")]
    Unsendable {
        /// Which part of the mail.
        what: &'static str,
        /// The value, escaped.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
}
