//! What `smtp_tls_loglevel` and `smtpd_tls_loglevel` of 2 and more add.

mod nameless;

use super::dane::TlsaRecord;
use crate::summary::{PeerName, Side, number};

/// A line that loglevel 1 does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verbose {
    /// `PEER: depth=D verify=V subject=S`, `PEER: verify=V raw public key`: a step of the chain's verification; before 2.11
    /// `[PEER: ]certificate verification depth=D [verify=V ]subject=S`.
    ChainStep {
        /// The other end, where the line names it.
        peer: Option<PeerName>,
        /// Distance from the leaf; `None` for a raw public key.
        depth: Option<u32>,
        /// Whether OpenSSL is content so far.
        ok: bool,
        /// Such as `/CN=mail.example.test`.
        subject: Option<String>,
    },
    /// `PEER: TLS cipher list "…"`: what `tls_medium_cipherlist` and its kin came to.
    CipherList {
        /// The other end.
        peer: PeerName,
        /// In OpenSSL's language.
        list: String,
    },
    /// `subject=/CN=…`, `issuer=/CN=…`: whole names in the client's certificate, seen by the server.
    DistinguishedName {
        /// Whether it is the issuer's.
        issuer: bool,
        /// In OpenSSL's one-line form.
        name: String,
    },
    /// Loglevel 3 and 4: `read from …`, `write to …`, and rows of a hexadecimal dump.
    Dump {
        /// The line.
        text: String,
    },
    /// `PEER: subject_CN=…, issuer=…, cert fingerprint=…, pkey fingerprint=…`; 3.5 and 3.7 say `issuer_CN`, `fingerprint`,
    /// `pkey_fingerprint`.
    Identity {
        /// The other end; Postfix 2.2 to 2.4 does not name it.
        peer: Option<PeerName>,
        /// `Trusted`, `Untrusted`, `Matched`, `Verified`, `Unverified` of Postfix 2.2 to 2.8.
        word: Option<String>,
        /// Common name of the certificate.
        subject_cn: String,
        /// Common name of the issuer.
        issuer_cn: String,
        /// Digest of the certificate, in hexadecimal with colons.
        certificate_fingerprint: Option<String>,
        /// Digest of the public key.
        key_fingerprint: Option<String>,
    },
    /// `initializing the client-side TLS engine`.
    Initializing(Side),
    /// What made the peer's identity good: `Matched DANE EE certificate at depth 0: 3 1 1 …`, `Matched fingerprint: …`,
    /// `Matched trust anchor at depth 1`, and 3.5's `depth=0 matched end entity certificate sha256 digest …`.
    Matched {
        /// The other end.
        peer: PeerName,
        /// As printed, up to the colon.
        what: String,
        /// The record, where one is printed.
        record: Option<TlsaRecord>,
    },
    /// `PEER: matched peername: NAME`; 3.5 `PEER: Matched subjectAltName: NAME`.
    MatchedName {
        /// The other end.
        peer: PeerName,
        /// The name that matched.
        name: String,
    },
    /// 3.5's `PEER CommonName NAME`, `PEER: subjectAltName: NAME`: names the certificate has.
    NameSeen {
        /// The other end.
        peer: PeerName,
        /// The name.
        name: String,
    },
    /// A detail that says nothing of the outcome.
    Note {
        /// The line.
        text: String,
    },
    /// `Host offered STARTTLS: [NAME]` (`smtp_tls_note_starttls_offer`).
    Offered {
        /// The server's name.
        host: String,
    },
    /// `PEER: raw public key fingerprint=…`.
    RawPublicKey {
        /// The other end.
        peer: PeerName,
        /// Digest of the key.
        fingerprint: String,
    },
    /// `PEER: Reusing old session[ (RFC 5077 session ticket)]`.
    ResumedSession {
        /// The other end.
        peer: PeerName,
        /// Whether the server found it in a ticket.
        ticket: bool,
    },
    /// `looking for session …`, `save session …`, `reloaded session …`, `remove session …`.
    SessionCache {
        /// The line.
        text: String,
    },
    /// `setting up TLS connection to|from PEER`.
    SettingUp {
        /// The end that the logging Postfix is.
        side: Side,
        /// The other end.
        peer: PeerName,
    },
    /// `PEER: SNI hostname: NAME`: what the client asks for.
    SniSent {
        /// The server.
        peer: PeerName,
        /// The name.
        name: String,
    },
    /// `SSL_accept:…`, `SSL_connect:…`: OpenSSL's state machine, different with each of its versions; `SSL3 alert read:fatal:…`.
    State {
        /// The line.
        text: String,
    },
    /// `PEER: Issuing session ticket, key expiration: N`, `PEER: Decrypting session ticket, …`.
    Ticket {
        /// The client.
        peer: PeerName,
        /// Whether it is a new one.
        issued: bool,
        /// Seconds since 1970 (UTC) after which the ticket's key is not used any more.
        key_expiration: u64,
    },
    /// `DNSSEC-signed TLSA record: NAME: 3 1 1 …`, `fingerprint: digest as private-use TLSA record: 3 0 255 …`.
    Tlsa {
        /// The name the record has, the file it came from, or `fingerprint`.
        owner: String,
        /// The record.
        record: TlsaRecord,
    },
    /// `PEER: re-using session with untrusted certificate` (3.9: `credential`)`, look for details earlier in the log`.
    UntrustedSession {
        /// The other end.
        peer: PeerName,
    },
}

impl Verbose {
    pub(super) fn parse(text: &str) -> Option<Self> {
        general(text).or_else(|| {
            if let Some((peer, rest)) = text.split_once(": ")
                && let Some(peer) = PeerName::parse(peer)
            {
                return about(peer, rest);
            }
            if let Some(found) = nameless::parse(text) {
                return Some(found);
            }
            let (peer, name) = text.split_once(" CommonName ")?;
            Some(Self::NameSeen {
                peer: PeerName::parse(peer)?,
                name: name.to_owned(),
            })
        })
    }
}

impl Verbose {
    /// What some versions say as a warning: a name in a certificate that cannot be shown, an entry of the session cache that
    /// cannot be used.
    pub(super) fn parse_warning(text: &str) -> Option<Self> {
        let name = [
            "peer certificate has no ",
            " in peer certificate",
            " in peer ",
            "in subjectAltName",
            "error reading peer certificate ",
            "error decoding peer ",
            "peer subject too long: ",
            ": peer ",
            "TLS trace: ",
            "TLS SNI changed from ",
            "PRNG exchange file ",
            "entropy ",
        ];
        (is_cache_work(text) || name.iter().any(|part| text.contains(part))).then(|| Self::Note {
            text: text.to_owned(),
        })
    }
}

fn general(text: &str) -> Option<Verbose> {
    const SESSION_CACHE: [&str; 9] = [
        "Re-used session without ",
        "Reusing old session",
        "SSL session removed",
        "Session cache off: ",
        "looking for session ",
        "looking up session ",
        "reloaded session ",
        "remove session ",
        "save session ",
    ];
    const STATE: [&str; 7] = [
        "SSL_set_fd error to ",
        "SSL_accept error in ",
        "SSL_accept:",
        "SSL_connect:",
        "SSL3 alert ",
        "SSL3 alert write:",
        "SSL_shutdown:",
    ];
    let owned = || text.to_owned();
    if STATE.iter().any(|start| text.starts_with(start)) {
        return Some(Verbose::State { text: owned() });
    }
    if SESSION_CACHE.iter().any(|start| text.starts_with(start)) || is_cache_work(text) {
        return Some(Verbose::SessionCache { text: owned() });
    }
    for (start, issuer) in [("subject=/", false), ("issuer=/", true)] {
        if text.starts_with(start) {
            let (_, name) = text.split_once('=')?;
            let name = name.to_owned();
            return Some(Verbose::DistinguishedName { issuer, name });
        }
    }
    if is_dump(text) {
        return Some(Verbose::Dump { text: owned() });
    }
    match text {
        "initializing the client-side TLS engine" => {
            return Some(Verbose::Initializing(Side::Client));
        }
        "initializing the server-side TLS engine" => {
            return Some(Verbose::Initializing(Side::Server));
        }
        _ => {}
    }
    for (start, side) in [
        ("setting up TLS connection to ", Side::Client),
        ("setting up TLS connection from ", Side::Server),
    ] {
        if let Some(peer) = text.strip_prefix(start) {
            let peer = PeerName::parse_or_host(peer)?;
            return Some(Verbose::SettingUp { side, peer });
        }
    }
    if let Some(host) = text.strip_prefix("Host offered STARTTLS: [") {
        let host = host.strip_suffix(']')?.to_owned();
        return Some(Verbose::Offered { host });
    }
    if let Some((_, rest)) = text.split_once("TLSA record: ")
        && text.starts_with("DNSSEC-signed ")
    {
        return tlsa(rest);
    }
    if let Some((owner, rest)) = text.split_once(": ")
        && let Some((_, record)) = rest.split_once("as private-use TLSA record: ")
    {
        return TlsaRecord::parse(record).map(|record| Verbose::Tlsa {
            owner: owner.to_owned(),
            record,
        });
    }
    text.strip_prefix("TA cert as TLSA record: ")
        .or_else(|| text.strip_prefix("TA public key as TLSA record: "))
        .and_then(tlsa)
}

/// `read from 5603A2F1C7A0 [5603A2FA3B43] (5 bytes => 5 (0x5))`, `0010 - 16 03 01 …`.
fn is_dump(text: &str) -> bool {
    let traffic = (text.starts_with("read from ") || text.starts_with("write to "))
        && text.contains(" bytes => ");
    if traffic {
        return true;
    }
    // `0010 - 16 03 01`, in some versions `0020 00 01 00`.
    let Some((offset, rest)) = text.split_once(' ') else {
        return false;
    };
    let octet = |rest: &str| {
        let bytes = rest.as_bytes();
        bytes.len() >= 2
            && bytes.iter().take(2).all(u8::is_ascii_hexdigit)
            && bytes.get(2).is_none_or(|next| matches!(next, b' ' | b'-'))
    };
    let row = rest.starts_with("- ") || octet(rest);
    offset.len() >= 4 && offset.bytes().all(|byte| byte.is_ascii_hexdigit()) && row
}

fn tlsa(text: &str) -> Option<Verbose> {
    let (owner, record) = text.split_once(": ")?;
    Some(Verbose::Tlsa {
        owner: owner.to_owned(),
        record: TlsaRecord::parse(record)?,
    })
}

fn about(peer: PeerName, text: &str) -> Option<Verbose> {
    if let Some(list) = text.strip_prefix("TLS cipher list \"") {
        let list = list.strip_suffix('"')?.to_owned();
        return Some(Verbose::CipherList { peer, list });
    }
    if let Some(name) = text.strip_prefix("SNI hostname: ") {
        let name = name.to_owned();
        return Some(Verbose::SniSent { peer, name });
    }
    if let Some(fingerprint) = text.strip_prefix("raw public key fingerprint=") {
        let fingerprint = fingerprint.to_owned();
        return Some(Verbose::RawPublicKey { peer, fingerprint });
    }
    if let Some(name) = text
        .strip_prefix("matched peername: ")
        .or_else(|| text.strip_prefix("Matched subjectAltName: "))
        .or_else(|| text.strip_prefix("Matched CommonName "))
    {
        let name = name.to_owned();
        return Some(Verbose::MatchedName { peer, name });
    }
    if let Some(name) = text.strip_prefix("subjectAltName: ") {
        let name = name.to_owned();
        return Some(Verbose::NameSeen { peer, name });
    }
    if let Some(rest) = text.strip_prefix("Reusing old session") {
        return Some(Verbose::ResumedSession {
            peer,
            ticket: rest.contains("session ticket"),
        });
    }
    if text.starts_with("re-using session with untrusted ") {
        return Some(Verbose::UntrustedSession { peer });
    }
    for (start, issued) in [
        ("Issuing session ticket", true),
        ("Decrypting session ticket", false),
    ] {
        if let Some(rest) = text.strip_prefix(start) {
            let key_expiration = number(rest.strip_prefix(", key expiration: ")?)?;
            return Some(Verbose::Ticket {
                peer,
                issued,
                key_expiration,
            });
        }
    }
    for word in ["", "Trusted", "Untrusted", "Matched"] {
        let rest = match word {
            "" => text,
            word => text
                .strip_prefix(word)
                .and_then(|rest| rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' ')))
                .unwrap_or_default(),
        };
        if let Some(rest) = rest.strip_prefix("subject_CN=") {
            return identity(Some(peer), word, rest);
        }
    }
    let note = text.contains("entropy ")
        || text.contains("PRNG exchange file")
        || text.starts_with("pkey_fingerprint=")
        || text.starts_with("tls_level=")
        || text.starts_with("no tls policy lookup");
    if note {
        return Some(Verbose::Note {
            text: format!("{peer}: {text}"),
        });
    }
    if text == "no client certificate" {
        return Some(Verbose::Note {
            text: format!("{peer}: {text}"),
        });
    }
    let text = text
        .strip_prefix("certificate verification ")
        .unwrap_or(text);
    if text.contains(" session ") && text.ends_with(" cache") {
        return Some(Verbose::SessionCache {
            text: text.to_owned(),
        });
    }
    chain_step(&peer, text).or_else(|| matched(peer, text))
}

/// `open smtpd TLS cache btree:FILE`, `lookup smtp session id=…`, `write smtp TLS cache entry …`: tlsmgr's work.
fn is_cache_work(text: &str) -> bool {
    text.contains(" TLS cache ")
        || text.contains(" TLS cache: ")
        || text.contains(": start TLS ")
        || ["lookup ", "put ", "delete "]
            .iter()
            .any(|verb| text.starts_with(verb))
            && text.contains(" session id=")
}

fn identity(peer: Option<PeerName>, word: &str, rest: &str) -> Option<Verbose> {
    let (subject, rest) = rest
        .split_once(", issuer=")
        .or_else(|| rest.split_once(", issuer_CN="))?;
    let (rest, key) = match rest
        .rsplit_once(", pkey fingerprint=")
        .or_else(|| rest.rsplit_once(", pkey_fingerprint="))
    {
        Some((rest, key)) => (rest, Some(key)),
        None => (rest, None),
    };
    let (issuer, certificate) = match rest
        .rsplit_once(", cert fingerprint=")
        .or_else(|| rest.rsplit_once(", fingerprint="))
    {
        Some((issuer, certificate)) => (issuer, Some(certificate)),
        None => (rest, None),
    };
    Some(Verbose::Identity {
        peer,
        word: (!word.is_empty()).then(|| word.to_owned()),
        subject_cn: subject.to_owned(),
        issuer_cn: issuer.to_owned(),
        certificate_fingerprint: certificate.map(str::to_owned),
        key_fingerprint: key.map(str::to_owned),
    })
}

fn chain_step(peer: &PeerName, text: &str) -> Option<Verbose> {
    let (depth, rest) = match text
        .strip_prefix("depth=")
        .and_then(|rest| rest.split_once(' '))
    {
        Some((depth, rest)) => (Some(number(depth)?), rest),
        None => (None, text),
    };
    let rest = rest.strip_prefix("verify=")?;
    let (ok, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(Verbose::ChainStep {
        peer: Some(peer.clone()),
        depth,
        ok: number::<u8>(ok)? != 0,
        subject: rest.strip_prefix("subject=").map(str::to_owned),
    })
}

fn matched(peer: PeerName, text: &str) -> Option<Verbose> {
    let known = text.starts_with("Matched ")
        || text.starts_with("depth=")
            && (text.contains(" matched ") || text.contains("trust-anchor"));
    let (what, record) = match text.split_once(": ") {
        Some((what, rest)) => (what, TlsaRecord::parse(rest)),
        None => (text, None),
    };
    known.then(|| Verbose::Matched {
        peer,
        what: what.to_owned(),
        record,
    })
}
