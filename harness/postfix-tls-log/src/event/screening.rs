//! postscreen and tlsproxy, which name a client `[address]:port`.

use crate::summary::PeerName;

/// A line of postscreen or tlsproxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Screening {
    /// `CONNECT from [A]:P to [B]:Q` of postscreen; `CONNECT from|to [A]:P` of tlsproxy.
    Connect {
        /// The other end of the TLS or SMTP session.
        peer: PeerName,
        /// Whether tlsproxy is the client (`to`).
        outgoing: bool,
    },
    /// `DISCONNECT [A]:P`.
    Disconnect {
        /// The other end.
        peer: PeerName,
    },
    /// `TLS handshake failed for service=S peer=[A]:P`.
    HandshakeFailed {
        /// The name of the service.
        service: String,
        /// The other end.
        peer: PeerName,
    },
    /// Any other verdict in capitals: `PASS NEW`, `PASS OLD`, `HANGUP`, `PREGREET`, `ALLOWLISTED`, `COMMAND PIPELINING`, …
    Verdict {
        /// The words in capitals.
        verdict: String,
        /// The client.
        peer: PeerName,
        /// The line.
        text: String,
    },
    /// `request from tlsproxy client with unexpected settings` and its kin: the caller's settings and tlsproxy's own differ.
    SettingsDiffer {
        /// The line.
        text: String,
    },
    /// `TLS client role is disabled by configuration`, `SERVICE service role "client" is not available`.
    RoleUnavailable {
        /// The line.
        text: String,
    },
}

impl Screening {
    /// Parses a line without its `warning: `, if it had one.
    pub(super) fn parse(daemon: &str, text: &str) -> Option<Self> {
        let role = text.ends_with(" role is disabled by configuration")
            || text.starts_with("TLS server role is disabled with ")
            || text.starts_with("TLS service is requested, but disabled with ")
            || text.contains(" service role \"") && text.ends_with("\" is not available");
        if role {
            return Some(Self::RoleUnavailable {
                text: text.to_owned(),
            });
        }
        let settings = daemon == "tlsproxy"
            && (text.starts_with("request from tlsproxy ")
                || text.starts_with("to avoid this warning, ")
                || text.starts_with("(server) '"));
        if settings {
            return Some(Self::SettingsDiffer {
                text: text.to_owned(),
            });
        }
        if let Some(rest) = text.strip_prefix("TLS handshake failed for service=") {
            let (service, peer) = rest.split_once(" peer=")?;
            return Some(Self::HandshakeFailed {
                service: service.to_owned(),
                peer: PeerName::parse(peer)?,
            });
        }
        if !matches!(daemon, "postscreen" | "tlsproxy") {
            return None;
        }
        if let Some(peer) = text.strip_prefix("DISCONNECT ") {
            let peer = PeerName::parse(peer)?;
            return Some(Self::Disconnect { peer });
        }
        if let Some(rest) = text.strip_prefix("CONNECT ") {
            let mut words = rest.split(' ');
            let outgoing = match words.next()? {
                "to" => true,
                "from" => false,
                _ => return None,
            };
            let peer = PeerName::parse(words.next()?)?;
            return Some(Self::Connect { peer, outgoing });
        }
        verdict(text)
    }
}

fn verdict(text: &str) -> Option<Screening> {
    let capitals =
        |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    let words: Vec<&str> = text.split(' ').take_while(capitals).collect();
    let peer = text.split(' ').skip(words.len()).find_map(|word| {
        let word = word.trim_end_matches(':');
        word.starts_with('[').then(|| PeerName::parse(word))?
    })?;
    (!words.is_empty()).then(|| Screening::Verdict {
        verdict: words.join(" "),
        peer,
        text: text.to_owned(),
    })
}
