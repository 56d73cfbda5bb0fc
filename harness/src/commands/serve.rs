//! `pfs serve`: a Postfix for tests in any language, until standard input ends.

use std::sync::Arc;
use std::time::Duration;

use pfs_containers::{Cache, EngineChoice, ProgressEvent, Target};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Error;
use super::run::interrupted;
use crate::cli::{EngineName, Serve};
use crate::evidence::CaseFacts;
use crate::fixture::{FixtureError, Fixtures, Server, ServerOptions, Session};
use crate::outcome::{EXIT_INTERRUPTED, EXIT_PASS};
use crate::session::Kind;
use crate::{printable, say, tell};

/// The fleets that all of these commands share; they end soon after the last of them.
const SESSION: &str = "serve";

/// Longest wait for one session: whoever reads may be silent for as long as it likes.
const SILENCE: Duration = Duration::from_secs(3600);

/// How long a session that is under way at the end may take to be told.
const LAST: Duration = Duration::from_secs(5);

pub(super) async fn serve(options: Serve) -> Result<u8, Error> {
    let mut wanted = ServerOptions {
        implicit_tls: options.implicit_tls,
        ..ServerOptions::default()
    };
    if !options.cert.is_empty() {
        wanted.certificates.clone_from(&options.cert);
    }
    for setting in &options.parameters {
        let (name, value) = setting.split_once('=').ok_or_else(|| {
            Error::Usage(format!(
                "`{setting}` is no setting: expected NAME=VALUE, as in smtpd_tls_security_level=encrypt"
            ))
        })?;
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        wanted.parameters.insert(name, value);
    }
    let names = options.targets.names();
    let target = Target::parse(names.first().map_or("debian-13", String::as_str))?;
    if let [first, _, ..] = options.targets.targets.as_slice() {
        return Err(Error::Usage(format!(
            "one Postfix is served at a time: name one target, such as {first}"
        )));
    }
    let engine = match options.place.engine()? {
        EngineName::Auto => EngineChoice::Auto,
        EngineName::Chroot => EngineChoice::Chroot,
        EngineName::Docker => EngineChoice::Docker,
    };
    let progress = |event: ProgressEvent| {
        if let ProgressEvent::Bootstrapping { target, line }
        | ProgressEvent::Making { target, line } = event
        {
            tell!("{target}: {line}");
        }
    };
    let kind = Kind::Shared(SESSION.to_owned());
    let fixtures = Fixtures::open(target, engine, &Cache::of_user(), kind, &progress).await?;
    let server = Arc::new(fixtures.server(&wanted).await?);
    listening(&fixtures, &server, options.json)?;
    let mut input = end_of_input();
    let code = loop {
        tokio::select! {
            session = server.next_session(SILENCE) => match session {
                Ok(session) => told(&session, options.json),
                Err(FixtureError::Deadline { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            _ = &mut input => break EXIT_PASS,
            () = interrupted() => break EXIT_INTERRUPTED,
        }
    };
    // What has ended is told; what is under way may end.
    loop {
        let patience = if server.has_unfinished() {
            LAST
        } else {
            Duration::ZERO
        };
        match server.next_session(patience).await {
            Ok(session) => told(&session, options.json),
            Err(_) => break,
        }
    }
    fixtures.close().await?;
    Ok(code)
}

/// Ready when standard input has ended. A thread of its own reads it, which holds up nobody.
fn end_of_input() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    receiver
}

fn line(value: &Value) {
    say!("{}", printable::json(value));
}

fn listening(fixtures: &Fixtures, server: &Server, json: bool) -> Result<(), Error> {
    let (address, target) = (server.address(), fixtures.target());
    if !json {
        say!(
            "Postfix {} ({}, {}) listens at {address}; verify the name {} with {}",
            target.postfix,
            target.name,
            fixtures.engine(),
            server.name(),
            server.ca_pem_path().display()
        );
        return Ok(());
    }
    let pem = fixtures.pki().ca_pem("root").map_err(FixtureError::from)?;
    line(&json!({
        "event": "listening",
        "host": address.ip(),
        "port": address.port(),
        "name": server.name(),
        "ca": server.ca_pem_path(),
        "ca_pem": pem,
        "target": target.name,
        "postfix": target.postfix.to_string(),
        "openssl": target.openssl.to_string(),
        "engine": fixtures.engine().to_string(),
    }));
    Ok(())
}

fn told(session: &Session, json: bool) {
    if !json {
        for text in session.log() {
            say!("{text}");
        }
        match session.messages().len() {
            1 => say!("over; 1 mail was taken"),
            mails => say!("over; {mails} mails were taken"),
        }
        return;
    }
    let facts = CaseFacts::from(session.evidence());
    let hello = session.client_hello().map(|hello| {
        let names = |list: Vec<String>| Value::from(list);
        json!({
            "versions": names(hello.versions.iter().map(ToString::to_string).collect()),
            "legacy_version": hello.legacy_version.to_string(),
            "ciphers": names(hello.suites.iter().map(ToString::to_string).collect()),
            "groups": names(hello.groups.iter().map(ToString::to_string).collect()),
            "key_shares": names(hello.key_shares.iter().map(ToString::to_string).collect()),
            "signature_schemes": names(hello.signature_schemes.iter().map(ToString::to_string).collect()),
            "sni": hello.sni,
            "alpn": hello.alpn,
        })
    });
    let messages: Vec<Value> = session
        .messages()
        .iter()
        .map(|mail| json!({ "helo": mail.helo, "from": mail.from, "to": mail.to, "text": mail.text() }))
        .collect();
    let clear: Vec<Value> = session
        .clear()
        .iter()
        .map(|(side, text)| json!({ "side": side.to_string(), "text": text }))
        .collect();
    line(&json!({
        "event": "session",
        "log": session.log().collect::<Vec<_>>(),
        "tls": facts.session,
        "received": session.evidence().received_text(),
        "client_hello": hello,
        "certificates": facts.certificates,
        "failures": facts.failures,
        "clear": clear,
        "messages": messages,
    }));
}
