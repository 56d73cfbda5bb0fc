//! A mail to send and a message received.

use super::SmtpError;
use super::line::escaped;

/// Largest message taken, in bytes after dot-unstuffing.
pub const MAX_MESSAGE: usize = 1 << 20;

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Envelope sender, without angle brackets; empty for the null sender.
    pub from: String,
    /// Envelope recipient, without angle brackets.
    pub to: String,
    /// Headers, an empty line, text; line ends may be LF or CR LF.
    pub body: String,
}

impl Mail {
    /// A mail with a minimal header and one line of text.
    #[must_use]
    pub fn new(from: &str, to: &str, subject: &str) -> Self {
        let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            body: format!(
                "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\n{subject}\r\n"
            ),
        }
    }

    /// Refuses an envelope that would end its command early.
    ///
    /// # Errors
    /// When an address holds a control character, a blank or an angle bracket, or makes the command too long.
    pub(crate) fn check(&self) -> Result<(), SmtpError> {
        check("sender", &self.from)?;
        check("recipient", &self.to)?;
        if self.to.is_empty() {
            return Err(SmtpError::Unsendable {
                what: "recipient",
                value: String::new(),
                why: "it is empty",
            });
        }
        Ok(())
    }

    /// The text as it goes on the wire: CR LF line ends, dots doubled, the final dot (RFC 5321 section 4.5.2).
    pub(crate) fn stuffed(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.body.len() + 64);
        for line in self.body.lines() {
            if line.starts_with('.') {
                wire.push(b'.');
            }
            wire.extend(line.bytes().filter(|&byte| byte != b'\r'));
            wire.extend(b"\r\n");
        }
        wire.extend(b".\r\n");
        wire
    }
}

/// Refuses text that cannot stand in an SMTP command.
pub(crate) fn check(what: &'static str, value: &str) -> Result<(), SmtpError> {
    let why = if value.len() > 256 {
        "it has more than 256 bytes"
    } else if value
        .chars()
        .any(|c| c.is_control() || c == ' ' || c == '<' || c == '>')
    {
        "it holds a control character, a blank or an angle bracket"
    } else {
        return Ok(());
    };
    let start: Vec<u8> = value.bytes().take(80).collect();
    Err(SmtpError::Unsendable {
        what,
        value: escaped(&start),
        why,
    })
}

/// A message received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The name in EHLO or HELO.
    pub helo: String,
    /// Envelope sender, without angle brackets.
    pub from: String,
    /// Envelope recipients, without angle brackets, in order.
    pub to: Vec<String>,
    /// Header and text with CR LF line ends, dots unstuffed; at most [`MAX_MESSAGE`] bytes.
    pub data: Vec<u8>,
}

impl Message {
    /// Header and text with LF line ends; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).replace("\r\n", "\n")
    }

    /// The values of all header fields called `name` (any case), topmost first, folded lines joined by `\n` as they
    /// stand, so that a continuation still begins with its blank.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let mut values: Vec<String> = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let (true, Some(value)) = (inside, values.last_mut()) {
                    value.push('\n');
                    value.push_str(line);
                }
                continue;
            }
            inside = false;
            if let Some((field, value)) = line.split_once(':')
                && field.eq_ignore_ascii_case(name)
            {
                inside = true;
                values.push(value.strip_prefix(' ').unwrap_or(value).to_owned());
            }
        }
        values
    }
}
