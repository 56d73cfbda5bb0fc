//! What Postfix notes for the daily report to a domain's owner (TLSRPT, RFC 8460; 3.10 and later).

/// `TLSRPT: status=failure, domain=D, receiving_mx=M[A], failure_type=T, failure_reason=R` (`tlsrpt_wrapper.c`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsReport {
    /// Whether the session met the policy.
    pub success: bool,
    /// The domain whose owner is told.
    pub domain: String,
    /// The server, as printed.
    pub receiving_mx: String,
    /// Such as `certificate_expired`, in the words of RFC 8460 with underscores.
    pub failure_type: Option<String>,
    /// Such as `self-signed_certificate`.
    pub failure_reason: Option<String>,
}

impl TlsReport {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("TLSRPT: status=")?;
        let (status, rest) = rest.split_once(", domain=")?;
        let (domain, rest) = rest.split_once(", receiving_mx=")?;
        let (receiving_mx, rest) = rest.split_once(", ").unwrap_or((rest, ""));
        let (mut failure_type, mut failure_reason) = (None, None);
        for field in rest.split(", ") {
            match field.split_once('=') {
                Some(("failure_type", value)) => failure_type = Some(value.to_owned()),
                Some(("failure_reason", value)) => failure_reason = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(Self {
            success: match status {
                "success" => true,
                "failure" => false,
                _ => return None,
            },
            domain: domain.to_owned(),
            receiving_mx: receiving_mx.to_owned(),
            failure_type,
            failure_reason,
        })
    }
}
