//! A server's session from greeting to QUIT, whichever TLS runs in it.

use classic_tls::wire::Side;
use tokio::io::{AsyncRead, AsyncWrite};

use super::closing::finish;
use super::error::Failure;
use super::misbehave::{instead_of_tls, silence};
use super::options::{Beginning, Misbehaviour, SmtpOptions, TlsMode};
use super::report::Run;
use super::smtp::{Event, Offer, Server, SmtpError, Stage};
use super::tap::Recorder;

/// A TLS server.
pub(super) trait Handshake<S> {
    /// What it makes of a stream.
    type Stream: AsyncRead + AsyncWrite + Unpin;

    /// Runs the handshake and notes in `run` what it has shown.
    fn handshake(
        self,
        wire: Recorder<S>,
        run: &mut Run,
    ) -> impl Future<Output = Result<Self::Stream, Failure>>;
}

/// The whole session.
pub(super) async fn serve<S, T>(
    stream: S,
    tls: T,
    options: &SmtpOptions,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Handshake<S>,
{
    options.check()?;
    run.dialogue.stage = Stage::Banner;
    if options.mode == TlsMode::Implicit {
        let tls = inside(stream, Vec::new(), tls, options, run).await?;
        let mut smtp = Server::inside_tls(tls, &options.name);
        smtp.banner(&mut run.dialogue).await?;
        converse(&mut smtp, run).await?;
        return close(smtp, options).await;
    }
    let offer = match options.misbehaviour {
        _ if options.mode == TlsMode::Off => Offer::No,
        Misbehaviour::RefuseStarttls => Offer::Refused,
        Misbehaviour::ReplyAfterStarttls => Offer::YesAndMore,
        _ => Offer::Yes,
    };
    let mut smtp = Server::new(stream, &options.name, offer);
    match options.misbehaviour {
        Misbehaviour::SilentAtBanner => {
            return Err(silence(run, smtp.lines().stream()).await);
        }
        Misbehaviour::RefuseToTalk => {
            smtp.refuse(&mut run.dialogue).await?;
            finish(smtp.lines()).await;
            return Err(Failure::Deliberate("the server refused to talk"));
        }
        _ => smtp.banner(&mut run.dialogue).await?,
    }
    if !converse(&mut smtp, run).await? {
        return close(smtp, options).await;
    }
    let (stream, early) = smtp.into_parts();
    let tls = inside(stream, early, tls, options, run).await?;
    let smtp = Server::inside_tls(tls, &options.name);
    let mut smtp = match options.misbehaviour {
        Misbehaviour::StarttlsOfferedAgain => smtp.offering_again(),
        Misbehaviour::EarlyMailReply => smtp.hasty(),
        _ => smtp,
    };
    converse(&mut smtp, run).await?;
    close(smtp, options).await
}

/// TLS on a stream of which `early` has already been read, or what the server does instead.
async fn inside<S, T>(
    stream: S,
    early: Vec<u8>,
    tls: T,
    options: &SmtpOptions,
    run: &mut Run,
) -> Result<T::Stream, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Handshake<S>,
{
    run.dialogue.stage = Stage::Handshake;
    run.began = Some(match options.mode {
        TlsMode::Implicit => Beginning::FirstByte,
        TlsMode::Starttls | TlsMode::Off => Beginning::Starttls,
    });
    let mut recorder = Recorder::after(early, stream, Side::Server, run.recording.clone());
    if let Some(failure) = instead_of_tls(options.misbehaviour, run, &mut recorder).await {
        return Err(failure);
    }
    let established = tls.handshake(recorder, run).await?;
    if options.misbehaviour == Misbehaviour::CloseAfterHandshake {
        return Err(Failure::Deliberate(
            "the server closed the connection after the handshake",
        ));
    }
    Ok(established)
}

/// Serves until the end of the dialogue, or true: until TLS shall begin.
async fn converse<S>(smtp: &mut Server<S>, run: &mut Run) -> Result<bool, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match smtp.next(&mut run.dialogue).await {
            Ok(Event::StartTls) => return Ok(true),
            Ok(Event::Message(message)) => run.messages.push(message),
            Ok(Event::Quit) => return Ok(false),
            // A client that has delivered may go without a word.
            Ok(Event::Closed) | Err(SmtpError::Io(_)) if !run.messages.is_empty() => {
                return Ok(false);
            }
            Ok(Event::Closed) => {
                return Err(SmtpError::Closed {
                    expected: "a command",
                }
                .into());
            }
            // What it sent is not read to its end, and closing at once could cost it what it was told.
            Err(error @ SmtpError::TlsInClear) => {
                return Err(run.end(error.into(), finish(smtp.lines())).await);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn close<S>(mut smtp: Server<S>, options: &SmtpOptions) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if options.misbehaviour != Misbehaviour::NoCloseNotify {
        finish(smtp.lines()).await;
    }
    Ok(())
}
