//! What single lines say: settings, files, DNS, certificates, the server's refusals.

use super::causes;
use super::{About, Explanation};
use crate::observe::log::{Configuration, Dane, LogEvent, Screening, Verbose};
use crate::observe::summary::Side;

pub(super) fn event(out: &mut Explanation, event: &LogEvent, role: Option<Side>) {
    match event {
        LogEvent::Configuration(configuration) => setting(out, configuration, role),
        LogEvent::Dane(dane) => dns(out, dane),
        LogEvent::DhParameters(problem) => {
            out.say(
                About::Setting,
                format!(
                    "The file of Diffie-Hellman parameters {} cannot be used; Postfix goes on with parameters of its own.",
                    problem.file.as_deref().unwrap_or_default()
                ),
            );
            out.advise("smtpd_tls_dh1024_param_file", "Since 3.7 it is best left unset.");
        }
        LogEvent::CertificateVerification(failed) => {
            let whose = match (failed.of_ca, failed.certificate_of) {
                (true, _) => "A certificate above the peer's own",
                (false, Some(Side::Server)) => "The server's certificate",
                (false, Some(Side::Client)) => "The client's certificate",
                (false, None) => "The peer's certificate",
            };
            let issuer = failed.issuer.as_ref().map(|issuer| format!(" {issuer}")).unwrap_or_default();
            out.say(
                About::Status,
                format!("{whose} did not verify: {}{issuer}.", failed.reason.trim_end_matches('.')),
            );
            let cause = postfix_tls_log::failure::normalised(&failed.reason);
            causes::explain(out, &cause, failed.certificate_of.map(Side::other));
        }
        LogEvent::LibraryProblem(problem) => out.say(
            About::Failure,
            match problem.alert {
                Some(alert) => format!("OpenSSL: the other side sent the alert {alert}."),
                None if problem.peer_closed() => "OpenSSL: the other side closed the connection without a word.".to_owned(),
                None => format!("OpenSSL: {} ({}).", problem.reason, problem.library),
            },
        ),
        LogEvent::TlsReport(report) => out.say(
            About::Setting,
            format!(
                "A note for the daily report to the owner of {} (TLSRPT): {}{}.",
                report.domain,
                if report.success { "success" } else { "failure" },
                report.failure_type.as_ref().map(|kind| format!(", {kind}")).unwrap_or_default()
            ),
        ),
        LogEvent::SniInvalid { name, .. } => out.say(
            About::Setting,
            format!("The client asked for a name that is none (\"{name}\"); the handshake goes on without it."),
        ),
        LogEvent::SniNotMatched { name, .. } => out.say(
            About::Setting,
            format!("The client asked for {name}, for which there is no certificate of its own (tls_server_sni_maps); it got the default one."),
        ),
        LogEvent::Sasl(text) => {
            out.say(About::Failure, format!("Authentication: {text}."));
            if text.contains("No worthy mechs") {
                causes::explain(out, "sasl authentication failed", Some(Side::Client));
            }
        }
        LogEvent::Restriction(restriction) if restriction.action == "reject" => {
            out.say(
                About::Failure,
                format!("The server refused {}: {}.", restriction.command, reply(&restriction.text)),
            );
            if restriction.text.contains("Relay access denied") {
                out.advise(
                    "relay_clientcerts",
                    "A client certificate opens the relay by its fingerprint in this table (permit_tls_clientcerts); one that is not in it is treated like any stranger, whoever signed it.",
                );
            }
            if restriction.text.contains("Must issue a STARTTLS command first") {
                out.advise("smtpd_tls_security_level", "encrypt takes no mail without TLS.");
            }
        }
        LogEvent::Pipelining { after, .. } => out.say(
            About::Failure,
            format!("The client did not wait for the reply to {after}; what it sent meanwhile is thrown away or refused."),
        ),
        LogEvent::NonSmtpCommand { .. } if event.concerns_tls() => out.say(
            About::Failure,
            "The client began with something that is no SMTP, perhaps with TLS where STARTTLS is expected (wrapper mode belongs to port 465).",
        ),
        LogEvent::DeadProcess(dead) => out.say(
            About::Failure,
            format!("The process {} ended badly: {}. That is a fault of the software or its installation, report it.", dead.program, dead.end),
        ),
        LogEvent::Fatal(text) => out.say(About::Failure, format!("The process gave up: {text}.")),
        LogEvent::Screening(Screening::RoleUnavailable { text }) => {
            out.say(About::Setting, format!("{text}: tlsproxy does not do this."));
        }
        LogEvent::Screening(Screening::SettingsDiffer { .. }) => out.say(
            About::Setting,
            "The settings of a daemon and of tlsproxy, which does its TLS, are not the same; tlsproxy's own count.",
        ),
        LogEvent::Verbose(Verbose::MatchedName { name, .. }) => {
            out.say(About::Status, format!("The name that matched is {name}."));
        }
        LogEvent::Verbose(Verbose::ResumedSession { .. }) => {
            out.say(About::Negotiated, "An earlier session was resumed.");
        }
        LogEvent::Verbose(Verbose::UntrustedSession { .. }) => out.say(
            About::LeftOut,
            "A session was resumed whose certificate did not verify; why stands with the first one in the log.",
        ),
        _ => {}
    }
}

/// A reply up to the envelope.
fn reply(text: &str) -> &str {
    text.split("; from=")
        .next()
        .unwrap_or(text)
        .trim_end_matches('.')
}

fn setting(out: &mut Explanation, configuration: &Configuration, role: Option<Side>) {
    match configuration {
        Configuration::TlsDisabled { reason } => {
            let then = match role {
                Some(Side::Server) => " Clients at level may send in clear, others wait.",
                Some(Side::Client) => {
                    " Mail at level may goes out in clear, at stricter levels it waits."
                }
                None => "",
            };
            out.say(
                About::Setting,
                format!("TLS is turned off in this process: {reason}.{then}"),
            );
            let reason = postfix_tls_log::failure::normalised(reason);
            causes::explain(out, &reason, role);
        }
        Configuration::SessionAborted { reason } => {
            out.say(
                About::Setting,
                format!("The session was aborted for a setting: {reason}."),
            );
        }
        Configuration::TlsRefused { text } => {
            out.say(About::Setting, format!("The server refused TLS: {text}"));
        }
        Configuration::Policy { text } => {
            out.say(
                About::Setting,
                format!("A TLS policy cannot be used: {text}."),
            );
            if text.contains("invalid attribute name") {
                let newer = [
                    "policy_type",
                    "policy_domain",
                    "policy_ttl",
                    "policy_string",
                    "policy_failure",
                    "mx_host_pattern",
                ]
                .iter()
                .any(|name| text.contains(&format!("\"{name}\"")));
                out.advise(
                    "smtp_tls_policy_maps",
                    if newer {
                        "Postfix learned this attribute only with 3.10; an older one rejects the whole entry and keeps the mail."
                    } else {
                        "This Postfix does not know the attribute, so it rejects the whole entry and keeps the mail."
                    },
                );
            }
        }
        Configuration::WrapperMode { text } => {
            out.say(About::Setting, format!("{text}."));
            out.advise(
                "smtp_tls_wrappermode",
                "TLS from the first byte is for port 465 and needs level encrypt or stronger; ports 25 and 587 want STARTTLS.",
            );
        }
        Configuration::UnknownCurve { name } => out.say(
            About::Setting,
            format!("The group {name} is not known to this OpenSSL and is left out."),
        ),
        Configuration::LibraryVersion { text } => {
            out.say(
                About::Setting,
                format!("Postfix was built with another OpenSSL than it runs with: {text}."),
            );
        }
        Configuration::Credentials { text }
        | Configuration::CipherGrade { text }
        | Configuration::EecdhGrade { text }
        | Configuration::KeyExchangeGroups { text }
        | Configuration::LegacyParametersIgnored { text }
        | Configuration::BackwardsCompatible { text }
        | Configuration::Digest { text }
        | Configuration::Setting { text }
        | Configuration::SniMap { text } => {
            out.say(
                About::Setting,
                format!("A setting or file: {}.", text.trim_end_matches('.')),
            );
        }
        _ => {}
    }
}

fn dns(out: &mut Explanation, dane: &Dane) {
    match dane {
        Dane::PolicyLookup { host, reason, .. } => {
            out.say(
                About::Setting,
                format!("No delivery to {host} under this policy: {reason}."),
            );
            let reason = postfix_tls_log::failure::normalised(reason);
            causes::explain(out, &reason, Some(Side::Client));
        }
        Dane::AllUnusable { what, fallback, .. } => out.say(
            About::Setting,
            format!(
                "Of the {what} none can be used{}.",
                if *fallback {
                    "; delivery goes on without checking the certificate"
                } else {
                    ""
                }
            ),
        ),
        Dane::Unusable { owner, reason, .. } => {
            out.say(
                About::Setting,
                format!("A TLSA record of {owner} is left out: {reason}."),
            );
        }
        Dane::LookupsDisabled { nexthop } => {
            out.say(
                About::Setting,
                format!("DANE is demanded for {nexthop}, and DNSSEC lookups are off."),
            );
            out.advise(
                "smtp_dns_support_level",
                "dnssec turns them on; the resolver must validate.",
            );
        }
        Dane::LookupProblem { text } | Dane::DnssecUnavailable { text } => {
            out.say(About::Setting, format!("DNSSEC: {text}."));
        }
        _ => {}
    }
}
