//! From the faults of a scenario to what the peers are told.

use classic_tls::PublicValue;
use classic_tls::names::Version;

use crate::peer::Misbehaviour;
use crate::scenario::Fault;

/// What the session around TLS does wrong, and what TLS itself.
pub(super) fn split(fault: Option<Fault>) -> (Misbehaviour, Option<classic_tls::Misbehaviour>) {
    use classic_tls::Misbehaviour as Tls;
    let Some(fault) = fault else {
        return (Misbehaviour::None, None);
    };
    let session = match fault {
        Fault::SilentFromTheStart => Misbehaviour::SilentAtBanner,
        Fault::SilentAfterStarttls => Misbehaviour::SilentAfterStarttls,
        Fault::CloseAfterStarttls => Misbehaviour::CloseAfterStarttls,
        Fault::GarbageAfterStarttls => Misbehaviour::GarbageAfterStarttls,
        Fault::CloseAfterHandshake => Misbehaviour::CloseAfterHandshake,
        Fault::NoCloseNotify => Misbehaviour::NoCloseNotify,
        Fault::RefuseToTalk => Misbehaviour::RefuseToTalk,
        Fault::RefuseStarttls => Misbehaviour::RefuseStarttls,
        Fault::EarlyEhlo => Misbehaviour::EarlyEhlo,
        Fault::EarlyStarttls => Misbehaviour::EarlyStarttls,
        Fault::EarlyClientHello => Misbehaviour::EarlyClientHello,
        Fault::ClientHelloInSegments => Misbehaviour::ClientHelloInSegments,
        Fault::ClientHelloInRecords => Misbehaviour::ClientHelloInRecords,
        Fault::CloseAfterClientHello => Misbehaviour::CloseAfterClientHello,
        Fault::StarttlsArgument => Misbehaviour::StarttlsArgument,
        Fault::StarttlsTwice => Misbehaviour::StarttlsTwice,
        Fault::StarttlsUnoffered => Misbehaviour::StarttlsUnoffered,
        Fault::StarttlsWithoutEhlo => Misbehaviour::StarttlsWithoutEhlo,
        Fault::StarttlsAfterMail => Misbehaviour::StarttlsAfterMail,
        Fault::CommandAfterStarttls => Misbehaviour::CommandAfterStarttls,
        Fault::ReplyAfterStarttls => Misbehaviour::ReplyAfterStarttls,
        Fault::StarttlsOfferedAgain => Misbehaviour::StarttlsOfferedAgain,
        Fault::EarlyMailReply => Misbehaviour::EarlyMailReply,
        Fault::AlertInPieces(message) => return inside(Tls::AlertInPieces(message.code())),
        Fault::DoubledExtension => return inside(Tls::DoubledExtension),
        Fault::EmptyRecords => return inside(Tls::EmptyRecords(1)),
        Fault::HelloRequest(message) => return inside(Tls::HelloRequest(message.code())),
        Fault::OneByteRecords => return inside(Tls::OneByteRecords),
        Fault::PremasterVersion => return inside(Tls::PremasterVersion(Version::TLS1_0)),
        Fault::RecordVersion => return inside(Tls::RecordVersion(Version::TLS1_0)),
        Fault::Sslv2Hello => return inside(Tls::Sslv2Hello),
        Fault::UnknownContentType(message) => {
            return inside(Tls::UnknownContentType(message.code()));
        }
        Fault::BadFinished => return inside(Tls::BadFinished),
        Fault::BadRecordMac => return inside(Tls::BadRecordMac),
        Fault::BadSignature => return inside(Tls::BadSignature),
        Fault::OversizedRecord => return inside(Tls::OversizedRecord),
        Fault::PointNotOnCurve => return inside(Tls::PointNotOnCurve),
        Fault::PublicValueZero => return inside(Tls::PublicValue(PublicValue::Zero)),
        Fault::PublicValueOne => return inside(Tls::PublicValue(PublicValue::One)),
        Fault::PublicValuePrimeMinusOne => {
            return inside(Tls::PublicValue(PublicValue::PrimeMinusOne));
        }
        Fault::CompositePrime => return inside(Tls::CompositePrime),
        Fault::GeneratorOne => return inside(Tls::GeneratorOne),
        Fault::ZeroPrime => return inside(Tls::ZeroPrime),
        Fault::UnofferedGroup => return inside(Tls::UnofferedGroup),
        Fault::UnofferedSuite => return inside(Tls::UnofferedSuite),
        Fault::LongMessage(message) => return inside(Tls::LongMessage(message.code())),
        Fault::RepeatedMessage(message) => return inside(Tls::Repeat(message.code())),
        Fault::ShortMessage(message) => return inside(Tls::ShortMessage(message.code())),
        Fault::SilentAt(message) => return inside(Tls::Silence(message.code())),
        Fault::SkippedMessage(message) => return inside(Tls::Skip(message.code())),
        Fault::TruncatedRecord(message) => return inside(Tls::TruncatedRecord(message.code())),
    };
    (session, None)
}

fn inside(fault: classic_tls::Misbehaviour) -> (Misbehaviour, Option<classic_tls::Misbehaviour>) {
    (Misbehaviour::None, Some(fault))
}
