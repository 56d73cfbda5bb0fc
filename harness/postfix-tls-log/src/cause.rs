//! The words for why a session failed: one vocabulary, whatever version of Postfix and OpenSSL printed it, and where in
//! their sources each comes from.

use tls_names::AlertDescription;

use crate::failure::normalised;

/// A cause by its name, as [`crate::failure::Failure::cause`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// In lower case; it may end in `…`, which is a name or a number then.
    pub name: &'static str,
    /// The file that prints it, and the words there.
    pub source: &'static str,
}

/// The name under which every certificate that did not verify is one cause.
pub const VERIFICATION_FAILED: &str = "certificate verification failed";

/// Files of Postfix (`src/…`) and of OpenSSL that a cause comes from.
mod file {
    pub(super) const SMTP: &str = "smtp/smtp_proto.c";
    pub(super) const POLICY: &str = "smtp/smtp_tls_policy.c";
    pub(super) const SMTPD: &str = "smtpd/smtpd.c";
    pub(super) const VERIFY: &str = "tls/tls_verify.c";
    pub(super) const CERTKEY: &str = "tls/tls_certkey.c";
    pub(super) const SSL: &str = "openssl: ssl/ssl_err.c";
    pub(super) const X509: &str = "openssl: crypto/x509/x509_txt.c";
}

macro_rules! causes {
    ($($source:expr => { $($name:literal $($words:literal)?),* $(,)? })*) => {
        /// Every cause that has a name.
        pub const CAUSES: &[Cause] = &[
            $($(Cause { name: $name, source: causes!(@source $source, $name $($words)?) },)*)*
        ];
        /// What the sources print, where that is not the name.
        pub const WORDS: &[(&str, &str)] = &[$($($(($name, $words),)?)*)*];
    };
    (@source $source:expr, $name:literal $($words:literal)?) => { $source };
}

causes! {
    file::SMTP => {
        "handshake failure" "Cannot start TLS: handshake failure",
        "lost connection" "lost connection with … while …",
        "refused to talk" "host … refused to talk to me: …",
        "server certificate not verified" "Server certificate not verified; in 3.5 Server certificate not trusted",
        "starttls not offered" "TLS is required, but was not offered by host …",
        "starttls refused" "TLS is required, but host … refused to start TLS: …",
        "timeout" "conversation with … timed out while …",
        "tls unavailable" "TLS is required, but our TLS engine is unavailable",
    }
    file::POLICY => {
        "client tls configuration problem" "client TLS configuration problem",
        "no tlsa records found" "no TLSA records found",
        "tlsa lookup error" "TLSA lookup error for …",
        "tlsa records unusable" "TLSA records unusable",
    }
    file::SMTPD => {
        "client certificate not trusted" "Client certificate not trusted",
        "lost connection after …" "lost connection after … from …",
        "must issue a starttls command first" "530 5.7.0 Must issue a STARTTLS command first",
        "no client certificate presented" "No client certificate presented",
        "timeout after …" "timeout after … from …",
    }
    "smtpd/smtpd_sasl_glue.c" => {
        "no sasl authentication mechanisms" "fatal: no SASL authentication mechanisms",
    }
    "util/mymalloc.c" => {
        "mymalloc: requested length …" "panic: mymalloc: requested length …",
    }
    "tls/tls_client.c, tls/tls_server.c" => {
        "connection reset by peer" "SSL_accept error from …: Connection reset by peer",
        "connection timed out" "SSL_accept error from …: Connection timed out",
    }
    file::VERIFY => {
        "certificate verification failed" "certificate verification failed for …: any of those below this one",
        "certificate chain longer than limit" "certificate chain longer than limit(…)",
        "certificate has expired",
        "certificate not yet valid",
        "not designated for use as a ca certificate" "not designated for use as a CA certificate",
        "self-signed certificate",
        "untrusted issuer" "untrusted issuer …",
    }
    file::X509 => {
        "ca certificate key too weak" "CA certificate key too weak",
        "ca signature digest algorithm too weak" "CA signature digest algorithm too weak",
        "certificate is not yet valid",
        "certificate revoked",
        "certificate signature failure",
        "ee certificate key too weak" "EE certificate key too weak",
        "hostname mismatch",
        "invalid ca certificate" "invalid CA certificate",
        "no matching dane tlsa records" "no matching DANE TLSA records",
        "path length constraint exceeded",
        "self-signed certificate in certificate chain",
        "unable to get issuer certificate",
        "unable to get local issuer certificate",
        "unable to verify the first certificate",
        "unspecified certificate verification error",
        "unsuitable certificate purpose",
        "unsupported certificate purpose",
    }
    file::CERTKEY => {
        "cannot get dsa certificate" "cannot get DSA certificate from file …",
        "cannot get ecdsa certificate" "cannot get ECDSA certificate from file …",
        "cannot get rsa private key" "cannot get RSA private key from file …",
        "cannot get rsa certificate" "cannot get RSA certificate from file …",
        "cannot load certification authority data" "cannot load Certification Authority data, CAfile=…",
        "error opening chain file" "error opening chain file: …",
    }
    file::SSL => {
        "bad change cipher spec",
        "bad data",
        "bad dh value",
        "bad ecpoint",
        "bad extension",
        "bad key share",
        "bad length",
        "bad packet length",
        "bad record mac",
        "bad signature",
        "ca key too small",
        "ca md too weak",
        "callback failed",
        "certificate verify failed",
        "data length too long",
        "decryption failed or bad record mac",
        "dh key too small",
        "dh public value length is wrong",
        "digest check failed",
        "ee key too small",
        "encrypted length too long",
        "excessive message size",
        "http request",
        "https proxy request",
        "inappropriate fallback",
        "internal error",
        "invalid alert",
        "invalid ccs message",
        "legacy sigalg disallowed or unsupported",
        "length mismatch",
        "length too short",
        "missing sigalgs extension",
        "missing supported groups extension",
        "no certificate assigned",
        "no ciphers available",
        "no shared cipher",
        "no shared groups",
        "no shared signature algorithms",
        "no suitable groups",
        "no suitable key share",
        "no suitable signature algorithm",
        "not on record boundary",
        "packet length too long",
        "peer did not return a certificate",
        "record length mismatch",
        "renegotiation mismatch",
        "too many warn alerts",
        "unexpected message",
        "unexpected record",
        "unknown cipher returned",
        "unknown protocol",
        "unsafe legacy renegotiation disabled",
        "unsolicited extension",
        "unsupported protocol" "unsupported protocol; no protocols available",
        "version too low",
        "wrong cipher returned",
        "wrong curve",
        "wrong signature type",
        "wrong ssl version",
        "wrong version number",
    }
}

/// `words` as a cause of the vocabulary: its name, the words of a source (`TLS is required, but was not offered`), in any
/// case, or `alert` and an alert's name. `None` for what it does not have.
pub fn known(words: &str) -> Option<String> {
    let cause = canonical(words);
    if let Some(alert) = cause.strip_prefix("alert ") {
        return AlertDescription::from_name(alert).map(|_| cause);
    }
    CAUSES
        .iter()
        .any(|one| matches(one.name, &cause))
        .then_some(cause)
}

/// `words` by the name that the vocabulary has for them; as they stand, dialects aside, where it has none.
pub fn canonical(words: &str) -> String {
    let words = normalised(words);
    let by_words = WORDS.iter().find(|(name, printed)| {
        // Several wordings of one thing are behind semicolons, names and numbers where the dots are.
        *name != VERIFICATION_FAILED
            && printed.split(';').any(|printed| {
                let printed = printed.trim().trim_start_matches("in 3.5 ").to_lowercase();
                let start = printed.split('…').next().unwrap_or_default().trim_end();
                let start = start.trim_end_matches([':', '=']);
                let start = start.trim_end_matches(" by host").trim_end_matches(" for");
                // A wording that begins with a name says nothing by its beginning.
                start.len() >= 16 && (words == start || named(&printed, &words))
            })
    });
    match by_words {
        Some((name, _)) if !name.ends_with('…') => (*name).to_owned(),
        _ => words,
    }
}

/// Whether `words` are the printed ones up to a name that stands at their end.
fn named(printed: &str, words: &str) -> bool {
    printed.strip_suffix('…').is_some_and(|start| {
        start.len() >= 16 && words.len() > start.len() && words.starts_with(start)
    })
}

/// Whether `words` are the name of a cause, to the letter.
pub fn is_name(words: &str) -> bool {
    CAUSES.iter().any(|one| matches(one.name, words)) || words.starts_with("alert ")
}

fn matches(name: &str, cause: &str) -> bool {
    match name.strip_suffix('…') {
        Some(start) => cause.len() > start.len() && cause.starts_with(start),
        None => name == cause,
    }
}

/// Whether `cause` is that a certificate did not verify, by a reason that Postfix or OpenSSL gives.
pub fn is_verification(cause: &str) -> bool {
    CAUSES
        .iter()
        .any(|one| matches!(one.source, file::VERIFY | file::X509) && one.name == cause)
}

/// The rows of a table of all causes: name, file, words.
pub fn table() -> String {
    let mut rows = String::from("| cause | where it is printed | as |\n|---|---|---|\n");
    for Cause { name, source } in CAUSES {
        let words = WORDS.iter().find(|(of, _)| of == name);
        let words = words.map_or(*name, |(_, words)| *words);
        rows.push_str(&format!("| `{name}` | {source} | {words} |\n"));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_words_and_alerts_are_known() {
        for (words, cause) in [
            ("no shared cipher", "no shared cipher"),
            (
                "No Client Certificate presented",
                "no client certificate presented",
            ),
            ("self signed certificate", "self-signed certificate"),
            (
                "TLS is required, but was not offered",
                "starttls not offered",
            ),
            ("STARTTLS refused", "starttls refused"),
            (
                "530 5.7.0 Must issue a STARTTLS command first",
                "must issue a starttls command first",
            ),
            (
                "client TLS configuration problem",
                "client tls configuration problem",
            ),
            ("TLSA lookup error", "tlsa lookup error"),
            (
                "lost connection after STARTTLS",
                "lost connection after starttls",
            ),
            (
                "mymalloc: requested length 0",
                "mymalloc: requested length 0",
            ),
            ("alert protocol_version", "alert protocol_version"),
            (
                "certificate verification failed",
                "certificate verification failed",
            ),
        ] {
            assert_eq!(known(words).as_deref(), Some(cause), "{words}");
        }
        for words in [
            "no shared ciper",
            "alert protocol version",
            "lost connection after ",
            "",
        ] {
            assert_eq!(known(words), None, "{words}");
        }
    }

    #[test]
    fn every_name_is_there_once_and_in_the_words_of_the_parser() {
        let mut seen = std::collections::BTreeSet::new();
        for cause in CAUSES {
            assert!(seen.insert(cause.name), "{} twice", cause.name);
            assert_eq!(normalised(cause.name), cause.name);
        }
    }
}
