use std::fmt;

/// An alert description (RFC 5246 section 7.2, RFC 8446 section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertDescription(pub u8);

macro_rules! alerts {
    ($($code:literal $constant:ident $name:literal),* $(,)?) => {
        impl AlertDescription {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self($code);)*

            /// Those that an RFC names.
            pub const ALL: &'static [Self] = &[$(Self($code)),*];

            /// The RFC's spelling, such as `handshake_failure`; `unknown` for a code no RFC assigns.
            pub fn name(self) -> &'static str {
                match self.0 {
                    $($code => $name,)*
                    _ => "unknown",
                }
            }

            /// The alert that an RFC calls `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self($code)),)*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    0 CLOSE_NOTIFY "close_notify",
    10 UNEXPECTED_MESSAGE "unexpected_message",
    20 BAD_RECORD_MAC "bad_record_mac",
    21 DECRYPTION_FAILED "decryption_failed",
    22 RECORD_OVERFLOW "record_overflow",
    30 DECOMPRESSION_FAILURE "decompression_failure",
    40 HANDSHAKE_FAILURE "handshake_failure",
    41 NO_CERTIFICATE "no_certificate",
    42 BAD_CERTIFICATE "bad_certificate",
    43 UNSUPPORTED_CERTIFICATE "unsupported_certificate",
    44 CERTIFICATE_REVOKED "certificate_revoked",
    45 CERTIFICATE_EXPIRED "certificate_expired",
    46 CERTIFICATE_UNKNOWN "certificate_unknown",
    47 ILLEGAL_PARAMETER "illegal_parameter",
    48 UNKNOWN_CA "unknown_ca",
    49 ACCESS_DENIED "access_denied",
    50 DECODE_ERROR "decode_error",
    51 DECRYPT_ERROR "decrypt_error",
    60 EXPORT_RESTRICTION "export_restriction",
    70 PROTOCOL_VERSION "protocol_version",
    71 INSUFFICIENT_SECURITY "insufficient_security",
    80 INTERNAL_ERROR "internal_error",
    86 INAPPROPRIATE_FALLBACK "inappropriate_fallback",
    90 USER_CANCELED "user_canceled",
    100 NO_RENEGOTIATION "no_renegotiation",
    109 MISSING_EXTENSION "missing_extension",
    110 UNSUPPORTED_EXTENSION "unsupported_extension",
    111 CERTIFICATE_UNOBTAINABLE "certificate_unobtainable",
    112 UNRECOGNIZED_NAME "unrecognized_name",
    113 BAD_CERTIFICATE_STATUS_RESPONSE "bad_certificate_status_response",
    114 BAD_CERTIFICATE_HASH_VALUE "bad_certificate_hash_value",
    115 UNKNOWN_PSK_IDENTITY "unknown_psk_identity",
    116 CERTIFICATE_REQUIRED "certificate_required",
    120 NO_APPLICATION_PROTOCOL "no_application_protocol",
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "unknown" => write!(f, "unknown({})", self.0),
            name => f.write_str(name),
        }
    }
}

impl fmt::Debug for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
