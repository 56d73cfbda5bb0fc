//! What a bundle says in words: how to start it, what to send, what was seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pfs_containers::dns::{NameService, RecordData, ZoneState};
use pfs_containers::{FleetSpec, TargetFacts};

use super::{command, program};
use crate::event::{Announced, CaseResult};
use crate::plan::{self, Case, CommandPlan, ServerPlan};
use crate::printable::{line, printable, shell_word};
use crate::session::{self, SINK_PORT, recipient};

/// A Postfix instance of the bundle.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// Its directory.
    name: String,
    target: String,
    versions: String,
    config_directory: String,
    hosts: Vec<String>,
    has_zones: bool,
}

impl Instance {
    pub(super) fn of(name: String, spec: &FleetSpec, facts: &TargetFacts) -> Self {
        Self {
            name,
            target: facts.target.clone(),
            versions: format!("Postfix {}, {}", facts.mail_version, facts.openssl_text),
            config_directory: facts.config_directory.clone(),
            hosts: spec.hosts.clone(),
            has_zones: spec.dns.is_some(),
        }
    }
}

/// Zones as they are to be served, in the form of master files, with what is wrong on purpose.
pub(super) fn zones(dns: &NameService) -> String {
    let mut out = String::new();
    for zone in &dns.zones {
        let state = match zone.state {
            ZoneState::Signed => "signed, and its parent has its DS record",
            ZoneState::Unsigned => "neither signed nor vouched for",
            ZoneState::ExpiredSignatures => "signed, the signatures have expired",
            ZoneState::WrongKey => "the parent's DS record is of another key",
            ZoneState::NoDenial => "signed, but without NSEC records",
            ZoneState::NotServed => "delegated to a server that refuses to answer",
        };
        let _ = writeln!(out, "; {}: {state}", zone.name);
        for record in &zone.records {
            let _ = match &record.data {
                RecordData::Harness => writeln!(out, "{}. A 127.0.0.1", record.owner),
                RecordData::Cname(name) => writeln!(out, "{}. CNAME {name}.", record.owner),
                RecordData::Mx {
                    preference,
                    exchange,
                } => {
                    writeln!(out, "{}. MX {preference} {exchange}.", record.owner)
                }
                RecordData::Txt(text) => writeln!(out, "{}. TXT \"{text}\"", record.owner),
                RecordData::Tlsa(octets) => {
                    let hex: String = octets.iter().skip(3).map(|o| format!("{o:02x}")).collect();
                    let [usage, selector, matching, ..] = octets.as_slice() else {
                        continue;
                    };
                    writeln!(
                        out,
                        "{}. TLSA {usage} {selector} {matching} {hex}",
                        record.owner
                    )
                }
            };
        }
    }
    for silence in &dns.silences {
        let _ = writeln!(out, "; {} is not answered: {:?}", silence.name, silence.how);
    }
    out
}

/// `README.txt`, and `mail.smtp` where a command sends it.
pub(super) fn page(
    case: &Case,
    instances: &[Instance],
    run: &Announced,
    result: Option<&CaseResult>,
) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} on {}\n\n{}\n",
        case.id,
        case.target,
        case.scenario.file.why.trim()
    );
    if let Some(result) = result {
        let _ = writeln!(out, "What came of it: {}", result.outcome.word());
        for reason in result.outcome.reasons() {
            let _ = writeln!(out, "  {reason}");
        }
        let _ = writeln!(out);
    }
    out.push_str(
        "Nothing here needs the program that made it. Certificates and keys were made for this archive \
         alone, by a test\nauthority (ca.pem) that nobody trusts. What each witness said is in seen/.\n\n",
    );
    for instance in instances {
        start(&mut out, case, instance);
    }
    if instances.len() > 1 {
        out.push_str(
            "Both have to share one network, such as with `docker run --network container:NAME`.\n\n",
        );
    }
    send(&mut out, case, &mut files);
    let _ = writeln!(out, "With pfs: {}", reproduce(case, run, result));
    files.insert("README.txt".to_owned(), printable(&out));
    files.insert("plan.txt".to_owned(), printable(&plan::show(case)));
    files.insert("scenario.toml".to_owned(), case.scenario.text().to_owned());
    files
}

fn reproduce(case: &Case, run: &Announced, result: Option<&CaseResult>) -> String {
    let known = result.map(|result| result.reproduce.clone());
    known.filter(|line| !line.is_empty()).unwrap_or_else(|| {
        let id = shell_word(&case.id.to_string());
        let target = shell_word(&case.target);
        format!("pfs run {id} --target {target} --engine {}", run.engine)
    })
}

fn start(out: &mut String, case: &Case, instance: &Instance) {
    let Instance {
        name,
        versions,
        target,
        config_directory,
        ..
    } = instance;
    let _ = writeln!(
        out,
        "{name}/ was a {versions} ({target}). In a throw-away container or chroot that has it, as root (this \
         takes the\nplace of the files in {config_directory}):\n"
    );
    let _ = writeln!(
        out,
        "    cp -r {name}/. / && chown -R root:root {config_directory}"
    );
    let _ = writeln!(
        out,
        "    echo '127.0.0.1 {}' >>/etc/hosts",
        instance.hosts.join(" ")
    );
    let _ = writeln!(
        out,
        "    postfix start-fg        # logs to its standard output\n"
    );
    if instance.has_zones {
        out.push_str(
            "  It looks names up with DNSSEC: /etc/resolv.conf has to name a validating resolver that serves \
             zones.txt\n  with the states told there, and whose trust anchor is yours.\n\n",
        );
    }
    if name.contains("server") {
        let port = session::server_port(case);
        let _ = writeln!(
            out,
            "  It listens at 127.0.0.1:{port}. What it takes stays in its queue, for 127.0.0.1:{SINK_PORT}, where \
             nobody listens:\n  `postqueue -p`, and `postcat -qh ID` shows the Received: header.\n"
        );
    }
}

fn send(out: &mut String, case: &Case, files: &mut BTreeMap<String, String>) {
    let recipient = recipient(&case.tag);
    let port = session::server_port(case);
    for (role, plan) in program::programs(case) {
        ran(out, role, plan, port);
    }
    if case.client.program().is_some() {
        if case.server.side().is_none() {
            server(out, case, port);
        }
        return;
    }
    if case.client.side().is_some() {
        let _ = writeln!(
            out,
            "Then send a mail with the client's instance; it connects to port {port} of the server's name:\n\n    \
             echo test | sendmail -f '<>' {recipient}\n"
        );
        if case.server.side().is_none() {
            server(out, case, port);
        }
        return;
    }
    let Some(openssl) = command::openssl(case, port) else {
        return;
    };
    let _ = writeln!(
        out,
        "Then connect as the client did:\n\n    {}\n",
        openssl.line
    );
    lacking(out, &openssl.lacks);
    if let Some(swaks) = command::swaks(case, port, &recipient) {
        let _ = writeln!(out, "Or:\n\n    {}\n", swaks.line);
    }
    let mail = [
        "EHLO client.example.test".to_owned(),
        "MAIL FROM:<>".to_owned(),
        format!("RCPT TO:<{recipient}>"),
        "DATA".to_owned(),
        format!("Subject: {}", case.id),
        String::new(),
        "test".to_owned(),
        ".".to_owned(),
        "QUIT".to_owned(),
    ];
    files.insert(
        "mail.smtp".to_owned(),
        mail.map(|text| text + "\n").concat(),
    );
}

/// A side that was a program of the user's.
fn ran(out: &mut String, role: &str, plan: &CommandPlan, port: u16) {
    let place = match &plan.side {
        Some(side) => format!("in the root of {}, beside its Postfix", side.fleet.target),
        None => "on the machine of whoever made this".to_owned(),
    };
    let told = match role {
        "server" => format!("It is to listen at 127.0.0.1:{port}, before a mail is sent"),
        _ => format!("It is to connect to 127.0.0.1:{port}"),
    };
    let _ = writeln!(
        out,
        "The {role} was a program, {place}:\n\n    {}\n\n{told}. As the case ran it, with the files of {}/:\n\n    sh {}\n",
        line(&plan.line.to_string()),
        program::directory(role),
        program::script(role)
    );
    if plan.line.dialogue {
        out.push_str(
            "  It does the TLS alone: the script speaks SMTP through its standard input and output.\n\n",
        );
    }
}

/// The server was a peer of ours: no program that has only options does SMTP before TLS.
fn server(out: &mut String, case: &Case, port: u16) {
    if case.server.program().is_some() {
        return;
    }
    let options = match &case.server {
        ServerPlan::Rustls { .. } => "rustls",
        _ => "a server of TLS 1.0 to 1.2",
    };
    let _ = writeln!(
        out,
        "The server was {options} at 127.0.0.1:{port}, with what plan.txt has under `server`, and the certificates \
         server-*.pem. What\nit sent and got is in seen/: `peer.txt`, `client hello.txt`, `wire.txt`."
    );
    match command::openssl_server(case, port) {
        Some(openssl) => {
            let _ = writeln!(out, "The same handshake:\n\n    {}\n", openssl.line);
            lacking(out, &openssl.lacks);
        }
        None => {
            let _ = writeln!(
                out,
                "No command of OpenSSL or swaks speaks SMTP as a server: any server with these options will do.\n"
            );
        }
    }
}

/// What a command does not do as the case does.
fn lacking(out: &mut String, lacks: &[String]) {
    if lacks.is_empty() {
        return;
    }
    let _ = writeln!(out, "  What this command does otherwise, or leaves to you:");
    for lack in lacks {
        let _ = writeln!(out, "  - {}", line(lack));
    }
    let _ = writeln!(out);
}

/// What each witness said, a file each: raw where it is kept, with words for the wire.
pub(super) fn witnesses(result: Option<&CaseResult>) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let Some(result) = result else { return files };
    for (section, said) in result.sections() {
        files.insert(format!("seen/{section}.txt"), printable(&said));
    }
    for (name, said) in result.facts().raw {
        files.insert(format!("seen/{name}.txt"), printable(&said));
    }
    files
}
