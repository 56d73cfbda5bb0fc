use crate::client::Client;
use crate::config::{ClientConfig, Misbehaviour, is_implemented};
use crate::core::Core;
use crate::error::Error;
use crate::names::{CipherSuite, Version};
use crate::wire::{
    ClientHello, HandshakeType, ServerHello, Side, Writer, extension_code as code, write_sslv2,
};

/// What a checked ServerHello decides.
pub(super) struct Decision {
    /// Whether the server echoed the session id, and so resumes.
    pub(super) session_echoed: bool,
}

impl Client {
    pub(super) fn send_client_hello(&mut self, core: &mut Core) -> Result<(), Error> {
        let config = &self.config;
        let highest = *config.versions.end();
        if config.versions.is_empty()
            || *config.versions.start() < Version::TLS1_0
            || highest > Version::TLS1_2
        {
            return Err(Error::Configuration {
                what: "the range of versions must lie within TLS 1.0 to TLS 1.2",
            });
        }
        if config.suites.is_empty() {
            return Err(Error::Configuration {
                what: "no cipher suite is offered",
            });
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
        if core.misbehaviour == Some(Misbehaviour::Sslv2Hello) {
            let body = write_sslv2(highest, &config.suites, &random);
            core.report.client_hello =
                Some(
                    ClientHello::parse_sslv2(&body).map_err(|_| Error::Configuration {
                        what: "no more than 10000 cipher suites can be offered",
                    })?,
                );
            core.send_sslv2_hello(&body);
            return Ok(());
        }
        let session_id = session_id(config)?;
        let body = body(config, random, &session_id, extensions(config));
        core.report.client_hello =
            Some(ClientHello::parse(&body).map_err(|_| Error::Configuration {
                what: "the ClientHello has more in it than fits, or an extension twice",
            })?);
        if core.misbehaviour == Some(Misbehaviour::DoubledExtension) {
            let mut twice = extensions(config);
            twice.splice(0..0, twice.first().cloned());
            let body = self::body(config, random, &session_id, twice);
            return core.send_handshake(HandshakeType::CLIENT_HELLO, &body);
        }
        core.send_handshake(HandshakeType::CLIENT_HELLO, &body)
    }
}

/// The id to present: the session's own, or a random one that lets the server accept a ticket (RFC 5077 section 3.4).
fn session_id(config: &ClientConfig) -> Result<Vec<u8>, Error> {
    match &config.resume {
        Some(session) if config.session_tickets && !session.ticket.is_empty() => {
            let mut id = vec![0; 32];
            getrandom::fill(&mut id).map_err(|_| Error::NoRandom)?;
            Ok(id)
        }
        Some(session) => Ok(session.id.clone()),
        None => Ok(Vec::new()),
    }
}

fn body(
    config: &ClientConfig,
    random: [u8; 32],
    session_id: &[u8],
    extensions: Vec<(u16, Vec<u8>)>,
) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .u16(config.versions.end().0)
        .bytes(&random)
        .vec8(session_id)
        .list16(config.suites.iter().map(|suite| suite.0))
        .vec8(&[0]);
    if !extensions.is_empty() {
        let mut block = Writer::new();
        for (code, content) in &extensions {
            block.u16(*code).vec16(content);
        }
        writer.vec16(&block.into_bytes());
    }
    writer.into_bytes()
}

fn extensions(config: &ClientConfig) -> Vec<(u16, Vec<u8>)> {
    let mut extensions: Vec<(u16, Vec<u8>)> = Vec::new();
    let mut add = |code: u16, write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        write(&mut writer);
        extensions.push((code, writer.into_bytes()));
    };
    if let Some(name) = &config.server_name {
        add(code::SERVER_NAME, &|writer| {
            let mut entry = Writer::new();
            entry.u8(0).vec16(name.as_bytes());
            writer.vec16(&entry.into_bytes());
        });
    }
    if config.renegotiation_info {
        add(code::RENEGOTIATION_INFO, &|writer| {
            writer.vec8(&[]);
        });
    }
    if !config.groups.is_empty() {
        add(code::EC_POINT_FORMATS, &|writer| {
            writer.vec8(&[0]);
        });
        add(code::SUPPORTED_GROUPS, &|writer| {
            writer.list16(config.groups.iter().map(|group| group.0));
        });
    }
    if config.session_tickets {
        add(code::SESSION_TICKET, &|writer| {
            if let Some(session) = &config.resume {
                writer.bytes(&session.ticket);
            }
        });
    }
    if config.encrypt_then_mac {
        add(code::ENCRYPT_THEN_MAC, &|_| {});
    }
    if config.extended_master_secret {
        add(code::EXTENDED_MASTER_SECRET, &|_| {});
    }
    if !config.signature_schemes.is_empty() && *config.versions.end() >= Version::TLS1_2 {
        add(code::SIGNATURE_ALGORITHMS, &|writer| {
            writer.list16(config.signature_schemes.iter().map(|scheme| scheme.0));
        });
    }
    extensions.extend(config.extra_extensions.iter().cloned());
    extensions
}

/// Checks what the server chose, and notes it.
pub(super) fn check_server_hello(
    config: &ClientConfig,
    core: &mut Core,
    hello: ServerHello,
) -> Result<Decision, Error> {
    let (version, suite) = (hello.version, hello.suite);
    core.report.version = Some(version);
    core.report.suite = Some(suite);
    core.report.server_hello = Some(hello.clone());
    for irregularity in &hello.irregularities {
        core.report.note(irregularity.clone());
    }
    let Some(offered) = core.report.client_hello.clone() else {
        return Err(Error::NotOpen);
    };
    if !config.versions.contains(&version) {
        return Err(Error::UnofferedVersion {
            version,
            lowest: *config.versions.start(),
            highest: *config.versions.end(),
        });
    }
    let exists = version >= Version::TLS1_2 || !suite.needs_tls1_2();
    if !offered.suites.contains(&suite) || !exists {
        return Err(Error::UnofferedSuite { suite, version });
    }
    core.channel.negotiated(version);
    if hello.compression != 0 {
        return Err(Error::Contradiction {
            side: Side::Server,
            what: "it chose a compression that was not offered",
        });
    }
    check_extensions(&offered, &hello)?;
    if !is_implemented(suite) {
        return Err(Error::UnspokenSuite { suite });
    }
    core.report.extended_master_secret = hello.extended_master_secret;
    core.report.encrypt_then_mac = hello.encrypt_then_mac;
    core.report.secure_renegotiation = hello.renegotiation_info.is_some();
    Ok(Decision {
        session_echoed: !offered.session_id.is_empty() && hello.session_id == offered.session_id,
    })
}

fn check_extensions(offered: &ClientHello, hello: &ServerHello) -> Result<(), Error> {
    let signalled = offered
        .suites
        .contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV);
    for &extension in &hello.extensions {
        let by_suite = extension == code::RENEGOTIATION_INFO && signalled;
        if !offered.extensions.contains(&extension) && !by_suite {
            return Err(Error::UnofferedExtension { code: extension });
        }
    }
    match &hello.renegotiation_info {
        Some(info) if !info.is_empty() => Err(Error::Contradiction {
            side: Side::Server,
            what: "it renegotiates although this is the first handshake (RFC 5746 section 3.4)",
        }),
        _ => Ok(()),
    }
}

/// Version and suite, once the ServerHello is there.
pub(super) fn negotiated(core: &Core) -> Result<(Version, CipherSuite), Error> {
    core.report
        .version
        .zip(core.report.suite)
        .ok_or(Error::NotOpen)
}
