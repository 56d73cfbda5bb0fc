//! What is known of a session as fields, for programs. Names are those of Postfix and OpenSSL, as in its log.

use classic_tls::names::{CipherSuite, KeyExchangeKind, NamedGroup};
use classic_tls::wire::ServerKeyExchange;
use rustls::pki_types::CertificateDer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account;
use super::statements::Evidence;
use crate::observe::agreement::{Testimony, Witness};
use crate::observe::failure::Failure;
use crate::observe::forward_secrecy::ForwardSecrecy;
use crate::observe::received::ClientCertificate;
use crate::observe::summary::{KeyExchange, Side, Signature, TlsSummary};
use crate::peer::SeenCertificate;
use crate::redact::own_names;

/// One of the two ends of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The end that sends the ClientHello.
    Client,
    /// The other one.
    Server,
}

impl From<Side> for End {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// Who tells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WitnessName {
    /// The log of the Postfix that was the TLS server.
    ServerLog,
    /// The log of the Postfix that was the TLS client.
    ClientLog,
    /// The topmost `Received:` header.
    Received,
    /// The peer that is no Postfix, by its own account.
    Peer,
    /// The bytes that passed.
    Wire,
}

impl From<Witness> for WitnessName {
    fn from(witness: Witness) -> Self {
        match witness {
            Witness::ServerLog => Self::ServerLog,
            Witness::ClientLog => Self::ClientLog,
            Witness::Received => Self::Received,
            Witness::Peer => Self::Peer,
            Witness::Wire => Self::Wire,
        }
    }
}

/// Strength of the cipher, in bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bits {
    /// Of the key in use; only Postfix tells it.
    pub used: Option<u32>,
    /// What the cipher was made for.
    pub algorithm: Option<u32>,
}

/// How the keys came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Exchange {
    /// Diffie-Hellman over a prime.
    #[serde(rename = "DHE")]
    Dhe,
    /// Diffie-Hellman on an elliptic curve, hybrids with ML-KEM included.
    #[serde(rename = "ECDHE")]
    Ecdhe,
    /// Encrypted to the server's RSA key: no forward secrecy.
    #[serde(rename = "RSA")]
    Rsa,
}

/// A Diffie-Hellman prime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prime {
    /// Its size in bits.
    pub bits: u32,
    /// Its name, such as `modp2048 (RFC 3526)`; `null` for one that nobody has published, or that was not seen.
    pub name: Option<String>,
}

/// The key exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyExchangeFacts {
    /// Its kind; `null` where neither name nor cipher tells.
    pub kind: Option<Exchange>,
    /// The group by IANA's name, such as `x25519` or `secp256r1`.
    pub group: Option<String>,
    /// The prime of `DHE`.
    pub prime: Option<Prime>,
    /// In the words of the witness, such as `ECDHE (P-256)`.
    pub text: Option<String>,
}

/// A signature made in the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureFacts {
    /// `RSA-PSS`, `RSA`, `ECDSA`, `ED25519`, `ED448`.
    pub algorithm: String,
    /// The curve of an ECDSA key.
    pub curve: Option<String>,
    /// Size of an RSA key in bits.
    pub bits: Option<u32>,
    /// The key came without a certificate (RFC 7250).
    pub raw_public_key: bool,
    /// `SHA256` and the like; `null` for Ed25519 and Ed448, and where the witness does not tell.
    pub digest: Option<String>,
    /// In the words of the witness, such as `RSA-PSS (2048 bits)`.
    pub text: String,
}

/// What makes a session forward secret, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// TLS 1.3 has no other key exchange.
    Protocol,
    /// The prefix of the cipher's name, or that it has none of those that mean an ephemeral key exchange.
    CipherName,
}

/// Whether who learns the server's key later can read the recording (FORWARD_SECRECY_README).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForwardSecrecyFacts {
    /// The session is forward secret.
    pub holds: bool,
    /// How that is known.
    pub known_by: KnownBy,
    /// The prefix of the cipher's name that says so: `ECDHE`, `DHE`, `EDH`, `AECDH`, `ADH`.
    pub prefix: Option<String>,
}

/// One TLS session, as one witness or all of them together know it. `null` is what is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionFacts {
    /// `TLSv1.3`.
    pub protocol: String,
    /// By OpenSSL's name.
    pub cipher: String,
    /// Strength of the cipher.
    pub bits: Bits,
    /// How the keys came to be.
    pub key_exchange: KeyExchangeFacts,
    /// What the server signed with.
    pub server_signature: Option<SignatureFacts>,
    /// What the client signed with.
    pub client_signature: Option<SignatureFacts>,
    /// Forward secrecy by the rule a reader of the log applies.
    pub forward_secrecy: ForwardSecrecyFacts,
    /// The server name that the client sent, or that the server's log names.
    pub sni: Option<String>,
    /// `Anonymous`, `Untrusted`, `Trusted` or `Verified`: what a Postfix thinks of its peer.
    pub status: Option<String>,
}

/// What one witness says of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestimonyFacts {
    /// Who.
    pub witness: WitnessName,
    /// What.
    #[serde(flatten)]
    pub session: SessionFacts,
}

/// A certificate that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateFacts {
    /// Common name of the subject.
    pub subject: Option<String>,
    /// Common name of the issuer.
    pub issuer: Option<String>,
    /// DNS names in the subject alternative name.
    pub dns_names: Vec<String>,
    /// `RSA 2048`, `secp256r1`, `Ed25519`.
    pub key: Option<String>,
    /// It is a raw public key (RFC 7250).
    pub raw_public_key: bool,
}

/// The chains that were sent, leaf first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificates {
    /// The server's; `null` where nobody could see it.
    pub server: Option<Vec<CertificateFacts>>,
    /// The client's; `null` where nobody could see it.
    pub client: Option<Vec<CertificateFacts>>,
}

/// How it failed, by one witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureFacts {
    /// Who tells it.
    pub witness: WitnessName,
    /// Who gave up.
    pub side: End,
    /// In one dialect and in lower case, such as `no shared cipher`.
    pub cause: String,
    /// The alert that passed from `side` to the other end, such as `handshake_failure`.
    pub alert: Option<String>,
}

/// What the `Received:` header says of TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceivedFacts {
    /// It has a TLS comment.
    pub tls: bool,
    /// The comment on the client certificate.
    pub client_certificate: Option<ClientCertificateComment>,
}

/// The comment on the client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateComment {
    /// `No client certificate requested`
    NotRequested,
    /// `Client did not present a certificate`
    NotPresented,
    /// `Client CN "…", Issuer "…" (verified OK)`
    VerifiedOk,
    /// `Client CN "…", Issuer "…" (not verified)`
    NotVerified,
    /// `Client RPK … digest …`
    RawPublicKey,
}

impl SessionFacts {
    /// A summary as fields.
    pub fn of(summary: &TlsSummary) -> Self {
        Self {
            protocol: summary.protocol.to_string(),
            cipher: summary.cipher.clone(),
            bits: Bits {
                used: summary.used_bits,
                algorithm: summary.algorithm_bits,
            },
            key_exchange: KeyExchangeFacts::of(summary),
            server_signature: signature(
                summary.server_signature.as_ref(),
                summary.server_digest.as_ref(),
            ),
            client_signature: signature(
                summary.client_signature.as_ref(),
                summary.client_digest.as_ref(),
            ),
            forward_secrecy: ForwardSecrecyFacts::of(summary.forward_secrecy()),
            sni: summary.sni.as_deref().map(own_names),
            status: summary.status.map(|status| status.to_string()),
        }
    }
}

fn signature(signature: Option<&Signature>, digest: Option<&String>) -> Option<SignatureFacts> {
    let signature = signature?;
    Some(SignatureFacts {
        algorithm: signature.algorithm.clone(),
        curve: signature.curve.map(|curve| curve.to_string()),
        bits: signature.bits,
        raw_public_key: signature.raw_public_key,
        digest: digest.cloned(),
        text: signature.text.clone(),
    })
}

impl KeyExchangeFacts {
    fn of(summary: &TlsSummary) -> Self {
        let exchange = summary.key_exchange.as_ref();
        let group = exchange.and_then(|exchange| exchange.group);
        let bits = exchange.and_then(|exchange| exchange.bits);
        let kind = match (group, bits) {
            (Some(group), _) if group.is_ffdhe() => Some(Exchange::Dhe),
            (Some(_), _) => Some(Exchange::Ecdhe),
            (None, Some(_)) => Some(Exchange::Dhe),
            (None, None) => by_cipher(&summary.cipher),
        };
        Self {
            kind,
            group: group.and_then(NamedGroup::name).map(str::to_owned),
            prime: bits.map(|bits| Prime {
                bits,
                name: group
                    .and_then(NamedGroup::name)
                    .map(|name| format!("{name} (RFC 7919)")),
            }),
            text: exchange.map(KeyExchange::to_string),
        }
    }
}

/// The names of TLS 1.3 suites leave it open.
fn by_cipher(cipher: &str) -> Option<Exchange> {
    match CipherSuite::from_openssl_name(cipher)?.key_exchange() {
        KeyExchangeKind::Rsa => Some(Exchange::Rsa),
        KeyExchangeKind::Dhe | KeyExchangeKind::DhAnon => Some(Exchange::Dhe),
        KeyExchangeKind::Ecdhe | KeyExchangeKind::EcdhAnon => Some(Exchange::Ecdhe),
        _ => None,
    }
}

impl ForwardSecrecyFacts {
    fn of(verdict: ForwardSecrecy) -> Self {
        let (known_by, prefix) = match verdict {
            ForwardSecrecy::Tls13 => (KnownBy::Protocol, None),
            ForwardSecrecy::Prefix(prefix) => (KnownBy::CipherName, Some(prefix.to_owned())),
            ForwardSecrecy::Absent => (KnownBy::CipherName, None),
        };
        Self {
            holds: verdict.holds(),
            known_by,
            prefix,
        }
    }
}

impl From<&SeenCertificate> for CertificateFacts {
    fn from(seen: &SeenCertificate) -> Self {
        Self {
            subject: seen.subject_cn.clone(),
            issuer: seen.issuer_cn.clone(),
            dns_names: seen.dns_names.clone(),
            key: seen.key.map(account::key),
            raw_public_key: seen.raw_public_key,
        }
    }
}

impl From<&Failure> for FailureFacts {
    fn from(failure: &Failure) -> Self {
        Self {
            witness: failure.seen_by.into(),
            side: failure.side.into(),
            cause: failure.cause.clone(),
            alert: failure.alert.map(|alert| alert.to_string()),
        }
    }
}

impl From<&Testimony> for TestimonyFacts {
    fn from(testimony: &Testimony) -> Self {
        Self {
            witness: testimony.witness.into(),
            session: SessionFacts::of(&testimony.summary),
        }
    }
}

impl Evidence {
    /// Each witness's account of the session as fields.
    pub fn testimony_facts(&self) -> Vec<TestimonyFacts> {
        self.testimonies().iter().map(Into::into).collect()
    }

    /// The session as all witnesses together know it: each field from the first that does; `None` where there was none.
    pub fn session_facts(&self) -> Option<SessionFacts> {
        let protocol = self.fact(|told| Some(told.protocol))?;
        let mut all = TlsSummary::new(protocol, self.fact(|told| Some(told.cipher.clone()))?);
        all.used_bits = self.fact(|told| told.used_bits);
        all.algorithm_bits = self.fact(|told| told.algorithm_bits);
        all.key_exchange = self.fact(|told| told.key_exchange.clone());
        all.server_signature = self.fact(|told| told.server_signature.clone());
        all.server_digest = self.fact(|told| told.server_digest.clone());
        all.client_signature = self.fact(|told| told.client_signature.clone());
        all.client_digest = self.fact(|told| told.client_digest.clone());
        all.sni = self.fact(|told| told.sni.clone());
        let mut facts = SessionFacts::of(&all);
        if let Some(prime) = self.prime() {
            facts.key_exchange.prime = Some(prime);
        }
        Some(facts)
    }

    /// The prime that the server sent, up to TLS 1.2.
    fn prime(&self) -> Option<Prime> {
        let (ServerKeyExchange::Dhe { parameters, .. } | ServerKeyExchange::DhAnon { parameters }) =
            self.wire()?.server_key_exchange.as_ref()?
        else {
            return None;
        };
        Some(Prime {
            bits: u32::try_from(parameters.bits()).ok()?,
            name: parameters.name().map(str::to_owned),
        })
    }

    /// How it failed, by every witness that saw a failure.
    pub fn failure_facts(&self) -> Vec<FailureFacts> {
        self.failures().iter().map(Into::into).collect()
    }

    /// The chains that our own peer saw or sent; between two others those that passed in clear.
    pub fn certificates(&self) -> Certificates {
        if let Some(peer) = self.peer() {
            let facts = |chain: &[SeenCertificate]| Some(chain.iter().map(Into::into).collect());
            return Certificates {
                server: facts(peer.server_certificates()),
                client: facts(peer.client_certificates()),
            };
        }
        let in_clear = |chain: &[Vec<u8>]| {
            let seen = |der: &Vec<u8>| {
                CertificateFacts::from(&SeenCertificate::parse(&CertificateDer::from(&der[..])))
            };
            (!chain.is_empty()).then(|| chain.iter().map(seen).collect())
        };
        self.wire()
            .map_or_else(Certificates::default, |wire| Certificates {
                server: in_clear(&wire.server_certificates),
                client: in_clear(&wire.client_certificates),
            })
    }

    /// What the `Received:` header says of TLS; `None` where it is not there or not understood.
    pub fn received_facts(&self) -> Option<ReceivedFacts> {
        let received = self.received()?;
        let comment = |certificate: &ClientCertificate| match certificate {
            ClientCertificate::NotRequested => ClientCertificateComment::NotRequested,
            ClientCertificate::NotPresented => ClientCertificateComment::NotPresented,
            ClientCertificate::Presented { verified: true, .. } => {
                ClientCertificateComment::VerifiedOk
            }
            ClientCertificate::Presented { .. } => ClientCertificateComment::NotVerified,
            ClientCertificate::RawPublicKey { .. } => ClientCertificateComment::RawPublicKey,
        };
        Some(ReceivedFacts {
            tls: received.tls.is_some(),
            client_certificate: received.client_certificate.as_ref().map(comment),
        })
    }
}
