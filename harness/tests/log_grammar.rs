//! Lines that real Postfix servers printed and that the captures of `tests/data/captured` lack.

use harness::observe::log::{
    ClientProblem, Configuration, Dane, DhProblem, Screening, SslErrorDetail, Verbose,
};
use harness::observe::{LogEvent, TlsSummary};

fn parse(line: &str) -> LogEvent {
    let (daemon, text) = line.split_once(": ").unwrap_or((line, ""));
    LogEvent::parse(daemon, text)
}

#[test]
fn summaries() {
    for line in [
        "Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:2001: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519",
        "Verified TLS connection reused to mail.example.test[192.0.2.1]:25: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
        "Trusted TLS connection established from mail.example.test[2001:db8::1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange DHE (2048 bits) server-signature ECDSA (brainpoolP256r1) server-digest SHA256",
        "Anonymous TLS connection established to mail.example.test[2001:db8::1]:25: TLSv1.2 with cipher ADH-AES128-SHA (128/128 bits)",
        "Untrusted TLS connection established to mail.example.test[192.0.2.1]:25: TLSv1 with cipher DES-CBC3-SHA (112/168 bits)",
        "Verified TLS connection established to local[private/lmtp]: TLSv1.2 with cipher AES128-SHA (128/128 bits)",
    ] {
        assert_eq!(TlsSummary::from_log(line).unwrap().to_string(), line);
    }
    for line in [
        "Reused TLS connection established to a[192.0.2.1]:25: TLSv1.2 with cipher AES128-SHA (128/128 bits)",
        "Verified TLS connection resumed to a[192.0.2.1]:25: TLSv1.2 with cipher AES128-SHA (128/128 bits)",
        "Verified TLS connection established to a[192.0.2.1]:25 to sni: TLSv1.2 with cipher AES128-SHA (128/128 bits)",
        "Verified TLS connection established to a[192.0.2.1]:99999: TLSv1.2 with cipher AES128-SHA (128/128 bits)",
        "Verified TLS connection established to a[192.0.2.1]:25: TLSv1.4 with cipher AES128-SHA (128/128 bits)",
        "Verified TLS connection established to a[192.0.2.1]:25: TLSv1.2 with cipher AES128-SHA (+128/128 bits)",
        "Verified TLS connection established to a[192.0.2.1]:25: TLSv1.2 with cipher AES128-SHA (128/128 bits) more",
        "Verified TLS connection established to a[192.0.2.1]:25: TLSv1.2 with cipher AES128-SHA (128/128 bits) key-exchange ",
    ] {
        assert_eq!(
            parse(&format!("smtp: {line}")),
            LogEvent::Other(line.to_owned())
        );
    }
}

#[test]
fn settings_that_cannot_be_used() {
    let disabled = "smtpd: warning: cannot get RSA certificate from file \"/cfg/nosuch.pem\": disabling TLS support";
    assert_eq!(
        parse(disabled),
        LogEvent::Configuration(Configuration::TlsDisabled {
            reason: "cannot get RSA certificate from file \"/cfg/nosuch.pem\"".into()
        })
    );
    for (line, file, problem) in [
        (
            "smtpd: warning: cannot load 1024-bit DH parameters from file /cfg/a: No such file or directory -- using compiled-in defaults",
            Some("/cfg/a"),
            DhProblem::CannotOpen("No such file or directory".into()),
        ),
        (
            "smtpd: warning: cannot load DH parameters from file /cfg/a -- using compiled-in defaults",
            Some("/cfg/a"),
            DhProblem::CannotDecode,
        ),
        (
            "smtpd: warning: error opening DH parameter file \"/cfg/a\": Permission denied -- using compiled-in defaults",
            Some("/cfg/a"),
            DhProblem::CannotOpen("Permission denied".into()),
        ),
        (
            "smtpd: warning: error decoding DH parameters from file \"/cfg/a\" -- using compiled-in defaults",
            Some("/cfg/a"),
            DhProblem::CannotDecode,
        ),
        (
            "smtpd: warning: error configuring explicit DH parameters",
            None,
            DhProblem::CannotConfigure,
        ),
    ] {
        let LogEvent::DhParameters(found) = parse(line) else {
            unreachable!("{line}");
        };
        assert_eq!(
            (found.file.as_deref(), found.problem),
            (file, problem),
            "{line}"
        );
    }
    let curve = parse("smtp: warning: ignoring unknown ECDHE curve \"X25519MLKEM768\"");
    assert!(
        matches!(curve, LogEvent::Configuration(Configuration::UnknownCurve { name }) if name == "X25519MLKEM768")
    );
    let fatal = parse("smtpd: fatal: bad string length 0 < 1: tls_eecdh_auto_curves = ");
    assert_eq!(
        fatal,
        LogEvent::Fatal("bad string length 0 < 1: tls_eecdh_auto_curves = ".into())
    );
}

#[test]
fn dane() {
    for line in [
        "smtp: warning: DNSSEC validation may be unavailable",
        "smtp: warning: reason: dnssec_probe 'ns:.' received a response that is not DNSSEC validated",
        "smtp: warning: [dane-ok.example.test]:2501: dane configured with dnssec lookups disabled",
        "smtp: warning: TLS policy lookup for [dane.example.test]:2501/dane.example.test: TLSA lookup error for dane.example.test:2501",
        "smtp: warning: malformed sha256 digest, length 3, in RR: _25._tcp.a.example.test IN TLSA 3 1 1 ...",
        "smtp: warning: _2501._tcp.dane-pkix.example.test unsupported TLSA certificate usage: 1 1 1 37F0AB",
    ] {
        assert!(matches!(parse(line), LogEvent::Dane(_)), "{line}");
    }
    let unusable =
        parse("smtp: warning: a.example.test[192.0.2.1]:25: unusable TLSA RR: 3 1 1 616263");
    let LogEvent::Dane(Dane::Unusable { owner, record, .. }) = unusable else {
        unreachable!("{unusable:?}");
    };
    assert_eq!(
        (owner.as_str(), record.unwrap().data.as_str()),
        ("a.example.test[192.0.2.1]:25", "616263")
    );
    let matched = parse("smtp: a[192.0.2.1]:25: Matched DANE raw public key: 3 1 1 37F0AB");
    assert!(
        matches!(matched, LogEvent::Verbose(Verbose::Matched { record: Some(record), .. }) if record.usage == 3)
    );
}

#[test]
fn failures_of_both_daemons() {
    let error = parse("smtpd: SSL_accept error from unknown[192.0.2.1]: Connection reset by peer");
    let LogEvent::SslError(error) = error else {
        unreachable!("{error:?}");
    };
    assert_eq!(
        error.detail,
        SslErrorDetail::System("Connection reset by peer".into())
    );
    for (text, expected) in [
        (
            "TLS is required, but was not offered by host a[192.0.2.1]",
            "TlsRequiredNotOffered",
        ),
        (
            "host a[192.0.2.1] refused to talk to me: 421 4.7.1 a Error: No client certificate presented",
            "RefusedToTalk",
        ),
        (
            "conversation with a[192.0.2.1] timed out while performing the EHLO handshake",
            "ConnectionLost",
        ),
        (
            "TLS is required, but our TLS engine is unavailable",
            "TlsUnavailable",
        ),
        ("Server certificate not trusted", "CertificateNotAccepted"),
    ] {
        let problem = ClientProblem::parse(text)
            .map(|it| format!("{it:?}"))
            .unwrap_or_default();
        assert!(problem.starts_with(expected), "{text}: {problem}");
    }
    assert_eq!(ClientProblem::parse("250 2.0.0 Ok: queued as 123456"), None);
}

#[test]
fn tlsproxy_with_other_settings() {
    for line in [
        "tlsproxy: warning: request from tlsproxy client with unexpected settings",
        "tlsproxy: warning: (server) 'tls_medium_cipherlist=a' != (client) 'tls_medium_cipherlist=aRSA'",
    ] {
        assert!(
            matches!(
                parse(line),
                LogEvent::Screening(Screening::SettingsDiffer { .. })
            ),
            "{line}"
        );
    }
    let role = parse("smtp: warning: private/tlsproxy service role \"client\" is not available");
    assert!(matches!(
        role,
        LogEvent::Screening(Screening::RoleUnavailable { .. })
    ));
}

#[test]
fn a_long_line_is_cut() {
    let LogEvent::Other(text) = parse(&format!("smtp: {}", "é".repeat(100_000))) else {
        unreachable!();
    };
    assert!(text.len() <= 16 * 1024);
}
