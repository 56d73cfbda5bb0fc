//! What a peer does wrong on purpose.

use classic_tls::wire::HandshakeType;
use schemars::JsonSchema;
use serde::Deserialize;

use super::expect::SideName;

/// What a peer does wrong on purpose, once, to see how Postfix takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Accepts the connection and never says a word; a client hears the greeting first.
    SilentFromTheStart,
    /// Goes silent after the `220` reply to STARTTLS.
    SilentAfterStarttls,
    /// Closes the connection after the `220` reply to STARTTLS.
    CloseAfterStarttls,
    /// Sends a line of text after the `220` reply to STARTTLS, where TLS should begin.
    GarbageAfterStarttls,
    /// Closes the connection, without close_notify, right after the handshake.
    CloseAfterHandshake,
    /// Closes without close_notify at the end.
    NoCloseNotify,
    /// Server: greets with `421` and closes.
    RefuseToTalk,
    /// Server: offers STARTTLS and answers it with `454`.
    RefuseStarttls,
    /// Client: says EHLO before it has heard the greeting.
    EarlyEhlo,
    /// Client: sends EHLO and STARTTLS in one go.
    EarlyStarttls,
    /// Client: sends its ClientHello together with STARTTLS, without waiting for the `220`.
    EarlyClientHello,
    /// Client: sends its ClientHello in two TCP segments.
    ClientHelloInSegments,
    /// Client: sends its ClientHello in two TLS records.
    ClientHelloInRecords,
    /// Client: closes the connection after its ClientHello.
    CloseAfterClientHello,
    /// Client: says STARTTLS with an argument.
    StarttlsArgument,
    /// Client: says STARTTLS again inside TLS.
    StarttlsTwice,
    /// Client: says STARTTLS whether it was offered or not.
    StarttlsUnoffered,
    /// Client: says STARTTLS without EHLO before it.
    StarttlsWithoutEhlo,
    /// Client: says STARTTLS after MAIL.
    StarttlsAfterMail,
    /// Client: sends a NOOP in clear together with STARTTLS, to be taken for one inside TLS.
    CommandAfterStarttls,
    /// Server: sends a second reply in clear together with the `220` to STARTTLS.
    ReplyAfterStarttls,
    /// Server: offers STARTTLS inside TLS too, and answers it with `454`.
    StarttlsOfferedAgain,
    /// Server: its reply to MAIL comes together with that to EHLO, inside TLS.
    EarlyMailReply,
    /// Classic: a warning (user_canceled) goes out before this message, cut across two records.
    AlertInPieces(MessageName),
    /// Classic client: its ClientHello holds its first extension twice.
    DoubledExtension,
    /// Classic: an empty record goes out before each record with data, as OpenSSL did with TLS 1.0 (against BEAST).
    EmptyRecords,
    /// Classic server: a HelloRequest goes out before this message.
    HelloRequest(MessageName),
    /// Classic: each record of the handshake holds a single byte.
    OneByteRecords,
    /// Classic client: the premaster secret of static RSA names TLS 1.0, whatever the ClientHello offers.
    PremasterVersion,
    /// Classic: all records but that of its hello say TLS 1.0.
    RecordVersion,
    /// Classic client: its ClientHello has the format of SSL 2.0 (RFC 5246 appendix E.2).
    Sslv2Hello,
    /// Classic: a record of a content type that does not exist goes out before this message.
    UnknownContentType(MessageName),
    /// Classic: its Finished holds wrong verify data.
    BadFinished,
    /// Classic: its first protected record is changed after it was protected.
    BadRecordMac,
    /// Classic: the signature of its key exchange (server) or CertificateVerify (client) is changed.
    BadSignature,
    /// Classic: its first handshake record is larger than the protocol allows.
    OversizedRecord,
    /// Classic: its point is not on the curve (NIST curves) or has small order (X25519, X448).
    PointNotOnCurve,
    /// Classic: its Diffie-Hellman public value is 0.
    PublicValueZero,
    /// Classic: its Diffie-Hellman public value is 1.
    PublicValueOne,
    /// Classic: its Diffie-Hellman public value is p − 1.
    PublicValuePrimeMinusOne,
    /// Classic server: its Diffie-Hellman prime is not prime.
    CompositePrime,
    /// Classic server: its Diffie-Hellman generator is 1.
    GeneratorOne,
    /// Classic server: its Diffie-Hellman prime is 0.
    ZeroPrime,
    /// Classic server: it uses a group that the client did not offer.
    UnofferedGroup,
    /// Classic server: it chooses a cipher suite that the client did not offer.
    UnofferedSuite,
    /// Classic: this message has a byte more than its fields.
    LongMessage(MessageName),
    /// Classic: this message is sent twice.
    RepeatedMessage(MessageName),
    /// Classic: this message lacks its last byte.
    ShortMessage(MessageName),
    /// Classic: nothing more is sent, from this message on.
    SilentAt(MessageName),
    /// Classic: this message is left out.
    SkippedMessage(MessageName),
    /// Classic: half of the record with this message is sent, and nothing more.
    TruncatedRecord(MessageName),
}

/// A handshake message of TLS 1.2 (RFC 5246 section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum MessageName {
    ClientHello,
    ServerHello,
    Certificate,
    ServerKeyExchange,
    CertificateRequest,
    ServerHelloDone,
    CertificateVerify,
    ClientKeyExchange,
    NewSessionTicket,
    Finished,
}

impl MessageName {
    /// Its code point.
    pub fn code(self) -> HandshakeType {
        match self {
            Self::ClientHello => HandshakeType::CLIENT_HELLO,
            Self::ServerHello => HandshakeType::SERVER_HELLO,
            Self::Certificate => HandshakeType::CERTIFICATE,
            Self::ServerKeyExchange => HandshakeType::SERVER_KEY_EXCHANGE,
            Self::CertificateRequest => HandshakeType::CERTIFICATE_REQUEST,
            Self::ServerHelloDone => HandshakeType::SERVER_HELLO_DONE,
            Self::CertificateVerify => HandshakeType::CERTIFICATE_VERIFY,
            Self::ClientKeyExchange => HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::NewSessionTicket => HandshakeType::NEW_SESSION_TICKET,
            Self::Finished => HandshakeType::FINISHED,
        }
    }

    /// The side that sends it; nothing where both do.
    fn sender(self) -> Option<SideName> {
        match self {
            Self::ClientHello | Self::CertificateVerify | Self::ClientKeyExchange => {
                Some(SideName::Client)
            }
            Self::ServerHello
            | Self::ServerKeyExchange
            | Self::CertificateRequest
            | Self::ServerHelloDone
            | Self::NewSessionTicket => Some(SideName::Server),
            Self::Certificate | Self::Finished => None,
        }
    }
}

impl Fault {
    /// The side that alone can do it; nothing where both can.
    pub fn side(self) -> Option<SideName> {
        match self {
            Self::RefuseToTalk
            | Self::RefuseStarttls
            | Self::ReplyAfterStarttls
            | Self::StarttlsOfferedAgain
            | Self::EarlyMailReply
            | Self::CompositePrime
            | Self::GeneratorOne
            | Self::ZeroPrime
            | Self::UnofferedGroup
            | Self::HelloRequest(_)
            | Self::UnofferedSuite => Some(SideName::Server),
            Self::EarlyEhlo
            | Self::EarlyStarttls
            | Self::EarlyClientHello
            | Self::ClientHelloInSegments
            | Self::ClientHelloInRecords
            | Self::DoubledExtension
            | Self::PremasterVersion
            | Self::Sslv2Hello
            | Self::CloseAfterClientHello
            | Self::StarttlsArgument
            | Self::StarttlsTwice
            | Self::StarttlsUnoffered
            | Self::StarttlsWithoutEhlo
            | Self::StarttlsAfterMail
            | Self::CommandAfterStarttls => Some(SideName::Client),
            Self::AlertInPieces(message)
            | Self::UnknownContentType(message)
            | Self::LongMessage(message)
            | Self::RepeatedMessage(message)
            | Self::ShortMessage(message)
            | Self::SilentAt(message)
            | Self::SkippedMessage(message)
            | Self::TruncatedRecord(message) => message.sender(),
            _ => None,
        }
    }

    /// It comes before TLS or with STARTTLS, so that it never comes to pass where TLS begins with the first byte.
    pub fn needs_starttls(self) -> bool {
        matches!(
            self,
            Self::SilentFromTheStart
                | Self::RefuseToTalk
                | Self::RefuseStarttls
                | Self::EarlyEhlo
                | Self::EarlyStarttls
                | Self::EarlyClientHello
        )
    }

    /// It needs no TLS.
    pub fn is_before_tls(self) -> bool {
        matches!(self, Self::SilentFromTheStart | Self::RefuseToTalk)
    }

    /// It is done inside TLS, where only the classic peer can be told to.
    pub fn is_classic(self) -> bool {
        !matches!(
            self,
            Self::SilentFromTheStart
                | Self::SilentAfterStarttls
                | Self::CloseAfterStarttls
                | Self::GarbageAfterStarttls
                | Self::CloseAfterHandshake
                | Self::NoCloseNotify
                | Self::RefuseToTalk
                | Self::RefuseStarttls
                | Self::EarlyEhlo
                | Self::EarlyStarttls
                | Self::EarlyClientHello
                | Self::ClientHelloInSegments
                | Self::ClientHelloInRecords
                | Self::CloseAfterClientHello
                | Self::StarttlsArgument
                | Self::StarttlsTwice
                | Self::StarttlsUnoffered
                | Self::StarttlsWithoutEhlo
                | Self::StarttlsAfterMail
                | Self::CommandAfterStarttls
                | Self::ReplyAfterStarttls
                | Self::StarttlsOfferedAgain
                | Self::EarlyMailReply
        )
    }
}
