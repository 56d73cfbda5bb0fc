//! Lines of bounded length over a byte stream.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::tap::{begins_tls, gone};
use super::{Reply, SmtpError};

/// Longest line read, in bytes with its CR LF. RFC 5321 section 4.5.3.1 asks for 512 (commands, replies) and 1000
/// (text); Postfix itself takes 2048 (`line_length_limit`).
pub const MAX_LINE: usize = 4096;

/// Most lines of one reply.
pub const MAX_REPLY_LINES: usize = 64;

/// How much is asked of the stream at once.
const CHUNK: usize = 4096;

/// A stream read line by line and written in whole commands.
#[derive(Debug)]
pub struct Lines<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    /// Reads from and writes to `stream`.
    pub const fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The next line without its CR LF, or nothing at a clean end of the stream.
    ///
    /// # Errors
    /// When the stream fails, ends within a line, or carries a line that is too long or ends in a bare LF.
    pub async fn line(&mut self) -> Result<Option<Vec<u8>>, SmtpError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self
                .buffer
                .iter()
                .skip(searched)
                .position(|&byte| byte == b'\n')
            {
                let end = searched + at;
                if end >= MAX_LINE {
                    return Err(self.too_long());
                }
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                if line.pop_if(|byte| *byte == b'\r').is_none() {
                    return Err(SmtpError::BareLineFeed {
                        line: escaped(&line),
                    });
                }
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if searched >= MAX_LINE {
                return Err(self.too_long());
            }
            if self.fill().await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(SmtpError::Closed {
                        expected: "the end of a line",
                    })
                };
            }
        }
    }

    /// Whether what comes next is the beginning of TLS.
    ///
    /// # Errors
    /// When the stream fails.
    pub(super) async fn is_tls(&mut self) -> Result<bool, SmtpError> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        Ok(self.buffer.first().is_some_and(|first| begins_tls(*first)))
    }

    /// The next reply, all its lines.
    ///
    /// # Errors
    /// When the stream ends or fails, or what comes is not a reply or exceeds the limits.
    pub async fn reply(&mut self) -> Result<Reply, SmtpError> {
        let mut reply: Option<Reply> = None;
        loop {
            let line = self.line().await?.ok_or(SmtpError::Closed {
                expected: "a reply",
            })?;
            let (code, last, text) = reply_line(&line).ok_or_else(|| SmtpError::NotAReply {
                line: escaped(&line),
            })?;
            let current = reply.get_or_insert_with(|| Reply {
                code,
                lines: Vec::new(),
            });
            if current.code != code {
                return Err(SmtpError::MixedReply {
                    expected: current.code,
                    found: code,
                });
            }
            if current.lines.len() == MAX_REPLY_LINES {
                return Err(SmtpError::ReplyTooLong {
                    limit: MAX_REPLY_LINES,
                });
            }
            current.lines.push(escaped(text));
            if last {
                return Ok(reply.unwrap_or(Reply {
                    code,
                    lines: Vec::new(),
                }));
            }
        }
    }

    /// Writes `bytes` and flushes them. That the other side has gone is no error yet: what it said last is still to be
    /// read, and says why.
    ///
    /// # Errors
    /// When the stream fails otherwise.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), SmtpError> {
        let written = match self.stream.write_all(bytes).await {
            Ok(()) => self.stream.flush().await,
            failed => failed,
        };
        match written {
            Err(error) if !gone(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The stream, for TLS to take over, and the bytes already read from it. TLS must see those too: text injected
    /// after STARTTLS then breaks the handshake instead of passing unseen (RFC 3207 section 4.2).
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.buffer)
    }

    /// The stream itself.
    pub const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Reads until the other side closes and throws away what it says.
    ///
    /// # Errors
    /// When the stream fails.
    pub async fn drain(&mut self) -> Result<(), SmtpError> {
        loop {
            self.buffer.clear();
            if self.fill().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn fill(&mut self) -> Result<usize, SmtpError> {
        let mut chunk = [0_u8; CHUNK];
        let count = self.stream.read(&mut chunk).await?;
        self.buffer.extend(chunk.iter().take(count));
        Ok(count)
    }

    fn too_long(&self) -> SmtpError {
        let start: Vec<u8> = self.buffer.iter().take(40).copied().collect();
        SmtpError::LineTooLong {
            limit: MAX_LINE,
            start: escaped(&start),
        }
    }
}

/// Code, whether it is the last line, and text of one line of a reply.
pub(crate) fn reply_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let (last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    (200..600).contains(&code).then_some((code, last, text))
}

/// Text from the wire, made harmless for a terminal: UTF-8 as it is, control characters and other bytes escaped.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
