//! A few words for what a case came to on a target, out of the text of its snapshot.

use classic_tls::names::{CipherSuite, KeyExchangeKind};

use crate::evidence::Section;
use crate::observe::summary::TlsSummary;
use crate::scenario::{Disclosure, Expect};
use crate::snapshot::sections;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// `TLSv1.2`.
    Protocol,
    /// OpenSSL's name.
    Cipher,
    /// Group, prime, or static RSA.
    KeyExchange,
    /// What the server's key makes of the recording later.
    Disclosure,
    /// Whether the last session went on with an earlier one.
    Resumption,
    /// First word of the client's log line.
    ClientStatus,
    /// First word of the server's log line.
    ServerStatus,
    /// How the server signed.
    Signature,
    /// The name after `to` in the server's log line.
    Sni,
    /// The comment on the client certificate.
    Received,
    /// The client's groups.
    Offer,
    /// What became of the mail, if it did not arrive.
    Failure,
}

/// The facts of one case on one target, each with its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(pub Vec<(Fact, String)>);

impl Facts {
    /// Reads a snapshot. What only some scenarios are about (signature, SNI, header, offer) is
    /// told where `expect` speaks of it.
    pub fn of(snapshot: &str, expect: &Expect) -> Self {
        let snapshot = &sections(snapshot)[..];
        let mut facts = Vec::new();
        let mut say = |fact, words: Option<String>| {
            facts.extend(words.map(|words| (fact, words)));
        };
        let client = summary(snapshot, Section::ClientLog);
        let server = summary(snapshot, Section::ServerLog);
        let session = server.as_ref().or(client.as_ref());
        let chosen = chosen(snapshot);
        let protocol = session.map(|s| s.protocol.to_string());
        let cipher = session.map(|s| s.cipher.clone());
        let (protocol, cipher) = match (protocol, cipher, chosen) {
            (None, None, Some((protocol, cipher))) => (Some(protocol), Some(cipher)),
            (protocol, cipher, _) => (protocol, cipher),
        };
        let exchange = exchange(snapshot, cipher.as_deref());
        say(Fact::Protocol, protocol);
        say(Fact::Cipher, cipher);
        // A prime without a name is expected by that of its file.
        let file = expect.prime.as_deref().filter(|p| p.starts_with("dh:"));
        let exchange = exchange.map(|words| match (words.strip_suffix(", unknown"), file) {
            (Some(size), Some(file)) => format!("{size}, that of {file}"),
            _ => words,
        });
        say(Fact::KeyExchange, exchange);
        say(
            Fact::Disclosure,
            expect.disclosure.map(|disclosure| match disclosure {
                Disclosure::Opens => "the key opens the recording".to_owned(),
                Disclosure::Sealed => "the key does not open the recording".to_owned(),
            }),
        );
        let resumed = expect.resumed.map(|yes| match yes {
            true => "resumed".to_owned(),
            false => "not resumed".to_owned(),
        });
        say(Fact::Resumption, resumed);
        let status = |summary: &Option<TlsSummary>, side: &str| {
            let status = summary.as_ref()?.status?;
            Some(format!("{side} {status}"))
        };
        say(Fact::ClientStatus, status(&client, "client"));
        say(Fact::ServerStatus, status(&server, "server"));
        if expect.server_signature.is_some() || expect.server_digest.is_some() {
            let signature = session.and_then(|s| {
                let digest = s.server_digest.as_deref().unwrap_or("no digest");
                Some(format!("{}, {digest}", s.server_signature.as_ref()?))
            });
            say(Fact::Signature, signature);
        }
        if expect.sni.is_some() {
            let name = server.as_ref().and_then(|s| s.sni.as_deref());
            say(
                Fact::Sni,
                server.as_ref().map(|_| match name {
                    Some(name) => format!("to {name}"),
                    None => "no `to`".to_owned(),
                }),
            );
        }
        if expect.received_client.is_some() || expect.received_tls.is_some() {
            say(Fact::Received, received(snapshot));
        }
        if expect.groups_offered.is_some() {
            let offer =
                section(snapshot, Section::ClientHello).find_map(|l| l.strip_prefix("groups: "));
            say(Fact::Offer, offer.map(|groups| format!("offers {groups}")));
        }
        say(Fact::Failure, failure(snapshot));
        Self(facts)
    }

    /// What all of `several` say.
    pub fn common<'a>(several: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut several = several.into_iter();
        let mut common = several.next().cloned().unwrap_or_default();
        for other in several {
            common.0.retain(|fact| other.0.contains(fact));
        }
        common
    }

    /// In a few words.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|(_, words)| words.as_str()).collect();
        words.join(", ")
    }
}

/// The lines of one witness.
fn section<'a>(snapshot: &'a [(Section, String)], wanted: Section) -> std::str::Lines<'a> {
    let text = snapshot.iter().find(|(section, _)| *section == wanted);
    text.map_or("", |(_, said)| said.as_str()).lines()
}

/// The last summary line of a log: what is expected is expected of the last of several sessions.
fn summary(snapshot: &[(Section, String)], log: Section) -> Option<TlsSummary> {
    let mut summaries = section(snapshot, log).filter_map(|line| {
        // A redacted port is no number.
        let (_, text) = line.split_once(": ")?;
        TlsSummary::from_log(&text.replace(":<port>:", ":"))
    });
    summaries.next_back()
}

/// Version and cipher of a handshake that no log tells of.
fn chosen(snapshot: &[(Section, String)]) -> Option<(String, String)> {
    let line =
        section(snapshot, Section::Wire).find_map(|line| line.strip_prefix("server chooses: "))?;
    let mut words = line.split(' ');
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

fn exchange(snapshot: &[(Section, String)], cipher: Option<&str>) -> Option<String> {
    let sent =
        section(snapshot, Section::Wire).find_map(|line| line.strip_prefix("server sends: "));
    if let Some(sent) = sent {
        return Some(sent.strip_prefix("point on ").unwrap_or(sent).to_owned());
    }
    let group = section(snapshot, Section::Wire)
        .find_map(|line| line.strip_prefix("server chooses: "))
        .and_then(|line| line.split(' ').nth(2));
    if let Some(group) = group {
        return Some(group.to_owned());
    }
    let suite = CipherSuite::from_openssl_name(cipher?)?;
    (suite.key_exchange() == KeyExchangeKind::Rsa).then(|| "static RSA".to_owned())
}

fn received(snapshot: &[(Section, String)]) -> Option<String> {
    let lines: Vec<&str> = section(snapshot, Section::Received).collect();
    let comment = lines.iter().find_map(|line| {
        let line = line.trim();
        (line.starts_with("(No client") || line.starts_with("(Client "))
            .then(|| Some(line.strip_prefix('(')?.strip_suffix(')')?.to_owned()))
            .flatten()
    });
    if comment.is_some() || lines.is_empty() {
        return comment;
    }
    let tls = lines.iter().any(|line| line.contains("(using "));
    Some(if tls { "TLS comment" } else { "no TLS comment" }.to_owned())
}

fn failure(snapshot: &[(Section, String)]) -> Option<String> {
    section(snapshot, Section::Mail).find(|line| *line == "not delivered")?;
    let alert =
        section(snapshot, Section::Wire).find_map(|line| line.strip_prefix("alert from the "));
    let alert = alert.and_then(|line| {
        let (side, words) = line.split_once(": ")?;
        Some(format!("{} by the {side}", words.rsplit(' ').next()?))
    });
    let reply = || {
        let log = section(snapshot, Section::ClientLog).find(|line| line.contains("status="))?;
        let (_, why) = log.split_once(" (")?;
        // The cause, without the peer's name before it.
        Some(why.trim_end_matches(')').to_owned())
    };
    Some(match alert.or_else(reply) {
        Some(why) => format!("**not delivered:** {why}"),
        None => "**not delivered**".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDH: &str = "[server log]\nsmtpd: connect from unknown[<address>]\n\
        smtpd: Anonymous TLS connection established from unknown[<address>]: TLSv1.2 with cipher DHE-RSA-AES256-SHA (256/256 bits)\n\n\
        [wire]\nserver chooses: TLSv1.2 DHE-RSA-AES256-SHA\nserver sends: prime of 2048 bits, modp2048 (RFC 3526)\n";

    #[test]
    fn a_session_in_a_few_words() {
        let facts = Facts::of(EDH, &Expect::default());
        assert_eq!(
            facts.words(),
            "TLSv1.2, DHE-RSA-AES256-SHA, prime of 2048 bits, modp2048 (RFC 3526), server Anonymous"
        );
    }

    #[test]
    fn a_refusal_names_the_alert_and_who_sent_it() {
        let text = "[server log]\nsmtpd: SSL_accept error from unknown[<address>]: -1\n\n\
                    [wire]\nalert from the server: fatal handshake_failure\n\n[mail]\nnot delivered\n";
        let facts = Facts::of(text, &Expect::default());
        assert_eq!(
            facts.words(),
            "**not delivered:** handshake_failure by the server"
        );
    }

    #[test]
    fn only_what_all_say_is_common() {
        let one = Facts::of(EDH, &Expect::default());
        let other = Facts::of(&EDH.replace("2048", "3072"), &Expect::default());
        assert_eq!(
            Facts::common([&one, &other]).words(),
            "TLSv1.2, DHE-RSA-AES256-SHA, server Anonymous"
        );
    }
}
