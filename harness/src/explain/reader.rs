//! Any text, line by line: log lines wherever they stand, `Received:` headers, bare messages; the rest is passed by.

use std::io::{self, BufRead, Read as _};

use crate::observe::log::LogEvent;
use crate::observe::received::{Received, Transport};
use postfix_tls_log::event::Configuration;
use postfix_tls_log::{LogLine, Session, Sessions};

/// Bytes of a line that are looked at; what follows is read and thrown away.
const LONGEST_LINE: u64 = 64 * 1024;
/// Lines of one header.
const MOST_HEADER_LINES: usize = 64;

/// What was found.
#[derive(Debug)]
pub enum Item {
    /// The lines of one connection.
    Session(Box<Session>),
    /// A `Received:` header that says something of TLS, or might have.
    Header(Box<Received>),
    /// A line of a program that has no sessions.
    Line {
        /// Tag, program and process id, as printed.
        name: String,
        /// As printed.
        time: String,
        /// What it says.
        event: Box<LogEvent>,
    },
}

/// Reads text and hands on what it finds, in constant memory.
#[derive(Debug, Default)]
pub struct Reader {
    sessions: Sessions,
    header: Option<Header>,
    lines: u64,
    known: u64,
}

#[derive(Debug)]
struct Header {
    text: String,
    lines: usize,
    /// Only the comment was there.
    bare: bool,
}

impl Reader {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines read, and those among them that Postfix wrote.
    pub fn counts(&self) -> (u64, u64) {
        (self.lines, self.known)
    }

    /// Reads `input` to its end. Sessions that it leaves open go on with the next input.
    ///
    /// # Errors
    /// `input` cannot be read.
    pub fn read(&mut self, input: &mut dyn BufRead, found: &mut dyn FnMut(Item)) -> io::Result<()> {
        let (mut current, mut next) = (Vec::new(), Vec::new());
        if !line_into(input, &mut current)? {
            return Ok(());
        }
        loop {
            let more = line_into(input, &mut next)?;
            // A mail program breaks long lines: what is indented may belong to the line before.
            let folded = more
                && next
                    .first()
                    .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            let joined = match folded {
                true => self.joined(
                    &String::from_utf8_lossy(&current),
                    &String::from_utf8_lossy(&next),
                ),
                false => None,
            };
            if let Some(joined) = joined {
                self.lines += 1;
                current = joined.into_bytes();
                continue;
            }
            self.line(&String::from_utf8_lossy(&current), found);
            if !more {
                break;
            }
            std::mem::swap(&mut current, &mut next);
        }
        self.end_header(found);
        Ok(())
    }

    /// What is still open.
    pub fn finish(&mut self, found: &mut dyn FnMut(Item)) {
        self.end_header(found);
        for session in std::mem::take(&mut self.sessions).finish() {
            found(Item::Session(Box::new(session)));
        }
    }

    /// The two lines as one, if the first is a log line that is not understood alone and the second is none.
    fn joined(&self, first: &str, second: &str) -> Option<String> {
        if self.header.is_some() {
            return None;
        }
        let line = LogLine::parse(first)?;
        let open = match LogEvent::parse(&line.daemon, &line.text) {
            LogEvent::Other(_) | LogEvent::Warning(_) => true,
            LogEvent::Configuration(Configuration::Policy { text }) => !text.contains(": "),
            _ => false,
        };
        let rest = second.trim();
        (open && !rest.is_empty() && LogLine::parse(second).is_none())
            .then(|| format!("{} {rest}", first.trim_end()))
    }

    fn line(&mut self, text: &str, found: &mut dyn FnMut(Item)) {
        self.lines += 1;
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some(line) = LogLine::parse(text) {
            self.end_header(found);
            self.known += 1;
            let event = LogEvent::parse(&line.daemon, &line.text);
            self.event(&line, event, found);
            return;
        }
        let core = text.trim_start_matches([' ', '\t', '>', '*', '|']);
        if self.in_header(text, core, found) || core.is_empty() {
            return;
        }
        let core = core
            .trim_start_matches(['`', '-', '"', ' '])
            .trim_end_matches(['*', '`', '"', ' ']);
        // `journalctl -o export` and `-o verbose`.
        let core = core.strip_prefix("MESSAGE=").unwrap_or(core);
        if let Some(event) = bare(core) {
            self.known += 1;
            self.event(&LogLine::parse_or_text(core), event, found);
        }
    }

    fn event(&mut self, line: &LogLine<'_>, event: LogEvent, found: &mut dyn FnMut(Item)) {
        let own = matches!(
            &*line.daemon,
            "smtpd"
                | "smtp"
                | "lmtp"
                | "tlsproxy"
                | "postscreen"
                | "posttls-finger"
                | "verify"
                | ""
        );
        let telling = matches!(
            event,
            LogEvent::Configuration(_)
                | LogEvent::Dane(_)
                | LogEvent::DeadProcess(_)
                | LogEvent::Fatal(_)
                | LogEvent::LibraryProblem(_)
                | LogEvent::Sasl(_)
        );
        if !own && telling {
            found(Item::Line {
                name: match line.pid {
                    Some(pid) => format!("{}[{pid}]", line.name()),
                    None => line.name(),
                },
                time: line.time.to_string(),
                event: Box::new(event.clone()),
            });
        }
        for session in self.sessions.push(line, event) {
            found(Item::Session(Box::new(session)));
        }
    }

    /// Whether the line belongs to a header.
    fn in_header(&mut self, text: &str, core: &str, found: &mut dyn FnMut(Item)) -> bool {
        let name = core
            .get(..9)
            .is_some_and(|name| name.eq_ignore_ascii_case("Received:"));
        let bare = core.starts_with("(using TLS") || core.starts_with("(using SSL");
        let quoted = text.trim_start_matches(['>', '*', '|']);
        let folded = quoted.starts_with([' ', '\t']) || text.trim_start().starts_with("> ");
        if let Some(header) = &mut self.header {
            let another = core.split_once(':').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
            });
            if folded && !core.is_empty() && !another && header.lines < MOST_HEADER_LINES {
                header.text.push('\n');
                header.text.push(' ');
                header.text.push_str(core.trim_end_matches('*'));
                header.lines += 1;
                return true;
            }
            self.end_header(found);
        }
        if name || bare {
            self.header = Some(Header {
                text: if bare {
                    format!("Received: from -\n {core}")
                } else {
                    core.to_owned()
                },
                lines: 1,
                bare,
            });
        }
        name || bare
    }

    fn end_header(&mut self, found: &mut dyn FnMut(Item)) {
        let Some(mut header) = self.header.take() else {
            return;
        };
        if header.bare && !header.text.contains(" by ") {
            header.text.push_str(" by -");
        }
        if let Some(received) = Received::parse(&header.text) {
            self.known += 1;
            let says = !matches!(received.transport(), Transport::NotSaid);
            if says || received.client.is_some() {
                found(Item::Header(Box::new(received)));
            }
        }
    }
}

/// A message of Postfix without anything before it, as `journalctl -o cat` and people write it. Only words that nobody else uses count.
fn bare(text: &str) -> Option<LogEvent> {
    let event = LogEvent::parse("", text);
    let sure = match &event {
        LogEvent::Abort { .. }
        | LogEvent::CertificateVerification(_)
        | LogEvent::ClientProblem { .. }
        | LogEvent::Delivery(_)
        | LogEvent::LibraryProblem(_)
        | LogEvent::LostConnection { .. }
        | LogEvent::SniInvalid { .. }
        | LogEvent::SniNotMatched { .. }
        | LogEvent::SslError(_)
        | LogEvent::Tls(_)
        | LogEvent::TlsReport(_) => true,
        LogEvent::Configuration(_)
        | LogEvent::Dane(_)
        | LogEvent::DhParameters(_)
        | LogEvent::Sasl(_) => text.starts_with("warning: "),
        _ => false,
    };
    sure.then_some(event)
}

/// The next line without its end; `false` at the end of the input.
fn line_into(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = (&mut *input).take(LONGEST_LINE).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(false);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}
