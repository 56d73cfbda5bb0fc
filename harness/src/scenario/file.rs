//! The scenario file format, key by key.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::classic::{ClassicClient, ClassicServer};
use super::command::Command;
use super::dns::Dns;
use super::expect::{Departure, Expect, KnownBug, SideName, Volatile};
use super::fault::Fault;
use super::mutation::{Equivalent, Mutation};
use super::name::{Certificate, Cipher, DhName, Group, Protocol, Scheme};
use super::nexthop::NextHop;
use super::parameter::Parameter;
use super::predicate::Predicate;
use super::value::{OneOrMany, parsed};

/// A scenario: one TLS client and one TLS server, at least one of them a real Postfix.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "pfs scenario")]
pub struct ScenarioFile {
    /// The claim under test, in one or two sentences.
    pub why: String,
    /// Where the claim is made: a README section, an RFC, a bug report.
    #[serde(default)]
    pub spec: OneOrMany,
    /// Identifiers of the claims this case carries, e.g. `C15`, as in `claims.toml`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub claims: Vec<Spanned<String>>,
    /// All of these hold for the targets the case is meant for.
    #[serde(default)]
    pub targets: OneOrMany<Predicate>,
    /// What else a target must have in it for the case to apply.
    #[serde(default)]
    pub needs: OneOrMany<Need>,
    /// Targets on which the software is known to be wrong.
    #[serde(default, rename = "known_bug")]
    pub known_bug: Vec<KnownBug>,
    /// Seconds after which the case is given up. Default 30.
    pub deadline: Option<u32>,
    /// Its Postfix is started for this case alone: caches and files are as new.
    #[serde(default)]
    pub fresh: bool,
    /// With what its Postfix is started.
    #[serde(default)]
    pub start: Start,
    /// One case for each combination of these values; `<axis>` stands for the value, and
    /// `<axis.key>` for a key of it where the value is a table with an `id`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    pub matrix: BTreeMap<String, toml::Value>,
    /// Files with these contents; `file:NAME` in a setting stands for the path.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub files: BTreeMap<Spanned<String>, String>,
    /// The SMTP server.
    pub server: Server,
    /// The SMTP client.
    pub client: Client,
    /// Zones that the client, a Postfix, can look names up in, its next hop among them. Without
    /// any, the next hop is in its table of hosts.
    pub dns: Option<Dns>,
    /// The mail. Default: a short one.
    #[serde(default)]
    pub message: Message,
    /// What happens to the Postfix of the case before the last mail; there are at least two then.
    pub change: Option<Change>,
    /// Facts that hold on every target.
    #[serde(default)]
    pub expect: Expect,
    /// Targets that do something else.
    #[serde(default)]
    pub departure: Vec<Departure>,
    /// Changes under which the case must fail (`pfs mutate`), besides those derived from it.
    #[serde(default)]
    pub mutation: Vec<Mutation>,
    /// Log lines that no two runs need have in common, and why. They stand in no snapshot.
    #[serde(default)]
    pub volatile: Vec<Volatile>,
    /// Keys that make no difference, and why they should not (`pfs mutate`).
    #[serde(default)]
    pub equivalent: Vec<Equivalent>,
}

/// With what a Postfix is started.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// With what it was built with, and nothing else.
    #[default]
    Bare,
    /// With what its package ships: main.cf, chroots of master.cf, made ready by the package's own means.
    AsPackaged,
}

impl ScenarioFile {
    /// How TLS begins on a side: a Postfix does what its settings say, another what `tls` says, and where that is left out
    /// what the Postfix on the other side does.
    pub fn begins(&self, side: SideName) -> Begins {
        let of_postfix = |side| match side {
            SideName::Server => begins(&self.server.postfix, "smtpd_tls_wrappermode"),
            SideName::Client => begins(&self.client.postfix, "smtp_tls_wrappermode"),
        };
        let said = match side {
            SideName::Server => self.server.tls,
            SideName::Client => self.client.tls,
        };
        of_postfix(side)
            .or(said)
            .or_else(|| of_postfix(side.other()))
            .unwrap_or(Begins::Starttls)
    }

    /// Does TLS begin with the first byte on one side at least?
    pub fn implicit_tls(&self) -> bool {
        [SideName::Server, SideName::Client].map(|side| self.begins(side)) != [Begins::Starttls; 2]
    }
}

/// How TLS begins on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Begins {
    /// By the STARTTLS command (RFC 3207).
    Starttls,
    /// With the first byte (RFC 8314 section 3.3).
    Implicit,
}

/// What a Postfix does with this parameter; nothing of a side that is none.
fn begins(postfix: &Option<Postfix>, wrappermode: &str) -> Option<Begins> {
    postfix.as_ref()?;
    Some(match says_yes(postfix, wrappermode) {
        true => Begins::Implicit,
        false => Begins::Starttls,
    })
}

fn says_yes(postfix: &Option<Postfix>, parameter: &str) -> bool {
    let mut settings = postfix.iter().flatten();
    settings.any(|(name, value)| name.get_ref() == parameter && value.get_ref().as_str() == "yes")
}

/// Postfix parameters as in main.cf. Names are Postfix's own.
pub type Postfix = BTreeMap<Spanned<String>, Spanned<Parameter>>;

/// Options of an Exim under Exim's own names.
pub type Exim = BTreeMap<String, Parameter>;

/// The SMTP server: exactly one of `postfix`, `rustls`, `classic`, `exim` and `command`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// A Postfix smtpd with these settings on top of the target's defaults,
    /// `smtpd_tls_security_level = may` and `smtpd_tls_loglevel = 1`.
    #[schemars(with = "Option<BTreeMap<String, Parameter>>")]
    pub postfix: Option<Postfix>,
    /// A rustls server.
    pub rustls: Option<RustlsServer>,
    /// A server that speaks TLS 1.0 to 1.2 with every old key exchange and cipher.
    pub classic: Option<ClassicServer>,
    /// The target's Exim (GnuTLS) with these main options.
    pub exim: Option<Exim>,
    /// A program of the user's, which is told where to listen.
    pub command: Option<Command>,
    /// The server's certificate, or several of different key types. Default `rsa2048`.
    pub cert: Option<OneOrMany<Certificate>>,
    /// How TLS begins, where it is no Postfix, which has `smtpd_tls_wrappermode`. Default: as the client has it.
    pub tls: Option<Begins>,
    /// Certificates for names asked for by SNI.
    #[serde(default)]
    pub sni: BTreeMap<String, OneOrMany<Certificate>>,
    /// The target this side runs on, where it is not the target of the run (Postfix only).
    pub on: Option<String>,
    /// Connections come in through postscreen(8), with a tlsproxy(8) of its own (Postfix only).
    #[serde(default)]
    pub postscreen: bool,
    /// The service's name in master.cf, where it is not a port of the harness's choice (Postfix
    /// only).
    pub service: Option<ServiceName>,
}

/// What a target may have besides its Postfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A database of users for Cyrus SASL, by the name `submission`: alice and bob.
    SaslUsers,
}

impl Need {
    /// The program without which a target was made without it.
    pub fn program(self) -> &'static str {
        match self {
            Self::SaslUsers => "saslpasswd2",
        }
    }

    /// Where Debian has that program.
    pub fn package(self) -> &'static str {
        match self {
            Self::SaslUsers => "sasl2-bin",
        }
    }
}

/// A service by its name in services(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceName {
    /// Port 25.
    Smtp,
    /// Port 587 (RFC 6409).
    Submission,
    /// Port 465 (RFC 8314).
    Submissions,
    /// The older name of port 465.
    Smtps,
}

impl ServiceName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Smtp, Self::Submission, Self::Submissions, Self::Smtps];

    /// The TCP port.
    pub fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Submission => 587,
            Self::Submissions | Self::Smtps => 465,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Submissions => "submissions",
            Self::Smtps => "smtps",
        })
    }
}

/// What happens to a running Postfix.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// Files that the settings name, and whose contents they get: `"dh:2048" = "dh:3072"`, or
    /// `"file:a" = "file:b"` of `[files]`. Or `run:COMMAND`, what a shell command prints that is run
    /// where this Postfix runs, by its own programs.
    #[schemars(with = "BTreeMap<String, String>")]
    pub files: BTreeMap<Spanned<ChangedFile>, Spanned<Contents>>,
    /// Postfix is told to read its files again (`postfix reload`).
    #[serde(default)]
    pub reload: bool,
}

impl Change {
    /// The shell commands it runs, in order.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.files.values().filter_map(|new| match new.get_ref() {
            Contents::Printed(command) => Some(command.as_str()),
            Contents::Of(_) => None,
        })
    }

    /// The files of `[files]` that it names, with the place of each name.
    pub(super) fn own_files(&self) -> impl Iterator<Item = (&str, usize)> {
        let names = self.files.iter().flat_map(|(old, new)| {
            let new = match new.get_ref() {
                Contents::Of(file) => Some((file, new.span().start)),
                Contents::Printed(_) => None,
            };
            [Some((old.get_ref(), old.span().start)), new]
        });
        names.flatten().filter_map(|(file, at)| match file {
            ChangedFile::Own(name) => Some((name.as_str(), at)),
            ChangedFile::Generated(_) => None,
        })
    }
}

/// A file that a setting names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangedFile {
    /// `file:NAME`: one of `[files]`.
    Own(String),
    /// The word for a generated file, such as `dh:2048`.
    Generated(String),
}

/// What a file gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The contents of another.
    Of(ChangedFile),
    /// What this command prints.
    Printed(String),
}

impl ChangedFile {
    fn parse(word: &str) -> Result<Self, String> {
        if let Some(name) = word.strip_prefix("file:") {
            return Ok(Self::Own(name.to_owned()));
        }
        match pfs_certs::GeneratedName::parse(word) {
            Ok(name) if name.file_name().is_some() => Ok(Self::Generated(word.to_owned())),
            Ok(_) => Err(format!("`{word}` is no file")),
            Err(error) => Err(error.to_string()),
        }
        .map_err(|why| {
            format!(
                "`change.files` names `{word}`: {why}; expected a generated file such as `dh:2048`, or `file:NAME` of `[files]`"
            )
        })
    }
}

impl fmt::Display for ChangedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(name) => write!(f, "file:{name}"),
            Self::Generated(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(file) => write!(f, "{file}"),
            Self::Printed(command) => write!(f, "run:{command}"),
        }
    }
}

impl<'de> Deserialize<'de> for ChangedFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a file that a setting names", Self::parse)
    }
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(
            deserializer,
            "a file, or `run:COMMAND`",
            |text| match text.strip_prefix("run:") {
                Some(command) => Ok(Self::Printed(command.to_owned())),
                None => ChangedFile::parse(text).map(Self::Of),
            },
        )
    }
}

/// The SMTP client: exactly one of `postfix`, `rustls`, `classic`, `exim` and `command`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// A Postfix smtp transport with these settings on top of the target's defaults,
    /// `smtp_tls_security_level = may` and `smtp_tls_loglevel = 1`.
    #[schemars(with = "Option<BTreeMap<String, Parameter>>")]
    pub postfix: Option<Postfix>,
    /// A rustls client.
    pub rustls: Option<RustlsClient>,
    /// A client that speaks TLS 1.0 to 1.2 with every old key exchange and cipher.
    pub classic: Option<ClassicClient>,
    /// The target's Exim (GnuTLS) with these options of its smtp transport.
    pub exim: Option<Exim>,
    /// A program of the user's, which is told where to connect to.
    pub command: Option<Command>,
    /// The client's certificate. Default: none.
    pub cert: Option<Certificate>,
    /// How TLS begins, where it is no Postfix, which has `smtp_tls_wrappermode`. Default: as the server has it.
    pub tls: Option<Begins>,
    /// The next-hop destination as in a transport table. Default `[mail.example.test]`.
    pub nexthop: Option<NextHop>,
    /// The target this side runs on, where it is not the target of the run (Postfix only).
    pub on: Option<String>,
}

impl Client {
    /// Where it sends to: `nexthop`, else its `relayhost`, else `[mail.example.test]`.
    pub fn next_hop(&self) -> NextHop {
        let relayhost = || {
            let mut settings = self.postfix.iter().flatten();
            let (_, value) = settings.find(|(name, _)| name.get_ref() == "relayhost")?;
            value.get_ref().as_str().parse().ok()
        };
        self.nexthop.clone().or_else(relayhost).unwrap_or_default()
    }

    /// Does it keep connections for later mail? smtp(8) then leaves its TLS to tlsproxy(8).
    pub fn reuses_connections(&self) -> bool {
        says_yes(&self.postfix, "smtp_tls_connection_reuse")
    }
}

/// A rustls client.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RustlsClient {
    /// TLS versions it offers. Default: TLSv1.2 and TLSv1.3.
    #[serde(default)]
    pub versions: Vec<Protocol>,
    /// Groups it offers, in this order. Default: those of the provider.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Cipher suites it offers, in this order. Default: those of the provider.
    #[serde(default)]
    pub ciphers: Vec<Cipher>,
    /// Signature schemes it accepts. Default: all it knows.
    #[serde(default)]
    pub signatures: Vec<Scheme>,
    /// The name it asks for by SNI. Default: none is sent.
    pub sni: Option<String>,
    /// The least prime it accepts in TLS 1.2, in bits.
    pub minimum_prime_bits: Option<u32>,
    /// It offers to resume the session of the mail before (see `message.count`).
    #[serde(default)]
    pub resume: bool,
    /// Whose keys must come without a certificate (RFC 7250).
    #[serde(default)]
    pub raw_public_keys: Vec<SideName>,
    /// What it does wrong on purpose.
    pub fault: Option<Fault>,
}

/// A rustls server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RustlsServer {
    /// TLS versions it accepts. Default: TLSv1.2 and TLSv1.3.
    #[serde(default)]
    pub versions: Vec<Protocol>,
    /// Groups it accepts, most preferred first. Default: those of the provider.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Cipher suites it accepts, most preferred first. Default: those of the provider.
    #[serde(default)]
    pub ciphers: Vec<Cipher>,
    /// Signature schemes it may sign with. Default: all its key can make.
    #[serde(default)]
    pub signatures: Vec<Scheme>,
    /// It asks for a client certificate.
    #[serde(default)]
    pub ask_client_certificate: bool,
    /// Its Diffie-Hellman prime in TLS 1.2: the name of a parameter file, without `dh:`.
    pub dh: Option<DhName>,
    /// It offers STARTTLS. Default: true.
    pub starttls: Option<bool>,
    /// It hands out session tickets and takes them up again.
    #[serde(default)]
    pub resume: bool,
    /// Whose keys must come without a certificate (RFC 7250).
    #[serde(default)]
    pub raw_public_keys: Vec<SideName>,
    /// What it does wrong on purpose.
    pub fault: Option<Fault>,
}

/// The mail that is sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Message {
    /// How many are sent, each when the one before has its result. Expectations are about the
    /// session of the last one. 1 to 8; default 1.
    #[schemars(range(min = 1, max = 8))]
    pub count: Option<u8>,
    /// Its text. Default: one short line.
    pub body: Option<String>,
    /// Header fields of its own, such as `TLS-Required: no`, one each.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Whole seconds that it has been with a Postfix client before its first delivery begins, 0 to 3. Default 0. What a
    /// client does after a failed handshake depends on it (`minimal_backoff_time`).
    #[schemars(range(max = 3))]
    pub age: Option<u32>,
}
