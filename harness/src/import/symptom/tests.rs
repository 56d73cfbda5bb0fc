use super::*;
use crate::import::read::read;

#[test]
fn the_most_telling_line_counts() {
    for (log, kind, side) in [
        (
            "postfix/smtpd[1]: SSL_accept error from x[192.0.2.1]: -1\npostfix/smtpd[1]: warning: TLS library problem: \
             error:1408A0C1:SSL routines:ssl3_get_client_hello:no shared cipher:s3_srvr.c:1417:",
            Kind::NoSharedCipher,
            SideName::Server,
        ),
        (
            "postfix/smtp[1]: Untrusted TLS connection established to x[192.0.2.1]:25: TLSv1.3 with cipher A (1/1 bits)\n\
             postfix/smtp[1]: certificate verification failed for x[192.0.2.1]:25: untrusted issuer /O=A\n\
             postfix/smtp[1]: 3C: Server certificate not trusted",
            Kind::UntrustedIssuer,
            SideName::Client,
        ),
        (
            "postfix/smtpd[1]: connect from x[192.0.2.1]\npostfix/smtp[1]: Trusted TLS connection established to x",
            Kind::Established,
            SideName::Client,
        ),
    ] {
        let report = read(log.as_bytes());
        let first = symptoms(&report)[0];
        assert_eq!((first.kind, first.side), (kind, side), "{log}");
    }
}
