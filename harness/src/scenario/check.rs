//! What is wrong with a scenario that its types alone cannot say.

use std::collections::BTreeMap;

use postfix_tls_log::cause;

use super::case::Scenario;
use super::command::{Command, CommandPlace, Placeholder};
use super::effect::effects;
use super::error::nearest;
use super::expect::{FailureExpectation, SideName, Volatile};
use super::file::{Begins, Client, ScenarioFile, Server};
use super::name::Certificate;
use super::parameter::{ValuePiece, is_file_name};

/// A complaint about a file, and the byte of it that it is about.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl From<(String, Option<String>)> for Wrong {
    fn from((message, help): (String, Option<String>)) -> Self {
        Self {
            at: 0,
            message,
            help,
        }
    }
}

fn at(place: usize, message: String, help: Option<String>) -> Wrong {
    Wrong {
        at: place,
        message,
        help,
    }
}

/// What the types alone cannot say.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn check(scenario: &Scenario) -> Result<(), Wrong> {
    let file = &scenario.file;
    own_files(file)?;
    effects(file)?;
    Ok(whole(scenario)?)
}

/// What is wrong with the whole, not with one place.
fn whole(scenario: &Scenario) -> Result<(), (String, Option<String>)> {
    let Server {
        postfix,
        rustls,
        classic,
        exim,
        command,
        on,
        ..
    } = &scenario.file.server;
    let server_is_postfix = postfix.is_some();
    one_peer(
        "server",
        postfix.is_some(),
        [
            rustls.is_some(),
            classic.is_some(),
            exim.is_some(),
            command.is_some(),
        ],
        on.is_some(),
    )?;
    let Client {
        postfix,
        rustls,
        classic,
        exim,
        command,
        on,
        ..
    } = &scenario.file.client;
    one_peer(
        "client",
        postfix.is_some(),
        [
            rustls.is_some(),
            classic.is_some(),
            exim.is_some(),
            command.is_some(),
        ],
        on.is_some(),
    )?;
    if !server_is_postfix && postfix.is_none() {
        return Err((
            "neither side is a Postfix".into(),
            Some("one of [server] and [client] needs `postfix = { … }`".into()),
        ));
    }
    let file = &scenario.file;
    if !server_is_postfix && (file.server.postscreen || file.server.service.is_some()) {
        return Err((
            "[server] has `postscreen` or `service`, which are for Postfix only".into(),
            None,
        ));
    }
    if file.server.postscreen && file.client.reuses_connections() {
        return Err((
            "`postscreen` and `smtp_tls_connection_reuse` in one case".into(),
            Some("whose tlsproxy(8) speaks could not be told: make two cases of it".into()),
        ));
    }
    if file.change.is_some() && file.message.count == Some(1) {
        return Err((
            "`change` comes before the last mail, and `message.count` is 1".into(),
            Some("send two or more, or leave `count` out".into()),
        ));
    }
    beginnings(&scenario.file)?;
    causes(&scenario.file)?;
    faults(&scenario.file)?;
    commands(&scenario.file)?;
    let count = scenario.mails();
    if !(1..=8).contains(&count) {
        return Err((
            format!("`message.count` is {count}"),
            Some("expected 1 to 8".into()),
        ));
    }
    for header in &file.message.headers {
        let name = header.split_once(": ").map_or("", |(name, _)| name);
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if !named || header.chars().any(char::is_control) {
            return Err((
                format!("`message.headers` has {header:?}, which is no header field"),
                Some("expected one line such as `TLS-Required: no`".into()),
            ));
        }
    }
    if let Some(age) = file.message.age {
        if age > 3 {
            return Err((
                format!("`message.age` is {age}"),
                Some("expected 0 to 3".into()),
            ));
        }
        if file.client.postfix.is_none() {
            return Err((
                "`message.age` is for mail that a Postfix sends: our own clients have no queue"
                    .into(),
                Some("leave it out, or make the client `postfix = { … }`".into()),
            ));
        }
    }
    if let Some(dns) = &scenario.file.dns {
        dns.check()?;
    }
    if scenario.file.dns.is_some() && postfix.is_none() {
        return Err((
            "[dns] is for a client that looks names up, which only Postfix does".into(),
            Some("leave it out, or make the client `postfix = { … }`".into()),
        ));
    }
    for Volatile { line, why } in &file.volatile {
        // Shorter pieces are part of lines that nobody thought of.
        if line.trim().len() < 8 || why.trim().is_empty() {
            return Err((
                format!("`[[volatile]]` has line = {line:?} and why = {why:?}"),
                Some("expected eight characters or more of the line's text, and the reason".into()),
            ));
        }
    }
    if scenario.file.why.trim().is_empty() {
        return Err((
            "`why` is empty".into(),
            Some("say the claim under test in a sentence".into()),
        ));
    }
    Ok(())
}

/// What a command is told is there, and holds for its side.
fn commands(file: &ScenarioFile) -> Result<(), (String, Option<String>)> {
    let (server, client) = (&file.server, &file.client);
    let without = |all: &[Certificate]| all.iter().all(|one| one.0.is_none());
    let server_has_none = server.cert.as_ref().is_some_and(|all| without(&all.0));
    let client_has_none = client.cert.as_ref().is_none_or(|one| one.0.is_none());
    let sides = [
        ("server", &server.command, server_has_none),
        ("client", &client.command, client_has_none),
    ];
    for (side, command, has_none) in sides {
        let Some(Command(command)) = command else {
            continue;
        };
        for placeholder in [Placeholder::Cert, Placeholder::Key] {
            if has_none && command.names(placeholder) {
                return Err((
                    format!(
                        "the command of [{side}] names `{{{}}}`, and [{side}] has no certificate",
                        placeholder.name()
                    ),
                    Some(format!("give it one: `{side}.cert = \"…\"`")),
                ));
            }
        }
        if side == "client" && command.ready.is_some() {
            return Err((
                "the command of [client] has `ready`, which is for servers".into(),
                Some("leave it out: a client connects when it wants to".into()),
            ));
        }
        if command.place == CommandPlace::Target && command.user.is_some() {
            return Err((
                format!("the command of [{side}] has `user`, and runs in the target"),
                Some("leave it out: there it is `nobody`".into()),
            ));
        }
    }
    let on_machine = |command: &Option<Command>| {
        let place = command.as_ref().map(|command| command.0.place);
        place == Some(CommandPlace::Machine)
    };
    if server.on.is_some() && on_machine(&server.command)
        || client.on.is_some() && on_machine(&client.command)
    {
        return Err((
            "`on` is for what runs in a target, and the command runs on this machine".into(),
            Some("leave it out, or say `in = \"target\"`".into()),
        ));
    }
    Ok(())
}

/// Each peer can do what it is told to do wrong.
fn faults(file: &ScenarioFile) -> Result<(), (String, Option<String>)> {
    let (server, client) = (&file.server, &file.client);
    let told = [
        (
            SideName::Server,
            false,
            server.rustls.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Server,
            true,
            server.classic.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Client,
            false,
            client.rustls.as_ref().and_then(|peer| peer.fault),
        ),
        (
            SideName::Client,
            true,
            client.classic.as_ref().and_then(|peer| peer.fault),
        ),
    ];
    for (side, classic, fault) in told {
        let Some(fault) = fault else { continue };
        if fault.is_classic() && !classic {
            return Err((
                format!("a rustls peer cannot do the fault {fault:?}"),
                Some("it is for a peer `classic = { … }`".into()),
            ));
        }
        if fault.side().is_some_and(|only| only != side) {
            return Err((
                format!("the fault {fault:?} is not one of a {side:?}").to_lowercase(),
                Some("it belongs to the other side".into()),
            ));
        }
        if fault.needs_starttls() && file.begins(side) == Begins::Implicit {
            return Err((
                format!("the fault {fault:?} never comes to pass: TLS begins with the first byte"),
                Some(
                    "take one of those that come after the ClientHello, or let TLS begin by STARTTLS"
                        .into(),
                ),
            ));
        }
        let offers = match side {
            SideName::Client => None,
            SideName::Server => (server.rustls.as_ref().map(|peer| peer.starttls))
                .or_else(|| server.classic.as_ref().map(|peer| peer.starttls))
                .flatten(),
        };
        if offers == Some(false) && !fault.is_before_tls() {
            return Err((
                format!(
                    "the fault {fault:?} never comes to pass: the server has `starttls = false`"
                ),
                Some("leave one of them out".into()),
            ));
        }
    }
    Ok(())
}

/// A cause is one of the vocabulary, words of a log, or a piece of what a peer says that is no Postfix.
fn causes(file: &ScenarioFile) -> Result<(), (String, Option<String>)> {
    let both = file.server.postfix.is_some() && file.client.postfix.is_some();
    let departures = file.departure.iter().map(|one| &one.expect);
    for expect in [&file.expect].into_iter().chain(departures) {
        let Some(FailureExpectation { cause, .. }) = &expect.failure else {
            continue;
        };
        // A daemon that ends says what it likes.
        if cause::known(cause).is_some() || expect.fatal.is_some() || expect.panic.is_some() {
            continue;
        }
        let names = cause::CAUSES.iter().map(|one| one.name);
        let near = nearest(cause, names);
        let misspelt = near.is_some_and(|name| strsim::normalized_levenshtein(name, cause) > 0.8);
        // Words of a log are looked for there, as long as they are more than one; a single one would fit by chance.
        let is_a_word = both && !cause.trim().contains(' ');
        if is_a_word || misspelt || cause.starts_with("alert ") {
            return Err((
                format!("`failure.cause` is `{cause}`, which is no cause that a Postfix tells of"),
                Some(match near {
                    Some(name) => {
                        format!("did you mean `{name}`? The page \"Causes\" has them all")
                    }
                    None => "the page \"Causes\" has them all".to_owned(),
                }),
            ));
        }
    }
    Ok(())
}

/// How TLS begins is said once.
fn beginnings(file: &ScenarioFile) -> Result<(), (String, Option<String>)> {
    let (server, client) = (&file.server, &file.client);
    for (side, said, postfix, parameter) in [
        (
            "server",
            server.tls,
            &server.postfix,
            "smtpd_tls_wrappermode",
        ),
        (
            "client",
            client.tls,
            &client.postfix,
            "smtp_tls_wrappermode",
        ),
    ] {
        if said.is_some() && postfix.is_some() {
            return Err((
                format!("[{side}] has `tls`, and is a Postfix"),
                Some(format!("say `{parameter}` in its settings")),
            ));
        }
    }
    let offers = (server.rustls.as_ref().map(|peer| peer.starttls))
        .or_else(|| server.classic.as_ref().map(|peer| peer.starttls))
        .flatten();
    if let (Some(begins), Some(offers)) = (server.tls, offers)
        && (begins == Begins::Implicit || !offers)
    {
        return Err((
            format!("[server] has `tls` and `starttls = {offers}`"),
            Some("`starttls = false` is a server without TLS; leave one of them out".into()),
        ));
    }
    Ok(())
}

/// `[files]` has what settings and `[change]` name, under names that files can have.
fn own_files(file: &ScenarioFile) -> Result<(), Wrong> {
    if let Some(name) = file.files.keys().find(|name| !is_file_name(name.get_ref())) {
        return Err(at(
            name.span().start,
            format!("`[files]` has the name `{}`", name.get_ref()),
            Some("expected 1 to 60 letters, digits, `.`, `_` and `-`, not `.` first".into()),
        ));
    }
    let settings = [&file.server.postfix, &file.client.postfix];
    let values = settings.into_iter().flatten().flat_map(BTreeMap::values);
    let commands = [&file.server.command, &file.client.command];
    let words = commands
        .into_iter()
        .flatten()
        .flat_map(|command| &command.0.run);
    let in_commands = words.flat_map(|word| word.own_files().map(|name| (name, 0, "a command")));
    let named = values.flat_map(|value| {
        let pieces = value.get_ref().pieces().iter();
        pieces.filter_map(|piece| match piece {
            ValuePiece::OwnFile(name) => Some((name.as_str(), value.span().start, "a setting")),
            ValuePiece::Text(_) | ValuePiece::Generated(_) => None,
        })
    });
    let changed = file.change.iter().flat_map(|change| change.own_files());
    let changed = changed.map(|(name, at)| (name, at, "`change.files`"));
    let known = || file.files.keys().map(|name| name.get_ref().as_str());
    for (name, place, who) in named.chain(changed).chain(in_commands) {
        if !known().any(|one| one == name) {
            return Err(at(
                place,
                format!("{who} names `file:{name}`, which is not in `[files]`"),
                nearest(name, known()).map(|near| format!("did you mean `file:{near}`?")),
            ));
        }
    }
    Ok(())
}

fn one_peer(
    side: &str,
    postfix: bool,
    others: [bool; 4],
    on: bool,
) -> Result<(), (String, Option<String>)> {
    let advice = Some(format!(
        "[{side}] needs exactly one of `postfix = {{ }}`, `rustls = {{ }}`, `classic = {{ }}`, `exim = {{ }}` and `command = [ ]`"
    ));
    match usize::from(postfix) + others.into_iter().filter(|named| *named).count() {
        0 => Err((format!("[{side}] names no peer"), advice)),
        2.. => Err((format!("[{side}] names two peers"), advice)),
        _ if on && !postfix && !others[3] => Err((
            format!("[{side}] has `on`, which is for Postfix only"),
            Some("leave it out: a Rust peer runs on this machine".into()),
        )),
        _ => Ok(()),
    }
}
