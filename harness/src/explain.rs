//! What a log, a header or a report says of TLS, in plain words.
//!
//! ```text
//! any text → reader   sessions, headers, single lines        (streaming, constant memory)
//!          → words    statements: negotiated, forward secret, status, what is left out
//!          → causes   who gave up, why, what to look at next
//!          → summary  the whole log in counts
//!          → show     text, JSON
//! ```
//!
//! Every statement rests on parsed facts and says no more than they do. Nothing is called plain text because it was not understood.

mod causes;
mod reader;
mod settings;
mod show;
mod summary;
mod words;

pub use reader::{Item, Reader};
pub use show::{Shown, json};
pub use summary::Summary;

use serde::Serialize;

use crate::observe::log::LogEvent;
use crate::observe::received::{Received, Transport};
use postfix_tls_log::Session;

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Protocol, cipher, key exchange, signatures.
    Negotiated,
    /// Whether a recording can be read later by who gets a key.
    ForwardSecrecy,
    /// The status word, or what a header says of the client's certificate.
    Status,
    /// What this version's line does not have.
    LeftOut,
    /// Who ended it, and why.
    Failure,
    /// A setting, a file, a table, DNS.
    Setting,
    /// What became of the mail.
    Delivery,
    /// What is missing from the log.
    Gap,
}

/// One sentence or two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Statement {
    /// What it is about.
    pub about: About,
    /// In plain words.
    pub text: String,
}

/// What to look at next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Advice {
    /// What to look at, and why.
    pub text: String,
    /// The parameter of main.cf, where it is one.
    pub parameter: Option<String>,
    /// Its documentation.
    pub documentation: String,
}

/// What one session, header or line comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Explanation {
    /// In order of interest.
    pub statements: Vec<Statement>,
    /// Empty if nothing went wrong.
    pub next: Vec<Advice>,
}

impl Explanation {
    fn say(&mut self, about: About, text: impl Into<String>) {
        let statement = Statement {
            about,
            text: text.into(),
        };
        if !self.statements.contains(&statement) {
            self.statements.push(statement);
        }
    }

    /// Once, however many lines lead to it.
    fn next(&mut self, advice: Advice) {
        if !self.next.contains(&advice) {
            self.next.push(advice);
        }
    }

    fn advise(&mut self, parameter: &str, text: impl Into<String>) {
        self.next(Advice {
            text: text.into(),
            parameter: Some(parameter.to_owned()),
            documentation: format!("https://www.postfix.org/postconf.5.html#{parameter}"),
        });
    }

    fn read(&mut self, page: &str, text: impl Into<String>) {
        self.next(Advice {
            text: text.into(),
            parameter: None,
            documentation: format!("https://www.postfix.org/{page}"),
        });
    }

    /// All of a kind, for tests and for JSON's readers.
    pub fn about(&self, about: About) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .filter(move |one| one.about == about)
            .map(|one| one.text.as_str())
    }
}

/// What a session's lines say.
pub fn session(session: &Session) -> Explanation {
    let mut out = Explanation::default();
    if let Some(tls) = &session.tls {
        words::negotiated(&mut out, tls);
        words::status(&mut out, tls, session.role);
    }
    causes::failure(&mut out, session);
    for event in &session.events {
        settings::event(&mut out, event, session.role);
    }
    words::deliveries(&mut out, session);
    for gap in &session.gaps {
        out.say(About::Gap, format!("Beware: {gap}."));
    }
    if session.omitted > 0 {
        out.say(
            About::Gap,
            format!(
                "{} more lines of this session are not looked at.",
                session.omitted
            ),
        );
    }
    if session.tls.is_none()
        && out
            .statements
            .iter()
            .all(|one| one.about == About::Delivery)
    {
        out.say(
            About::Negotiated,
            "The log has no line about a TLS handshake here. That does not prove plain text: *_tls_loglevel = 0 logs none.",
        );
    }
    out
}

/// What a header says.
pub fn header(header: &Received) -> Explanation {
    let mut out = Explanation::default();
    match header.transport() {
        Transport::Session(tls) => {
            words::negotiated(&mut out, tls);
            words::client_certificate(&mut out, header);
        }
        Transport::TlsNotUnderstood(comment) => out.say(
            About::Negotiated,
            format!(
                "It came in TLS, by a comment that is not Postfix's: \"{comment}\". Its details are not interpreted here."
            ),
        ),
        Transport::TlsWithoutDetails => {
            out.say(
                About::Negotiated,
                format!(
                    "It came in TLS, by the protocol's name {} (RFC 3848). The header has no details.",
                    header.with.as_deref().unwrap_or_default()
                ),
            );
            out.advise(
                "smtpd_tls_received_header",
                "With yes, the server writes protocol, cipher and key exchange into the header.",
            );
        }
        Transport::NotSaid => out.say(
            About::Negotiated,
            "The header does not say whether this hop had TLS. That proves nothing: not every server says so.",
        ),
    }
    out
}

/// What a line says that belongs to no session.
pub fn line(event: &LogEvent) -> Explanation {
    let mut out = Explanation::default();
    settings::event(&mut out, event, None);
    out
}

#[cfg(test)]
mod tests;
