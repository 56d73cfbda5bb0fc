//! OpenSSL's error stack as Postfix prints it (`tls_print_errors` in `tls_misc.c`).

use tls_names::AlertDescription;

use crate::summary::{Side, number};

/// OpenSSL reports a received alert N as reason 1000 + N (`SSL_AD_REASON_OFFSET`).
const ALERT_REASONS: std::ops::RangeInclusive<u32> = 1000..=1255;
/// `ERR_LIB_SSL`.
const SSL_LIBRARY: u32 = 20;

/// One entry: `error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryProblem {
    /// The packed error code; OpenSSL 1.1.1 and 3.x pack it differently.
    pub code: u32,
    /// Such as `SSL routines`.
    pub library: String,
    /// Such as `tls_post_process_client_hello`; OpenSSL 3.x does not say.
    pub function: Option<String>,
    /// Such as `no shared cipher`, as printed.
    pub reason: String,
    /// The alert received from the peer, if that is what happened.
    pub alert: Option<AlertDescription>,
    /// The end of the session whose Postfix logged this, where the daemon tells.
    pub seen_by: Option<Side>,
    /// OpenSSL's source file.
    pub file: String,
    /// Line in `file`.
    pub line: u32,
    /// What follows: `SSL alert number 40`, `Expecting: DH PARAMETERS`; empty if nothing does.
    pub data: String,
}

impl LibraryProblem {
    /// The end that sent the alert of which this entry tells; `None` if it tells of none, or the daemon may be either end.
    ///
    /// The alert may come long after the handshake: a TLS 1.3 client that is refused learns it with the first data.
    pub fn alert_sent_by(&self) -> Option<Side> {
        self.alert.and(self.seen_by).map(Side::other)
    }

    /// Whether the peer closed the connection without a word: `unexpected eof while reading` (OpenSSL 3.0 and later).
    pub fn peer_closed(&self) -> bool {
        self.reason == "unexpected eof while reading"
    }

    /// Parses what follows `TLS library problem: `.
    pub(super) fn parse(text: &str, seen_by: Option<Side>) -> Option<Self> {
        // Postfix before 2.11 puts the process id, or on some systems a thread's, in front.
        let text = match text.split_once(':') {
            Some((id, rest)) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => rest,
            _ => text,
        };
        let mut parts = text.strip_prefix("error:")?.splitn(7, ':');
        let code = parts.next().filter(|code| code.len() == 8)?;
        let code = u32::from_str_radix(code, 16).ok()?;
        let (library, function, reason) = (parts.next()?, parts.next()?, parts.next()?);
        let (file, line) = (parts.next()?, parts.next()?);
        let data = parts.next().unwrap_or_default();
        let data = data.strip_suffix(':').unwrap_or(data);
        let alert = data
            .strip_prefix("SSL alert number ")
            .and_then(number)
            .or_else(|| alert_in_code(code))
            .map(AlertDescription);
        Some(Self {
            code,
            library: library.to_owned(),
            function: (!function.is_empty()).then(|| function.to_owned()),
            reason: reason.to_owned(),
            alert,
            seen_by,
            file: file.to_owned(),
            line: number(line)?,
            data: data.to_owned(),
        })
    }
}

/// The alert in a packed code. 1.1.1 packs library, function, reason as 8, 12 and 12 bits; 3.x packs a flag,
/// the library in 8 bits and the reason in 23.
fn alert_in_code(code: u32) -> Option<u8> {
    let old = (code >> 24 == SSL_LIBRARY).then_some(code & 0xfff);
    let new = ((code >> 23) & 0xff == SSL_LIBRARY).then_some(code & 0x7f_ffff);
    let reason = old
        .or(new)
        .filter(|reason| ALERT_REASONS.contains(reason))?;
    u8::try_from(reason - ALERT_REASONS.start()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> LibraryProblem {
        LibraryProblem::parse(text, None).unwrap()
    }

    #[test]
    fn the_dialect_of_3_x() {
        let problem = parse(
            "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:",
        );
        assert_eq!(problem.code, 0x0a00_00c1);
        assert_eq!(
            (problem.library.as_str(), problem.reason.as_str()),
            ("SSL routines", "no shared cipher")
        );
        assert_eq!(
            (problem.function, problem.alert, problem.line),
            (None, None, 2361)
        );
        assert_eq!(problem.data, "");
    }

    #[test]
    fn the_dialect_of_1_1_1() {
        let problem = parse(
            "error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher:\
             ../ssl/statem/statem_srvr.c:2283:",
        );
        assert_eq!(
            problem.function.as_deref(),
            Some("tls_post_process_client_hello")
        );
        assert_eq!(problem.reason, "no shared cipher");
    }

    #[test]
    fn received_alerts_are_known_by_text_and_by_code() {
        for text in [
            "error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:SSL alert number 70:",
            "error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:918:",
            "error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1544:",
        ] {
            assert_eq!(
                parse(text).alert,
                Some(AlertDescription::PROTOCOL_VERSION),
                "{text}"
            );
        }
    }

    #[test]
    fn data_may_hold_colons() {
        let problem = parse(
            "error:80000002:system library::No such file or directory:../crypto/bio/bss_file.c:67:\
             calling fopen(/cfg/a:b.pem, r):",
        );
        assert_eq!(problem.data, "calling fopen(/cfg/a:b.pem, r)");
        assert_eq!(problem.alert, None);
    }
}
