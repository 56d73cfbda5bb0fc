//! Commands of other programs that do what a client of this harness does, as far as they can.

use classic_tls::names::{NamedGroup, Version};

use crate::plan::{Case, ClientPlan, ServerPlan};
use crate::printable::shell_word;
use crate::scenario::{
    Begins, Cipher, ClassicClient, ClassicProfile, Group, KeyExchangeName, Protocol, RustlsClient,
    Scheme, SideName,
};

/// A command, and what it does not do as the client of the case does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// A line for a shell.
    pub(super) line: String,
    /// What differs.
    pub(super) lacks: Vec<String>,
}

/// What the client of a case offers, whatever kind of peer it is.
struct Offer<'a> {
    versions: &'a [Protocol],
    groups: &'a [Group],
    ciphers: &'a [Cipher],
    signatures: &'a [Scheme],
    sni: Option<&'a str>,
    certificate: Option<&'a str>,
    /// It offers what today's OpenSSL does only when told to.
    old: bool,
    lacks: Vec<String>,
}

/// An offer in words of a command.
struct Options {
    words: Vec<String>,
    lacks: Vec<String>,
}

impl<'a> Offer<'a> {
    fn of(case: &'a Case) -> Option<Self> {
        Some(match &case.client {
            ClientPlan::Postfix { .. } | ClientPlan::Exim(_) | ClientPlan::Command(_) => {
                return None;
            }
            ClientPlan::Rustls {
                options,
                certificate,
            } => Self::rustls(options, certificate.as_deref()),
            ClientPlan::Classic {
                options,
                certificate,
            } => Self::classic(options, certificate.as_deref()),
        })
    }

    fn rustls(options: &'a RustlsClient, certificate: Option<&'a str>) -> Self {
        let mut lacks = Vec::new();
        if let Some(fault) = options.fault {
            lacks.push(format!("the fault `{fault:?}` on purpose"));
        }
        if let Some(bits) = options.minimum_prime_bits {
            lacks.push(format!("it takes primes of less than {bits} bits, too"));
        }
        if options.resume {
            lacks.push("for resumption run it twice, with -sess_out FILE and -sess_in FILE".into());
        }
        for side in &options.raw_public_keys {
            lacks.push(match side {
                SideName::Server => "raw keys of servers: -enable_server_rpk (OpenSSL 3.2)".into(),
                SideName::Client => "raw keys of clients: -enable_client_rpk (OpenSSL 3.2)".into(),
            });
        }
        Self {
            versions: &options.versions,
            groups: &options.groups,
            ciphers: &options.ciphers,
            signatures: &options.signatures,
            sni: options.sni.as_deref(),
            certificate,
            old: false,
            lacks,
        }
    }

    fn classic(options: &'a ClassicClient, certificate: Option<&'a str>) -> Self {
        let mut lacks = Vec::new();
        if let Some(fault) = options.fault {
            lacks.push(format!("the fault `{fault:?}` on purpose"));
        }
        if let Some(bits) = options.minimum_prime_bits {
            lacks.push(format!("it takes primes of less than {bits} bits, too"));
        }
        if options.groups.as_ref().is_some_and(Vec::is_empty) {
            lacks.push("OpenSSL has no offer without elliptic curves but by its ciphers".into());
        }
        if options.signatures.as_ref().is_some_and(Vec::is_empty) {
            lacks.push("OpenSSL always says which signatures it takes".into());
        }
        if options.resume.is_some() {
            lacks.push("for resumption run it twice, with -sess_out FILE and -sess_in FILE".into());
        }
        match options.profile {
            Some(ClassicProfile::Anonymous) => lacks.push(
                "the anonymous suites: -cipher aNULL:@SECLEVEL=0, where the build has them".into(),
            ),
            Some(profile) => lacks.push(format!(
                "the offer of {profile:?}; programs of today lack most of it"
            )),
            None => {}
        }
        Self {
            versions: &options.versions,
            groups: options.groups.as_deref().unwrap_or_default(),
            ciphers: &options.ciphers,
            signatures: options.signatures.as_deref().unwrap_or_default(),
            sni: options.sni.as_deref(),
            certificate,
            old: true,
            lacks,
        }
    }

    /// TLS versions from the lowest to the highest.
    fn range(&self) -> (Version, Version) {
        let lowest = self.versions.iter().map(|version| version.0).min();
        let highest = self.versions.iter().map(|version| version.0).max();
        let (low, high) = match self.old {
            true => (Version::TLS1_0, Version::TLS1_2),
            false => (Version::TLS1_2, Version::TLS1_3),
        };
        (lowest.unwrap_or(low), highest.unwrap_or(high))
    }

    /// Ciphers for TLS up to 1.2, and those of TLS 1.3; by OpenSSL's names.
    fn ciphers(&self) -> (Vec<String>, Vec<String>) {
        let names = self.ciphers.iter().map(|cipher| cipher.0.to_string());
        names.partition(|name| !name.starts_with("TLS_"))
    }

    /// What a program offers by its own choice where the case names nothing, in its own order.
    fn chooses_itself(&self) -> Option<String> {
        let lists = [
            ("ciphers", self.ciphers.is_empty()),
            ("groups", self.groups.is_empty()),
            ("signatures", self.signatures.is_empty()),
        ];
        let own: Vec<&str> = lists
            .iter()
            .filter(|(_, own)| *own)
            .map(|(name, _)| *name)
            .collect();
        (!own.is_empty()).then(|| {
            let lists = own.join(", ");
            format!("its own {lists}, in its own order: others than in seen/ may be chosen")
        })
    }

    /// Options of `openssl s_client` and `s_server`, and what they cannot say.
    fn options(self) -> Options {
        let own = self.chooses_itself();
        let mut words = Vec::new();
        let mut push = |more: &[&str]| words.extend(more.iter().map(ToString::to_string));
        let (low, high) = self.range();
        if low == high {
            push(&[flag(low)]);
        } else {
            push(&[
                "-min_protocol",
                &low.to_string(),
                "-max_protocol",
                &high.to_string(),
            ]);
        }
        let mut lacks = self.lacks.clone();
        let (mut ciphers, suites) = self.ciphers();
        ciphers.retain(|name| {
            let has_name = !name.starts_with("0x");
            if !has_name {
                lacks.push(format!("the cipher {name}, which has no name"));
            }
            has_name
        });
        if self.old {
            // From OpenSSL 3.0 on TLS 1.0 and 1.1 are there at this level only.
            let listed = match ciphers.is_empty() {
                true => "ALL".to_owned(),
                false => ciphers.join(":"),
            };
            push(&["-cipher", &format!("{listed}:@SECLEVEL=0")]);
        } else if !ciphers.is_empty() {
            push(&["-cipher", &ciphers.join(":")]);
        }
        if !suites.is_empty() {
            push(&["-ciphersuites", &suites.join(":")]);
        }
        let groups: Vec<String> = self.groups.iter().filter_map(group).collect();
        if !groups.is_empty() {
            push(&["-groups", &groups.join(":")]);
        }
        if !self.signatures.is_empty() {
            let all: Vec<String> = self
                .signatures
                .iter()
                .map(|one| one.0.to_string())
                .collect();
            push(&["-sigalgs", &all.join(":")]);
        }
        lacks.extend(own);
        Options { words, lacks }
    }
}

fn implicit(case: &Case, side: SideName) -> bool {
    case.scenario.file.begins(side) == Begins::Implicit
}

/// `openssl s_client`, which says what was negotiated, and sends the mail of the file `mail.smtp`.
pub(super) fn openssl(case: &Case, port: u16) -> Option<Command> {
    let offer = Offer::of(case)?;
    let mut words = vec!["openssl".to_owned(), "s_client".to_owned()];
    let mut push = |more: &[&str]| words.extend(more.iter().map(ToString::to_string));
    push(&["-connect", &format!("127.0.0.1:{port}")]);
    if !implicit(case, SideName::Client) {
        push(&["-starttls", "smtp", "-name", "client.example.test"]);
    }
    match offer.sni {
        Some(name) => push(&["-servername", name]),
        None => push(&["-noservername"]),
    }
    let certificate = offer.certificate;
    let offered = offer.options();
    words.extend(offered.words);
    if certificate.is_some() {
        let more = ["-cert", "client.pem", "-key", "client.pem"];
        words.extend(more.map(str::to_owned));
    }
    words.extend(["-crlf", "-ign_eof"].map(str::to_owned));
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    Some(Command {
        line: format!(
            "while read -r line; do echo \"$line\"; sleep 1; done <mail.smtp | {}",
            words.join(" ")
        ),
        lacks: offered.lacks,
    })
}

/// `swaks`, where its options can say what the client offers.
pub(super) fn swaks(case: &Case, port: u16, recipient: &str) -> Option<Command> {
    let offer = Offer::of(case)?;
    if !offer.groups.is_empty() || !offer.signatures.is_empty() || !offer.lacks.is_empty() {
        return None;
    }
    let (low, high) = offer.range();
    let known = [
        Version::TLS1_0,
        Version::TLS1_1,
        Version::TLS1_2,
        Version::TLS1_3,
    ];
    let versions: Vec<String> = known
        .into_iter()
        .filter(|version| (low..=high).contains(version))
        .map(|version| version.to_string().to_lowercase().replace('.', "_"))
        .collect();
    let tls = match implicit(case, SideName::Client) {
        true => "--tls-on-connect",
        false => "--tls",
    };
    let port = port.to_string();
    let protocols = versions.join(",");
    let mut words = vec![
        "swaks",
        "--server",
        "127.0.0.1",
        "--port",
        &port,
        "--ehlo",
        "client.example.test",
        "--from",
        "<>",
        "--to",
        recipient,
        tls,
        "--tls-protocol",
        &protocols,
    ];
    let (mut ciphers, suites) = offer.ciphers();
    // swaks has no option for those of TLS 1.3, and none for one without a name.
    if !suites.is_empty() || ciphers.iter().any(|name| name.starts_with("0x")) {
        return None;
    }
    if offer.old {
        if ciphers.is_empty() {
            ciphers.push("ALL".to_owned());
        }
        ciphers.push("@SECLEVEL=0".to_owned());
    }
    let ciphers = ciphers.join(":");
    if !ciphers.is_empty() {
        words.extend(["--tls-cipher", &ciphers]);
    }
    if let Some(name) = offer.sni {
        words.extend(["--tls-sni", name]);
    }
    if offer.certificate.is_some() {
        words.extend(["--tls-cert", "client.pem", "--tls-key", "client.pem"]);
    }
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    Some(Command {
        line: words.join(" "),
        lacks: Vec::new(),
    })
}

/// The option of `s_client` for one version alone.
fn flag(version: Version) -> &'static str {
    match version {
        Version::TLS1_0 => "-tls1",
        Version::TLS1_1 => "-tls1_1",
        Version::TLS1_2 => "-tls1_2",
        _ => "-tls1_3",
    }
}

/// A group by a name that every OpenSSL has for it.
fn group(group: &Group) -> Option<String> {
    let KeyExchangeName::Group(group) = group.0 else {
        return None;
    };
    Some(match group {
        NamedGroup::X25519 => "X25519".to_owned(),
        NamedGroup::X448 => "X448".to_owned(),
        NamedGroup::SECP256R1 => "P-256".to_owned(),
        NamedGroup::SECP384R1 => "P-384".to_owned(),
        NamedGroup::SECP521R1 => "P-521".to_owned(),
        other => other.to_string(),
    })
}

/// `openssl s_server` in the place of a server of ours; it speaks no SMTP, so that TLS has to begin with the first byte.
pub(super) fn openssl_server(case: &Case, port: u16) -> Option<Command> {
    if !implicit(case, SideName::Server) {
        return None;
    }
    let mut lacks = vec!["it speaks no SMTP: the client waits for a greeting".to_owned()];
    let none = Vec::new();
    let (versions, groups, ciphers, fault, old) = match &case.server {
        ServerPlan::Rustls { options, .. } => (
            &options.versions,
            &options.groups,
            &options.ciphers,
            options.fault,
            false,
        ),
        ServerPlan::Classic { options, .. } => (
            &options.versions,
            options.groups.as_ref().unwrap_or(&none),
            &options.ciphers,
            options.fault,
            true,
        ),
        ServerPlan::Postfix(_) | ServerPlan::Exim(_) | ServerPlan::Command(_) => return None,
    };
    if let Some(fault) = fault {
        lacks.push(format!("the fault `{fault:?}` on purpose"));
    }
    let offer = Offer {
        versions,
        groups,
        ciphers,
        signatures: &[],
        sni: None,
        certificate: None,
        old,
        lacks,
    };
    let mut words = vec!["openssl".to_owned(), "s_server".to_owned()];
    words.extend(["-accept".to_owned(), format!("127.0.0.1:{port}")]);
    match server_certificates(case).first() {
        Some(name) => {
            let file = format!("server-{name}.pem");
            let more = ["-cert", &file, "-key", &file, "-cert_chain", &file];
            words.extend(more.map(str::to_owned));
        }
        None => words.push("-nocert".to_owned()),
    }
    let offered = offer.options();
    words.extend(offered.words);
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    Some(Command {
        line: words.join(" "),
        lacks: offered.lacks,
    })
}

/// The certificates of a server of ours, by their names.
pub(super) fn server_certificates(case: &Case) -> &[String] {
    match &case.server {
        ServerPlan::Rustls { certificates, .. } | ServerPlan::Classic { certificates, .. } => {
            certificates
        }
        ServerPlan::Postfix(_) | ServerPlan::Exim(_) | ServerPlan::Command(_) => &[],
    }
}

/// The certificate that the client shows, by its name.
pub(super) fn certificate(case: &Case) -> Option<&str> {
    match &case.client {
        ClientPlan::Rustls { certificate, .. } | ClientPlan::Classic { certificate, .. } => {
            certificate.as_deref()
        }
        ClientPlan::Postfix { .. } | ClientPlan::Exim(_) | ClientPlan::Command(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::plan::{Decision, plan};
    use crate::scenario::{TargetVersions, parse};

    pub(in crate::bundle) fn case(sides: &str) -> Case {
        let text = format!("why = \"w\"\n{sides}");
        let mut scenarios = parse(Path::new("t/c.toml"), &text).unwrap();
        let scenario = Arc::new(scenarios.remove(0));
        let own = TargetVersions {
            name: "debian-12".to_owned(),
            postfix: "3.7.11".parse().unwrap(),
            openssl: "3.0.20".parse().unwrap(),
        };
        match plan(&scenario, &own, std::slice::from_ref(&own)) {
            Decision::Run(case) => *case,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_client_offers_is_what_the_command_offers() {
        let modern = case(
            "server = { postfix = {} }\n[client]\ncert = \"ecdsa-p256\"\n[client.rustls]\nversions = [\"TLSv1.3\"]\n\
             groups = [\"X25519\", \"P-384\"]\nciphers = [\"TLS_AES_128_GCM_SHA256\"]\nsni = \"a.example.test\"\n\
             signatures = [\"ed25519\"]\n",
        );
        let line = openssl(&modern, 25).unwrap().line;
        let expected = "openssl s_client -connect 127.0.0.1:25 -starttls smtp -name client.example.test \
                        -servername a.example.test -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256 \
                        -groups X25519:P-384 -sigalgs ed25519 -cert client.pem -key client.pem -crlf -ign_eof";
        assert!(line.ends_with(expected), "{line}");
        assert_eq!(swaks(&modern, 25, "r"), None, "swaks has no groups");
        let old = case(
            "server = { postfix = { smtpd_tls_wrappermode = \"yes\" } }\n[client.classic]\n\
             versions = [\"TLSv1\", \"TLSv1.1\"]\nciphers = [\"AES128-SHA\", \"0xfefe\"]\n",
        );
        let command = openssl(&old, 465).unwrap();
        let expected = "-connect 127.0.0.1:465 -noservername -min_protocol TLSv1 -max_protocol TLSv1.1 \
                        -cipher 'AES128-SHA:@SECLEVEL=0' -crlf -ign_eof";
        assert!(command.line.ends_with(expected), "{}", command.line);
        // A code point that OpenSSL has no name for is told.
        let own =
            "its own groups, signatures, in its own order: others than in seen/ may be chosen";
        assert_eq!(command.lacks, ["the cipher 0xfefe, which has no name", own]);
        assert_eq!(swaks(&old, 465, "r"), None, "swaks has names alone");
        let plain = case(
            "server = { postfix = { smtpd_tls_wrappermode = \"yes\" } }\n[client.classic]\n\
             versions = [\"TLSv1\", \"TLSv1.1\"]\nciphers = [\"AES128-SHA\"]\n",
        );
        let swaks = swaks(&plain, 465, "r@t").unwrap().line;
        let expected = "--to r@t --tls-on-connect --tls-protocol 'tlsv1,tlsv1_1' --tls-cipher 'AES128-SHA:@SECLEVEL=0'";
        assert!(swaks.ends_with(expected), "{swaks}");
    }

    #[test]
    fn a_server_is_shown_only_where_no_smtp_comes_before_tls() {
        let starttls = case("client = { postfix = {} }\nserver = { rustls = {} }\n");
        assert_eq!(openssl(&starttls, 25), None);
        assert_eq!(openssl_server(&starttls, 25), None);
        let wrapped = case(
            "client = { postfix = { smtp_tls_wrappermode = \"yes\", smtp_tls_security_level = \"encrypt\" } }\n\
             server = { rustls = { versions = [\"TLSv1.2\"] } }\n",
        );
        let line = openssl_server(&wrapped, 465).unwrap().line;
        assert!(
            line.starts_with("openssl s_server -accept 127.0.0.1:465 -cert server-rsa2048.pem"),
            "{line}"
        );
        assert!(line.ends_with("-tls1_2"), "{line}");
    }
}
