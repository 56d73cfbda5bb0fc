#[test]
fn octets_of_a_mail() {
    for (text, redacted) in [
        (
            "Write 437 chars: Received: from inject.pfs.invalid (unkno",
            "Write <count> chars: Received: from inject.pfs.invalid (unkno",
        ),
        (
            "Write 23 chars: MAIL FROM:<> SIZE=434??",
            "Write <count> chars: MAIL FROM:<> SIZE=<count>??",
        ),
        (
            "Read 31 chars: 250-SIZE 10240000",
            "Read <count> chars: 250-SIZE 10240000",
        ),
        ("Anonymous 256 chars: x", "Anonymous 256 chars: x"),
    ] {
        assert_eq!(log_text(text), redacted);
    }
}

#[test]
fn own_recipients_lose_their_case() {
    let line = "for <recipient@eecdh.grade.ultra-12ab34.pfs.test>; recipient@else.where";
    let redacted = "for <recipient@<case>.pfs.test>; recipient@else.where";
    assert_eq!(super::own_recipients(line), redacted);
}

#[test]
fn words_of_pipe_and_of_exim() {
    for (text, redacted) in [
        (
            "728B99BCABE: to=<recipient@exim.client.pfs.test>, relay=exim.client, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, \
             status=sent (delivered via exim.client service (X=TLS1.2:DHE_CUSTOM1024__RSA_SHA256__AES_256_GCM:256 CV=no))",
            "<queue-id>: to=<recipient@<case>.pfs.test>, relay=<case>, delay=<seconds>, delays=<seconds>, dsn=2.0.0, \
             status=sent (delivered via <case> service (X=TLS1.2:DHE_CUSTOM1024__RSA_SHA256__AES_256_GCM:256 CV=no))",
        ),
        (
            "728B99BCABE: to=<a@b.test>, relay=none, delay=0.1, delays=0/0/0/0.1, dsn=4.4.1, status=deferred (x)",
            "<queue-id>: to=<a@b.test>, relay=none, delay=<seconds>, delays=<seconds>, dsn=4.4.1, status=deferred (x)",
        ),
        (
            "status=sent (250 OK id=1xV6E5-0000rG-Pf)",
            "status=sent (250 OK id=<queue-id>)",
        ),
        (
            "status=sent (250 OK id=1xV6E6-000000000vV-1lYA)",
            "status=sent (250 OK id=<queue-id>)",
        ),
    ] {
        assert_eq!(log_text(text), redacted);
    }
    assert_eq!(
        header(
            "from x\n\tby mail.example.test (Exim) with esmtps;\n\tSun, 22 Nov 2026 11:58:30 +0000"
        ),
        "from x\n\tby mail.example.test (Exim) with esmtps;\n\t<time>"
    );
}

#[test]
fn names_lose_the_label_of_their_case() {
    for (text, redacted) in [
        (
            "TLSA lookup error for mail.case-0123456789.example.test:10001",
            "TLSA lookup error for mail.example.test:<port>",
        ),
        (
            "name=_10001._tcp.case-0123456789.example.test type=TLSA",
            "name=_<port>._tcp.example.test type=TLSA",
        ),
        ("case-0123.example.test", "case-0123.example.test"),
        ("in case-x or case-", "in case-x or case-"),
    ] {
        assert_eq!(log_text(text), redacted);
    }
}

use super::*;

#[test]
fn a_whole_line() {
    let line = "Nov 22 08:07:33 mail postfix/c12/smtp[835]: Verified TLS connection established to \
                mail.example.test[127.20.3.1]:2501: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) \
                key-exchange x25519 server-signature RSA-PSS (2048 bits) server-digest SHA256";
    assert_eq!(
        log_line(line),
        "<time> <host> postfix/<case>/smtp[<pid>]: Verified TLS connection established to \
         mail.example.test[<address>]:<port>: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) \
         key-exchange x25519 server-signature RSA-PSS (2048 bits) server-digest SHA256"
    );
}

#[test]
fn only_the_line_number_of_an_openssl_source_goes() {
    for (text, redacted) in [
        (
            "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:",
            "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:<line>:",
        ),
        (
            "warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:SSL alert number 70:",
            "warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:<line>:SSL alert number 70:",
        ),
    ] {
        assert_eq!(log_line(text), redacted);
    }
}

#[test]
fn ids_times_and_ports() {
    for (text, redacted) in [
        (
            "728B99BCABE: to=<t@a.test>, relay=mail.example.test[127.20.3.1]:3000, conn_use=2, delay=0.04, \
             delays=0.01/0.03/0/0, tls=may:none, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 34F799A2C4E)",
            "<queue-id>: to=<t@a.test>, relay=mail.example.test[<address>]:<port>, conn_use=2, delay=<seconds>, \
             delays=<seconds>, tls=may:none, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as <queue-id>)",
        ),
        ("3D1vR24dK0z9Xx4: removed", "<queue-id>: removed"),
        (
            "728B99BCABE: message-id=<20261122080733.5CFA79D66EB@mail.example.test>",
            "<queue-id>: message-id=<message-id>",
        ),
        (
            "DBF9F9A2B61: sender non-delivery notification: 435249A2B4E",
            "<queue-id>: sender non-delivery notification: <queue-id>",
        ),
        (
            "HANGUP after 0.41 from [127.0.0.1]:60886 in tests",
            "HANGUP after <seconds> from [<address>]:<port> in tests",
        ),
        (
            "PREGREET 12 after 0.01 from [127.0.0.1]:6: EHLO early",
            "PREGREET 12 after <seconds> from [<address>]:<port>: EHLO early",
        ),
        (
            "TLSA lookup error for dane.example.test:2566",
            "TLSA lookup error for dane.example.test:<port>",
        ),
        (
            "_2566._tcp.dane.example.test unsupported",
            "_<port>._tcp.dane.example.test unsupported",
        ),
        ("connect from a[2001:db8::1]", "connect from a[<address>]"),
        (
            "process /usr/lib/postfix/sbin/smtp pid 812 exit status 1",
            "process /usr/lib/postfix/sbin/smtp pid <pid> exit status 1",
        ),
        (
            "a[192.0.2.1]: Issuing session ticket, key expiration: 1795336568",
            "a[<address>]: Issuing session ticket, key expiration: <seconds>",
        ),
        (
            "looking for session topic.case-0123456789abcdef&[mail.example.test]:2502&mail.example.test&127.20.2.1&&CBC95C9402C5D1CD3648E6E23196047C4F4255ED15B22199AA002DED4003787B in smtp cache",
            "looking for session <case>&[mail.example.test]:<port>&mail.example.test&<address>&&<hex> in smtp cache",
        ),
        (
            "a[192.0.2.1]:25: raw public key fingerprint=71:65:2E:80:0E:02:EB:22:76:BA:0E:1B:D6:A1:2B:5D",
            "a[<address>]:<port>: raw public key fingerprint=<hex>",
        ),
        (
            "TA cert as TLSA record: /cfg/ca.crt: 2 0 0 30820315308201FDA00302010202143D36AA32...55065BAC3451E9306390",
            "TA cert as TLSA record: /cfg/ca.crt: 2 0 0 <hex>",
        ),
    ] {
        assert_eq!(log_line(text), redacted);
    }
}

#[test]
fn what_must_stay() {
    for text in [
        "Anonymous TLS connection established from unknown[x] to sni.example.test: TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits)",
        "certificate verification failed for mail.example.test[x]: untrusted issuer /CN=Facts Test CA",
        "NOQUEUE: abort: TLS from unknown[x]: No client certificate presented",
        "disconnect from unknown[x] ehlo=1 starttls=0/1 commands=1/2",
        "warning: ignoring unknown ECDHE curve \"X25519MLKEM768\"",
        "unusable TLSA RR: 3 1 1 616263",
        "warning: non-default OpenSSL 3.5.7 parameters at 10:30",
    ] {
        assert_eq!(log_line(text), text);
    }
}

#[test]
fn only_tags_of_a_fleet_are_tags() {
    assert_eq!(service_name("postfix/s3/smtpd"), "postfix/<case>/smtpd");
    for name in [
        "postfix/smtpd",
        "postfix/submission/smtpd",
        "postfix/ps/postscreen",
        "postfix/c-12/smtp",
    ] {
        assert_eq!(service_name(name), name);
    }
}

#[test]
fn headers_keep_their_layout() {
    let text = "Received: from mail.example.test (unknown [127.0.0.1])\n\
                \t(using TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits))\n\
                \t(Client RPK sha256 digest F9:B5:52:F1:31:11:98:34:F9:B5:52:F1)\n\
                \tby mail.example.test (Postfix) with ESMTPS id D7C7C104AF2\n\
                \tfor <t@box.test>; Sun, 22 Nov 2026 08:07:33 +0000 (UTC)\n";
    let redacted = "Received: from mail.example.test (unknown [<address>])\n\
                \t(using TLSv1.2 with cipher ADH-AES256-GCM-SHA384 (256/256 bits))\n\
                \t(Client RPK sha256 digest <hex>)\n\
                \tby mail.example.test (Postfix) with ESMTPS id <queue-id>\n\
                \tfor <t@box.test>; <time>\n";
    assert_eq!(header(text), redacted);
}

#[test]
fn redacting_twice_changes_nothing_more() {
    let line = "Nov 22 08:07:33 mail postfix/c12/smtp[835]: 728B99BCABE: to=<t@a.test>, relay=m[127.20.3.1]:3000, delay=0.04, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)";
    let once = log_text(&LogLine::parse(line).unwrap().text);
    assert_eq!(log_text(&once), once);
}
