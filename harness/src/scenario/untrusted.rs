//! What a scenario of unknown origin may hold: a scenario is code, and `pfs run --untrusted` refuses one that could
//! execute something of its own or reach beyond its case.
//!
//! All of it is a list of what is allowed. A Postfix parameter has a name of the list, or it is refused; each word of
//! its value is one that names nothing outside the case: no path of the machine, no lookup table that asks another
//! process or host, no service.

use std::net::{Ipv4Addr, Ipv6Addr};

use pfs_certs::GeneratedName;
use toml::Spanned;

use super::case::Scenario;
use super::error::{Place, ScenarioError};
use super::file::{Change, Exim, Postfix};
use super::parameter::{Parameter, ValuePiece};

/// How names of allowed Postfix parameters begin (postconf(5)): TLS, and postscreen's tests that ask nobody.
const PREFIXES: [&str; 10] = [
    "smtp_tls_",
    "smtpd_tls_",
    "lmtp_tls_",
    "tls_",
    "smtp_starttls_",
    "smtpd_starttls_",
    "postscreen_greet_",
    "postscreen_pipelining_",
    "postscreen_bare_newline_",
    "postscreen_non_smtp_command_",
];

/// Other allowed Postfix parameters.
const NAMES: [&str; 37] = [
    "compatibility_level",
    "default_process_limit",
    "lmtp_enforce_tls",
    "lmtp_use_tls",
    "max_use",
    "postscreen_access_list",
    "postscreen_cache_cleanup_interval",
    "postscreen_cache_map",
    "postscreen_enforce_tls",
    "postscreen_use_tls",
    "relay_clientcerts",
    "smtp_address_preference",
    "smtp_connection_cache_destinations",
    "smtp_connection_cache_on_demand",
    "smtp_connection_cache_time_limit",
    "smtp_connection_reuse_count_limit",
    "smtp_dns_reply_filter",
    "smtp_dns_support_level",
    "smtp_enforce_tls",
    "smtp_helo_timeout",
    "smtp_host_lookup",
    "smtp_sasl_auth_enable",
    "smtp_sasl_mechanism_filter",
    "smtp_sasl_password_maps",
    "smtp_sasl_security_options",
    "smtp_sasl_tls_security_options",
    "smtp_use_tls",
    "smtpd_client_restrictions",
    "smtpd_enforce_tls",
    "smtpd_forbid_unauth_pipelining",
    "smtpd_helo_required",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_sasl_auth_enable",
    "smtpd_sasl_security_options",
    "smtpd_sasl_tls_security_options",
    "smtpd_use_tls",
];

/// Lookup tables that are a text, or part of the value (DATABASE_README); `proxy` and the maps of maps are as good as
/// what they name.
const TABLES: [&str; 14] = [
    "btree", "cdb", "cidr", "fail", "hash", "inline", "lmdb", "pcre", "pipemap", "randmap",
    "regexp", "static", "texthash", "unionmap",
];

/// Exim options that name nothing but ciphers, hosts of the case and generated files.
const EXIM: [&str; 12] = [
    "gnutls_compat_mode",
    "hosts_avoid_tls",
    "hosts_require_tls",
    "hosts_try_dane",
    "hosts_require_dane",
    "tls_advertise_hosts",
    "tls_certificate",
    "tls_dhparam",
    "tls_eccurve",
    "tls_privatekey",
    "tls_require_ciphers",
    "tls_verify_certificates",
];

/// Keys of an OpenSSL configuration that load nothing (config(5), SSL_CONF_cmd(3)).
const OPENSSL: [&str; 18] = [
    "openssl_conf",
    "ssl_conf",
    "system_default",
    "postfix",
    "MinProtocol",
    "MaxProtocol",
    "Protocol",
    "CipherString",
    "Ciphersuites",
    "Curves",
    "Groups",
    "Options",
    "SignatureAlgorithms",
    "ClientSignatureAlgorithms",
    "NumTickets",
    "RecordPadding",
    "RxCertificateCompression",
    "TxCertificateCompression",
];

/// Refuses what could execute or reach beyond its case; all of it, with its place.
///
/// # Errors
/// [`ScenarioError::Invalid`] for each.
pub fn check_untrusted<'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario>,
) -> Result<(), Vec<ScenarioError>> {
    let mut found: Vec<(Place, String)> = Vec::new();
    for scenario in scenarios {
        for (offset, why) in reasons(scenario) {
            let one = (scenario.place(offset), why);
            // Once for a file, not once for each variant of a matrix.
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let refused = |(place, why)| ScenarioError::Invalid {
        place,
        message: format!("not run with --untrusted: {why}"),
        help: None,
    };
    Err(found.into_iter().map(refused).collect())
}

fn reasons(scenario: &Scenario) -> Vec<(usize, String)> {
    let file = &scenario.file;
    let mut reasons = Vec::new();
    let mut add = |why: Option<String>| reasons.extend(why.map(|why| (0, why)));
    for command in file.change.iter().flat_map(Change::commands) {
        add(Some(format!("`change.files` runs the command `{command}`")));
    }
    for (side, command) in [
        ("server", &file.server.command),
        ("client", &file.client.command),
    ] {
        let program = command.iter().flat_map(|command| command.0.run.first());
        for program in program {
            let program = program.as_str();
            add(Some(format!("[{side}] runs the command `{program}`")));
        }
    }
    for on in [&file.server.on, &file.client.on].into_iter().flatten() {
        if on.contains('=') {
            add(Some(format!("`on = \"{on}\"` makes a target of its own")));
        }
    }
    add(next_hop(&file.client.next_hop().to_string()));
    for (side, options) in [("server", &file.server.exim), ("client", &file.client.exim)] {
        for why in options.iter().flat_map(exim) {
            add(Some(format!("[{side}] exim: {why}")));
        }
    }
    for (name, contents) in &file.files {
        let name = name.get_ref();
        add(contents_of(scenario, name, contents).map(|why| format!("[files] {name}: {why}")));
    }
    for settings in [&file.server.postfix, &file.client.postfix]
        .into_iter()
        .flatten()
    {
        reasons.extend(postfix(settings));
    }
    reasons
}

fn postfix(settings: &Postfix) -> impl Iterator<Item = (usize, String)> {
    settings.iter().filter_map(|(name, value)| {
        let why = if is_allowed(name.get_ref()) {
            parameter(name.get_ref(), value.get_ref()).err()?
        } else {
            "it is not among the parameters that can neither execute nor reach out".to_owned()
        };
        Some((start(name), format!("`{}`: {why}", name.get_ref())))
    })
}

fn start<T>(spanned: &Spanned<T>) -> usize {
    spanned.span().start
}

fn is_allowed(parameter: &str) -> bool {
    NAMES.contains(&parameter) || PREFIXES.iter().any(|prefix| parameter.starts_with(prefix))
}

fn parameter(name: &str, value: &Parameter) -> Result<(), String> {
    if value.is_built_in() {
        return Ok(());
    }
    // OpenSSL's language, in which colons separate (ciphers(1)).
    if name.ends_with("cipherlist") {
        let plain = |c: char| c.is_ascii_alphanumeric() || ":+-!@=_., ".contains(c);
        return match value.as_str().chars().all(plain) {
            true => Ok(()),
            false => Err(format!("`{}` is no list of ciphers", value.as_str())),
        };
    }
    let outer = value.pieces().iter().map(|piece| match piece {
        ValuePiece::Text(text) => text.clone(),
        ValuePiece::OwnFile(name) => format!("file:{name}"),
        ValuePiece::Generated(_) => "generated".to_owned(),
    });
    text(&outer.collect::<String>())
}

/// A value, or a line of a table: all of its words.
fn text(value: &str) -> Result<(), String> {
    macros(value)?;
    value
        .replace("${data_directory}", "$data_directory")
        .replace("$(data_directory)", "$data_directory")
        .split(|c: char| c.is_whitespace() || ",;{}()=\"'|".contains(c))
        .filter(|one| !one.is_empty())
        .try_for_each(word)
}

/// `$name`, `${name…}` and `$(name)` stand for what the case itself may set, or for a directory of Postfix's own.
fn macros(value: &str) -> Result<(), String> {
    for after in value.split('$').skip(1) {
        let name: String = after
            .trim_start_matches(['{', '('])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let known = ["data_directory", "mydomain", "myhostname", "mail_version"];
        if !name.is_empty() && !known.contains(&name.as_str()) && !is_allowed(&name) {
            return Err(format!("`${name}` is not among the parameters it may name"));
        }
    }
    Ok(())
}

fn word(one: &str) -> Result<(), String> {
    let one = one.trim_start_matches(['!', '[', '<']);
    if GeneratedName::parse(one).is_ok() || is_fingerprint(one) || is_network(one) {
        return Ok(());
    }
    for asks in [
        "reject_rbl",
        "reject_rhsbl",
        "permit_dnswl",
        "permit_rhswl",
        "check_policy_service",
    ] {
        if one.starts_with(asks) {
            return Err(format!("`{one}` asks another host or process"));
        }
    }
    if let Some(name) = one.strip_prefix("file:") {
        return match name.contains('/') {
            true => Err(format!("`{one}` is not a file of [files]")),
            false => Ok(()),
        };
    }
    if let Some((kind, rest)) = one.split_once(':')
        && is_table_type(kind)
    {
        return match kind {
            "proxy" => word(rest),
            _ if TABLES.contains(&kind) => word(rest),
            _ => Err(format!("`{kind}:` reaches beyond the case, or may")),
        };
    }
    // Postfix's own caches are in a directory of the fleet.
    match one.strip_prefix("$data_directory/") {
        Some(name) if !name.contains("..") => Ok(()),
        _ if one.contains('/') => Err(format!("`{one}` is a path outside the case")),
        _ => Ok(()),
    }
}

/// Types of tables and services are lower case. A host with a port has a dot.
fn is_table_type(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
}

fn is_fingerprint(one: &str) -> bool {
    one.contains(':')
        && one
            .split(':')
            .all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An address, or a network as in `mynetworks`.
fn is_network(one: &str) -> bool {
    let (address, bits) = one.split_once('/').unwrap_or((one, "0"));
    let address = address.trim_matches(['[', ']']);
    let known = address.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok();
    known && bits.trim_end_matches(']').parse::<u8>().is_ok()
}

/// Names are those of the case. An address that is none of ours would be reached.
fn next_hop(nexthop: &str) -> Option<String> {
    let host = nexthop.trim_start_matches('[');
    let host = host.split(']').next().unwrap_or(host);
    let host = host.trim_start_matches("IPv6:");
    let outside = match (host.parse::<Ipv4Addr>(), host.parse::<Ipv6Addr>()) {
        (Ok(address), _) => !address.is_loopback(),
        (_, Ok(address)) => !address.is_loopback(),
        _ => host.contains('/') || host.parse::<std::net::SocketAddrV4>().is_ok(),
    };
    outside.then(|| format!("`nexthop = \"{nexthop}\"` leads out of the case"))
}

fn exim(options: &Exim) -> impl Iterator<Item = String> {
    options.iter().filter_map(|(name, value)| {
        if !EXIM.contains(&name.as_str()) {
            return Some(format!(
                "`{name}` is not among the options that cannot execute"
            ));
        }
        // String expansion has ${run …}, ${readsocket …} and many more.
        let outside = value.pieces().iter().any(|piece| match piece {
            ValuePiece::Text(text) => text.contains(['$', '/', '\\']),
            ValuePiece::OwnFile(_) | ValuePiece::Generated(_) => false,
        });
        if outside {
            return Some(format!(
                "`{name}`: `{}` is expanded, or a path",
                value.as_str()
            ));
        }
        None
    })
}

/// A file is a table, a configuration of OpenSSL where a setting says so, or PEM.
fn contents_of(scenario: &Scenario, name: &str, contents: &str) -> Option<String> {
    let settings = [&scenario.file.server.postfix, &scenario.file.client.postfix];
    let settings: Vec<_> = settings.into_iter().flatten().flatten().collect();
    let of = |parameter: &str| {
        settings
            .iter()
            .filter(|(name, _)| name.get_ref() == parameter)
            .map(|(_, value)| value.get_ref().as_str().to_owned())
            .collect::<Vec<_>>()
    };
    let is_openssl = of("tls_config_file").contains(&format!("file:{name}"));
    let sections = of("tls_config_name");
    let mut in_pem = false;
    for line in contents.lines().map(str::trim) {
        if line.starts_with("-----") {
            in_pem = line.starts_with("-----BEGIN");
            continue;
        }
        if in_pem || line.is_empty() || line.starts_with('#') || is_openssl && line.starts_with('[')
        {
            continue;
        }
        if is_openssl {
            let key = line.split('=').next().unwrap_or_default().trim();
            if !OPENSSL.contains(&key) && !sections.iter().any(|section| section == key) {
                return Some(format!(
                    "OpenSSL's `{key}` is not among the keys that load nothing"
                ));
            }
            continue;
        }
        if let Err(why) = text(line) {
            return Some(why);
        }
    }
    None
}

#[cfg(test)]
mod tests;
