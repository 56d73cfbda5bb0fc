//! What can be read off the wire without any key: records, handshake messages, and the transcript of a recording.
//!
//! Everything here is bounded by the input it is given, copies what it returns, and never panics. The parsers of
//! single messages are those the crate's own client and server use.

mod certificate;
mod client_hello;
mod error;
mod extensions;
mod flow;
mod handshake;
mod irregularity;
mod key_exchange;
mod reader;
mod record;
mod server_hello;
mod sslv2;
mod transcript;
mod writer;

pub use crate::names::Side;
pub use certificate::{CertificateRequest, parse_certificates, parse_raw_public_key};
pub use client_hello::ClientHello;
pub use error::WireError;
pub use handshake::{HandshakeJoiner, HandshakeMessage, HandshakeType};
pub use irregularity::Irregularity;
pub use key_exchange::{DhParameters, EcdhParameters, ServerKeyExchange, Signature};
pub use record::{ContentType, MAX_CIPHERTEXT, MAX_PLAINTEXT, Record, RecordHeader};
pub use server_hello::ServerHello;
pub use transcript::{AlertLevel, MessageSeen, Problem, Recording, Transcript};

pub(crate) use extensions::code as extension_code;
pub(crate) use flow::Flow;
pub(crate) use irregularity::note as note_irregularity;
pub(crate) use key_exchange::signature as parse_signature;
pub(crate) use reader::Reader;
pub(crate) use record::{PlainText, plain_text};
pub(crate) use sslv2::{Sslv2, sslv2_hello, sslv2_offer, write_sslv2};
pub(crate) use writer::Writer;
