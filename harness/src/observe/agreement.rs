//! The witnesses of one session held against each other.

use std::fmt;

use super::summary::{KeyExchange, Signature, TlsSummary};
use crate::peer::Beginning;

/// Where a summary came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {
    /// The log of the Postfix that was the TLS server.
    ServerLog,
    /// The log of the Postfix that was the TLS client.
    ClientLog,
    /// The `Received:` header.
    Received,
    /// A peer that is no Postfix, by its own account.
    Peer,
    /// The bytes that passed.
    Wire,
}

impl Witness {
    /// Whether this witness judges the client's certificate. Those that do use the same words for the same thing.
    fn judges_client(self) -> bool {
        matches!(self, Self::ServerLog | Self::Received)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerLog => "server log",
            Self::ClientLog => "client log",
            Self::Received => "Received: header",
            Self::Peer => "peer",
            Self::Wire => "wire",
        })
    }
}

/// A thing that two witnesses can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the summary's fields")]
pub enum Field {
    Status,
    Sni,
    Protocol,
    Cipher,
    UsedBits,
    AlgorithmBits,
    KeyExchange,
    ServerSignature,
    ServerDigest,
    ClientSignature,
    ClientDigest,
    Begins,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status => "status",
            Self::Sni => "server name",
            Self::Protocol => "protocol",
            Self::Cipher => "cipher",
            Self::UsedBits => "bits used",
            Self::AlgorithmBits => "bits of the algorithm",
            Self::KeyExchange => "key-exchange",
            Self::ServerSignature => "server-signature",
            Self::ServerDigest => "server-digest",
            Self::ClientSignature => "client-signature",
            Self::ClientDigest => "client-digest",
            Self::Begins => "how TLS begins",
        })
    }
}

/// What one witness says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Who says it.
    pub witness: Witness,
    /// What, in that witness's dialect.
    pub value: String,
}

/// Two witnesses that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// About what.
    pub field: Field,
    /// The one that was named first.
    pub left: Statement,
    /// The other.
    pub right: Statement,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, left, right } = self;
        write!(
            f,
            "{field}: {} says {}, {} says {}",
            left.witness, left.value, right.witness, right.value
        )
    }
}

/// What one witness knows of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Testimony {
    /// Who tells it.
    pub witness: Witness,
    /// What.
    pub summary: TlsSummary,
    /// How TLS began on the connection.
    pub began: Option<Beginning>,
}

/// Every field on which two of `testimonies` contradict each other, dialects aside; empty if they agree.
pub fn compare(testimonies: &[Testimony]) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for (index, left) in testimonies.iter().enumerate() {
        for right in &testimonies[index + 1..] {
            compare_two(left, right, &mut found);
        }
    }
    found
}

fn compare_two(left: &Testimony, right: &Testimony, found: &mut Vec<Disagreement>) {
    let witnesses = (left.witness, right.witness);
    let began = differ(left.began.as_ref(), right.began.as_ref(), PartialEq::eq);
    let (left, right) = (&left.summary, &right.summary);
    let mut report = |field: Field, values: Option<(String, String)>| {
        if let Some((left, right)) = values {
            found.push(Disagreement {
                field,
                left: Statement {
                    witness: witnesses.0,
                    value: left,
                },
                right: Statement {
                    witness: witnesses.1,
                    value: right,
                },
            });
        }
    };
    if witnesses.0.judges_client() && witnesses.1.judges_client() {
        report(
            Field::Status,
            differ(left.status.as_ref(), right.status.as_ref(), PartialEq::eq),
        );
    }
    let same_name = |left: &String, right: &String| left.eq_ignore_ascii_case(right);
    report(
        Field::Sni,
        differ(left.sni.as_ref(), right.sni.as_ref(), same_name),
    );
    report(
        Field::Protocol,
        differ(Some(&left.protocol), Some(&right.protocol), PartialEq::eq),
    );
    report(
        Field::Cipher,
        differ(Some(&left.cipher), Some(&right.cipher), PartialEq::eq),
    );
    report(
        Field::UsedBits,
        differ(
            left.used_bits.as_ref(),
            right.used_bits.as_ref(),
            PartialEq::eq,
        ),
    );
    report(
        Field::AlgorithmBits,
        differ(
            left.algorithm_bits.as_ref(),
            right.algorithm_bits.as_ref(),
            PartialEq::eq,
        ),
    );
    report(
        Field::KeyExchange,
        differ(
            left.key_exchange.as_ref(),
            right.key_exchange.as_ref(),
            KeyExchange::same_as,
        ),
    );
    let same_signature = |left: &Signature, right: &Signature| left.same_as(right);
    report(
        Field::ServerSignature,
        differ(
            left.server_signature.as_ref(),
            right.server_signature.as_ref(),
            same_signature,
        ),
    );
    report(
        Field::ServerDigest,
        differ(
            left.server_digest.as_ref(),
            right.server_digest.as_ref(),
            same_name,
        ),
    );
    report(
        Field::ClientSignature,
        differ(
            left.client_signature.as_ref(),
            right.client_signature.as_ref(),
            same_signature,
        ),
    );
    report(
        Field::ClientDigest,
        differ(
            left.client_digest.as_ref(),
            right.client_digest.as_ref(),
            same_name,
        ),
    );
    report(Field::Begins, began);
}

/// Both values, if both are known and `same` says they differ.
fn differ<T: fmt::Display>(
    left: Option<&T>,
    right: Option<&T>,
    same: impl Fn(&T, &T) -> bool,
) -> Option<(String, String)> {
    let (left, right) = (left?, right?);
    (!same(left, right)).then(|| (left.to_string(), right.to_string()))
}

#[cfg(test)]
mod tests {
    use classic_tls::names::{NamedGroup, Version};

    use super::*;

    fn summary(session: &str) -> TlsSummary {
        TlsSummary::from_session(&format!(
            "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits){session}"
        ))
        .unwrap()
    }

    fn two(left: (Witness, &TlsSummary), right: (Witness, &TlsSummary)) -> Vec<Disagreement> {
        compare(&[left, right].map(|(witness, summary)| Testimony {
            witness,
            summary: summary.clone(),
            began: None,
        }))
    }

    fn fields(left: &TlsSummary, right: &TlsSummary) -> Vec<Field> {
        two((Witness::ServerLog, left), (Witness::Peer, right))
            .into_iter()
            .map(|it| it.field)
            .collect()
    }

    #[test]
    fn dialects_do_not_disagree() {
        for (left, right) in [
            ("key-exchange X25519", "key-exchange x25519"),
            (
                "key-exchange ECDHE (P-256)",
                "key-exchange ECDHE (prime256v1)",
            ),
            ("key-exchange ECDHE (P-256)", "key-exchange secp256r1"),
            (
                "key-exchange ECDHE (secp384r1)",
                "key-exchange ECDHE (P-384)",
            ),
            ("key-exchange DHE (2048 bits)", "key-exchange ffdhe2048"),
            (
                "key-exchange x25519 server-signature ECDSA (P-256)",
                "key-exchange x25519 server-signature ECDSA (prime256v1)",
            ),
            // A peer that does not know the size of the key.
            (
                "key-exchange x25519 server-signature RSA-PSS (2048 bits)",
                "key-exchange x25519 server-signature RSA-PSS server-digest SHA256",
            ),
        ] {
            let (left, right) = (summary(&format!(" {left}")), summary(&format!(" {right}")));
            assert_eq!(fields(&left, &right), []);
            assert_eq!(fields(&right, &left), []);
        }
    }

    #[test]
    fn every_field_can_disagree() {
        let left = summary(
            " key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256 \
             client-signature ED25519 client-digest SHA256",
        );
        let right = TlsSummary {
            protocol: Version::TLS1_2,
            sni: Some("b.example.test".into()),
            ..TlsSummary::from_session(
                "TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange secp256r1 \
                 server-signature RSA-PSS (3072 bits) server-digest SHA384 \
                 client-signature ED448 client-digest SHA512",
            )
            .unwrap()
        };
        let left = TlsSummary {
            sni: Some("a.example.test".into()),
            ..left
        };
        assert_eq!(
            fields(&left, &right),
            [
                Field::Sni,
                Field::Protocol,
                Field::Cipher,
                Field::UsedBits,
                Field::AlgorithmBits,
                Field::KeyExchange,
                Field::ServerSignature,
                Field::ServerDigest,
                Field::ClientSignature,
                Field::ClientDigest,
            ]
        );
        let text = two((Witness::ServerLog, &left), (Witness::Received, &right))[5].to_string();
        assert_eq!(
            text,
            "key-exchange: server log says X25519, Received: header says secp256r1"
        );
    }

    #[test]
    fn how_tls_began_is_compared_where_both_know() {
        let told = |witness, began| Testimony {
            witness,
            summary: summary(""),
            began,
        };
        let wire = told(Witness::Wire, Some(Beginning::FirstByte));
        let log = |began| told(Witness::ServerLog, began);
        assert_eq!(compare(&[wire.clone(), log(None)]), []);
        assert_eq!(
            compare(&[wire.clone(), log(Some(Beginning::FirstByte))]),
            []
        );
        let found = compare(&[wire, log(Some(Beginning::Starttls))]);
        assert_eq!(
            found[0].to_string(),
            "how TLS begins: wire says the first byte, server log says STARTTLS"
        );
    }

    #[test]
    fn groups_and_primes_are_not_the_same() {
        for (left, right) in [
            ("DHE (2048 bits)", "ffdhe3072"),
            ("DHE (1024 bits)", "x25519"),
            ("ECDHE (P-256)", "ECDHE (P-384)"),
            ("X25519", "X25519MLKEM768"),
        ] {
            let (left, right) = (KeyExchange::from_text(left), KeyExchange::from_text(right));
            assert!(!left.same_as(&right), "{left} {right}");
        }
        let (custom, ffdhe) = (
            KeyExchange::from_prime(2048),
            KeyExchange::from_group(NamedGroup::FFDHE2048),
        );
        assert!(custom.same_as(&ffdhe));
        assert!(KeyExchange::from_group(NamedGroup(0x1fc)).same_as(&custom));
        assert!(!KeyExchange::from_group(NamedGroup::X25519).same_as(&custom));
    }

    #[test]
    fn a_header_that_hides_a_raw_public_key_disagrees() {
        let log = summary(" key-exchange x25519 client-signature ED25519 (raw public key)");
        let header = summary(" key-exchange x25519 client-signature ED25519");
        let found = two((Witness::ServerLog, &log), (Witness::Received, &header));
        assert_eq!(
            found.iter().map(|it| it.field).collect::<Vec<_>>(),
            [Field::ClientSignature]
        );
    }

    #[test]
    fn status_is_compared_only_between_those_who_judge_the_client() {
        let line = |status: &str, way: &str| {
            TlsSummary::from_log(&format!(
                "{status} TLS connection established {way} a[127.0.0.1]: TLSv1.2 with cipher ADH-AES256-SHA (256/256 bits)"
            ))
            .unwrap()
        };
        let (server, client) = (line("Anonymous", "from"), line("Verified", "to"));
        assert_eq!(
            two((Witness::ServerLog, &server), (Witness::ClientLog, &client)),
            []
        );
        assert_eq!(
            two((Witness::ServerLog, &server), (Witness::Received, &client))[0].field,
            Field::Status
        );
    }
}
