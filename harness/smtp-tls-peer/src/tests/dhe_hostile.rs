//! Other sides whose primes and public values are wrong.

use std::sync::Arc;

use classic_tls::names::{AlertDescription, Version};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::{FFDHE2048, FfdheGroup};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error, NamedGroup, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::dhe::{parameters, tls};
use super::*;
use crate::capture::Capture;
use crate::resolver::ServerChains;
use crate::verifier::ServerWatcher;

const SUITE: &str = "DHE-RSA-AES256-GCM-SHA384";

/// A group that sends whatever it is told to.
#[derive(Debug, Clone, Copy)]
struct Wrong {
    name: NamedGroup,
    p: &'static [u8],
    g: &'static [u8],
    public: &'static [u8],
}

impl Wrong {
    fn of(name: NamedGroup, p: &[u8], g: &[u8], public: &[u8]) -> Self {
        let leak = |bytes: &[u8]| &*bytes.to_vec().leak();
        Self {
            name,
            p: leak(p),
            g: leak(g),
            public: leak(public),
        }
    }

    /// Over ffdhe2048.
    fn public(public: &[u8]) -> Self {
        Self::of(NamedGroup::FFDHE2048, FFDHE2048.p, FFDHE2048.g, public)
    }

    fn group(self) -> Vec<&'static dyn SupportedKxGroup> {
        vec![Box::leak(Box::new(self))]
    }
}

impl SupportedKxGroup for Wrong {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(*self))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        Some(FfdheGroup {
            p: self.p,
            g: self.g,
        })
    }

    fn name(&self) -> NamedGroup {
        self.name
    }
}

impl ActiveKeyExchange for Wrong {
    fn complete(self: Box<Self>, _peer: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(&[1][..]))
    }

    fn pub_key(&self) -> &[u8] {
        self.public
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        SupportedKxGroup::ffdhe_group(self)
    }

    fn group(&self) -> NamedGroup {
        self.name
    }
}

/// The numbers that no public value may be, over ffdhe2048, in the length of TLS 1.3.
fn bad_values() -> [(Vec<u8>, PublicValue); 5] {
    let p = FFDHE2048.p.to_vec();
    let number = |last: u8| [&[0; 255][..], &[last]].concat();
    let minus_one = [&p[..255], &[p[255] - 1]].concat();
    [
        (number(0), PublicValue::Zero),
        (number(1), PublicValue::One),
        (minus_one, PublicValue::MinusOne),
        (p, PublicValue::NotBelowPrime),
        (vec![0xff; 256], PublicValue::NotBelowPrime),
    ]
}

/// Our client's report and what the wrong server was told.
async fn client_of(wrong: Wrong, tls: TlsOptions) -> (PeerReport, Option<rustls::Error>) {
    let mut provider = provider::server(&tls, None).unwrap();
    provider.kx_groups = wrong.group();
    let capture = Capture::default();
    let chains = ServerChains {
        keys: vec![credential("rsa2048").certified(&[], &capture).unwrap()],
        by_name: Vec::new(),
        tls13: tls.versions == [Version::TLS1_3],
        raw: false,
        capture,
    };
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&provider::protocol_versions(&tls).unwrap())
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chains));
    let options = ClientOptions {
        tls,
        mode: TlsMode::Implicit,
        ..ClientOptions::default()
    };
    let (near, far) = tokio::io::duplex(1 << 16);
    let mail = mail();
    let server = async {
        let told = TlsAcceptor::from(Arc::new(config)).accept(far).await.err();
        told.and_then(|error| error.downcast::<rustls::Error>().ok())
    };
    tokio::join!(send_on(near, &options, &mail, soon()), server)
}

/// Our server's report and what the wrong client was told.
async fn server_of(wrong: Wrong, tls: TlsOptions) -> (PeerReport, Option<rustls::Error>) {
    let options = ServerOptions {
        mode: TlsMode::Implicit,
        tls: tls.clone(),
        ..server_with("rsa2048")
    };
    let prepared = PreparedServer::new(&options).unwrap();
    let (mut provider, _) = provider::client(&tls).unwrap();
    provider.kx_groups = wrong.group();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&provider::protocol_versions(&tls).unwrap())
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ServerWatcher {
            raw: false,
            capture: Capture::default(),
            schemes: provider::schemes(&tls).unwrap(),
            roots: None,
            name: None,
            learner: None,
        }))
        .with_no_client_auth();
    let (near, far) = tokio::io::duplex(1 << 16);
    let client = async {
        let name = ServerName::try_from("mail.example.test").unwrap();
        let told = match TlsConnector::from(Arc::new(config))
            .connect(name, near)
            .await
        {
            Err(error) => Some(error),
            Ok(mut tls) => tls.read_to_end(&mut Vec::new()).await.err(),
        };
        told.and_then(|error| error.downcast::<rustls::Error>().ok())
    };
    tokio::join!(prepared.receive_on(far, &options, soon()), client)
}

/// This side has refused with `alert` for `why`, and the other side has heard.
#[track_caller]
fn refused(
    (report, told): &(PeerReport, Option<rustls::Error>),
    alert: AlertDescription,
    why: DheError,
) {
    let error = report.error.as_ref().unwrap();
    assert_eq!(error.dhe, Some(why), "{error}");
    assert_eq!(error.text, why.to_string());
    assert_eq!(
        (error.kind, error.side, error.stage),
        (ErrorKind::Tls, report.side, Stage::Handshake)
    );
    let direction = Direction::Sent;
    let description = alert;
    assert_eq!(
        error.alert,
        Some(Alert {
            direction,
            description
        }),
        "{error}"
    );
    let Some(rustls::Error::AlertReceived(told)) = told else {
        panic!("the other side was told {told:?}");
    };
    assert_eq!(u8::from(*told), alert.0);
}

#[tokio::test]
async fn bad_public_values_of_a_server() {
    for (public, found) in bad_values() {
        let wrong = Wrong::public(&public);
        let why = DheError::PublicValue { found };
        // The prime is learned in either case, and known before in the second.
        for groups in [&[][..], &["ffdhe2048"]] {
            let seen = client_of(wrong, tls(Version::TLS1_2, &[SUITE], groups)).await;
            refused(&seen, AlertDescription::HANDSHAKE_FAILURE, why);
            // Nothing but the ClientHello and the alert was sent: no public value of ours.
            let sent = &seen.0.recording.client;
            let hello = 5 + usize::from(u16::from_be_bytes([sent[3], sent[4]]));
            assert_eq!(sent[hello..], [0x15, 3, 3, 0, 2, 2, 40]);
        }
        let seen = client_of(wrong, tls(Version::TLS1_3, &[], &["ffdhe2048"])).await;
        refused(&seen, AlertDescription::ILLEGAL_PARAMETER, why);
    }
}

#[tokio::test]
async fn bad_public_values_of_a_client() {
    for (public, found) in bad_values() {
        let wrong = Wrong::public(&public);
        let why = DheError::PublicValue { found };
        for version in provider::versions() {
            let seen = server_of(wrong, tls(version, &[], &["ffdhe2048"])).await;
            refused(&seen, AlertDescription::ILLEGAL_PARAMETER, why);
        }
    }
}

#[tokio::test]
async fn public_values_of_the_wrong_length() {
    let (long, short) = (
        [&[0][..], &FFDHE2048.p[..255], &[1]].concat(),
        &FFDHE2048.p[1..],
    );
    for public in [&long[..], short, &[]] {
        let wrong = Wrong::public(public);
        let why = DheError::ShareLength {
            found: public.len(),
            expected: 256,
        };
        let options = || tls(Version::TLS1_3, &[], &["ffdhe2048"]);
        // rustls itself does not take a share of no bytes.
        if !public.is_empty() {
            let seen = client_of(wrong, options()).await;
            refused(&seen, AlertDescription::ILLEGAL_PARAMETER, why);
            let seen = server_of(wrong, options()).await;
            refused(&seen, AlertDescription::ILLEGAL_PARAMETER, why);
        }
    }
    // In TLS 1.2 zeros in front change nothing, nor does their absence.
    for public in [&long[..], short] {
        let wrong = Wrong::public(public);
        let seen = client_of(wrong, tls(Version::TLS1_2, &[SUITE], &[])).await;
        let error = seen.0.error.as_ref().unwrap();
        assert_eq!(
            (error.dhe, error.stage),
            (None, Stage::Handshake),
            "{error}"
        );
        let (client, server) = (Side::Client, Side::Server);
        assert_eq!((seen.0.side, error.side), (client, server), "{error}");
    }
}

#[tokio::test]
async fn bad_primes_and_generators_of_a_server() {
    let own = parameters("2048");
    let p = own.p();
    let minus_one = [&p[..255], &[p[255] - 1]].concat();
    let generator = |found| DheError::Generator { found };
    let small = |bits| DheError::PrimeTooSmall {
        bits,
        minimum: 1024,
    };
    for (p, g, why) in [
        (p, &[1][..], generator(PublicValue::One)),
        (p, &[0], generator(PublicValue::Zero)),
        (p, &minus_one, generator(PublicValue::MinusOne)),
        (p, p, generator(PublicValue::NotBelowPrime)),
        (&minus_one, &[2], DheError::PrimeEven { bits: 2048 }),
        (&[0], &[2], small(0)),
        (&[1], &[2], small(1)),
        (&[0, 0, 0, 7], &[2], small(3)),
        (&[0xff; 127], &[2], small(1016)),
        (
            &[0xff; 1025],
            &[2],
            DheError::PrimeTooLarge {
                bits: 8200,
                maximum: 8192,
            },
        ),
        (
            &[0xff; 4000],
            &[2],
            DheError::PrimeTooLarge {
                bits: 32000,
                maximum: 8192,
            },
        ),
    ] {
        let wrong = Wrong::of(NamedGroup::Unknown(0x01fe), p, g, &[4]);
        let seen = client_of(wrong, tls(Version::TLS1_2, &[SUITE], &[])).await;
        refused(&seen, AlertDescription::HANDSHAKE_FAILURE, why);
    }
}

#[tokio::test]
async fn composite_primes_end_in_an_error_too() {
    // A power of 3 as "prime" and 9 as public value: 9 to any large exponent is 0.
    let three = crypto_bigint::BoxedUint::from_be_slice(&[3], 2048).unwrap();
    let mut power = crypto_bigint::BoxedUint::one_with_precision(2048);
    for _ in 0..1290 {
        power = power.wrapping_mul(&three);
    }
    let p = power.to_be_bytes();
    let wrong = Wrong::of(NamedGroup::Unknown(0x01fe), &p, &[2], &[9]);
    let (report, _) = client_of(wrong, tls(Version::TLS1_2, &[SUITE], &[])).await;
    let error = report.error.unwrap();
    let why = DheError::SharedSecret {
        found: PublicValue::Zero,
    };
    assert_eq!(error.dhe, Some(why), "{error}");
    assert_eq!(
        error.alert.unwrap().description,
        AlertDescription::ILLEGAL_PARAMETER
    );
}

#[tokio::test]
async fn a_server_key_exchange_of_garbage() {
    let suite = provider::cipher_suite(SUITE).unwrap();
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let options = ClientOptions {
        tls: tls(Version::TLS1_2, &[SUITE], &[]),
        mode: TlsMode::Implicit,
        ..ClientOptions::default()
    };
    let server = async {
        let mut heard = vec![0; 1 << 14];
        assert!(far.read(&mut heard).await.unwrap() > 0);
        let message = |kind: u8, body: &[u8]| {
            let length = u32::try_from(body.len()).unwrap().to_be_bytes();
            [&[kind], &length[1..], body].concat()
        };
        let hello = [&[3, 3][..], &[7; 32], &[0], &suite.0.to_be_bytes(), &[0]].concat();
        let chain = &credential("rsa2048").chain[0];
        let length = |extra: usize| {
            let length = u32::try_from(chain.len() + extra).unwrap().to_be_bytes();
            length[1..].to_vec()
        };
        let chain = [length(3), length(0), chain.to_vec()].concat();
        // A prime of which there is less than it says, then a signature.
        let exchange = [&[1, 0, 9, 9][..], &[4, 1, 0, 0]].concat();
        let all = [
            message(2, &hello),
            message(11, &chain),
            message(12, &exchange),
            message(14, &[]),
        ]
        .concat();
        let length = u16::try_from(all.len()).unwrap().to_be_bytes();
        far.write_all(&[&[0x16, 3, 3][..], &length, &all].concat())
            .await
            .unwrap();
        far.read_to_end(&mut heard).await.unwrap();
    };
    let mail = mail();
    let (report, ()) = tokio::join!(send_on(near, &options, &mail, soon()), server);
    let error = report.error.unwrap();
    assert_eq!(
        (error.kind, error.side, error.dhe, error.stage),
        (ErrorKind::Tls, Side::Client, None, Stage::Handshake),
        "{error}"
    );
}
