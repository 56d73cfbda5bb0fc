//! A client's session from greeting to QUIT, whichever TLS runs in it.

use std::sync::Arc;

use classic_tls::wire::Side;
use tokio::io::{AsyncRead, AsyncWrite};

use super::closing::finish;
use super::error::Failure;
use super::hello::{LateReply, Pipelined, Shaped};
use super::misbehave::{instead_of_tls, silence};
use super::options::{Beginning, Misbehaviour, SmtpOptions, TlsMode};
use super::report::Run;
use super::smtp::{Client, Dialogue, Mail, Reply, SmtpError, Stage};
use super::tap::Recorder;

/// The stream that a client's TLS runs on.
pub(super) type Wire<S> = Shaped<Recorder<Pipelined<S>>>;

/// A TLS client.
pub(super) trait Handshake<S> {
    /// What it makes of a stream.
    type Stream: AsyncRead + AsyncWrite + Unpin;

    /// Runs the handshake and notes in `run` what it has shown.
    fn handshake(
        self,
        wire: Wire<S>,
        run: &mut Run,
    ) -> impl Future<Output = Result<Self::Stream, Failure>>;
}

/// The whole session.
pub(super) async fn talk<S, T>(
    stream: S,
    tls: T,
    options: &SmtpOptions,
    mail: &Mail,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Handshake<S>,
{
    options.check()?;
    if options.mode == TlsMode::Implicit {
        let tls = inside(Pipelined::plain(stream), Vec::new(), tls, options, run).await?;
        let mut smtp = Client::new(tls);
        smtp.banner(&mut run.dialogue).await?;
        return mail_over(smtp, options, mail, Stage::EhloTls, run).await;
    }
    let mut smtp = Client::new(stream);
    let ehlo = if options.misbehaviour == Misbehaviour::EarlyEhlo {
        smtp.early_ehlo(&options.name, &mut run.dialogue).await?
    } else {
        smtp.banner(&mut run.dialogue).await?;
        if options.misbehaviour == Misbehaviour::SilentAtBanner {
            return Err(silence(run, smtp.lines().stream()).await);
        }
        if options.mode == TlsMode::Off {
            return mail_over(smtp, options, mail, Stage::Ehlo, run).await;
        }
        if options.misbehaviour == Misbehaviour::EarlyStarttls {
            smtp.early_starttls(&options.name, &mut run.dialogue)
                .await?;
            let (stream, early) = smtp.into_parts();
            let tls = inside(Pipelined::plain(stream), early, tls, options, run).await?;
            return mail_over(Client::new(tls), options, mail, Stage::EhloTls, run).await;
        }
        if options.misbehaviour == Misbehaviour::StarttlsWithoutEhlo {
            smtp.starttls_as("STARTTLS", "", &mut run.dialogue).await?;
            let (stream, early) = smtp.into_parts();
            let tls = inside(Pipelined::plain(stream), early, tls, options, run).await?;
            return mail_over(Client::new(tls), options, mail, Stage::EhloTls, run).await;
        }
        smtp.ehlo(&options.name, Stage::Ehlo, &mut run.dialogue)
            .await?
    };
    let tls = if options.misbehaviour == Misbehaviour::EarlyClientHello {
        run.dialogue.stage = Stage::Starttls;
        ehlo.offers_starttls()?;
        let reply = LateReply::default();
        let (stream, early) = smtp.into_parts();
        let stream = Pipelined::command(stream, b"STARTTLS\r\n", Arc::clone(&reply));
        let result = inside(stream, early, tls, options, run).await;
        match reply.get() {
            Some(reply) if reply.code != 220 => {
                run.dialogue.stage = Stage::Starttls;
                return Err(SmtpError::Refused {
                    command: "STARTTLS".to_owned(),
                    reply: reply.clone(),
                    expected: 220,
                }
                .into());
            }
            _ => result?,
        }
    } else {
        starttls(&mut smtp, &ehlo, options.misbehaviour, mail, run).await?;
        let (stream, early) = smtp.into_parts();
        inside(Pipelined::plain(stream), early, tls, options, run).await?
    };
    mail_over(Client::new(tls), options, mail, Stage::EhloTls, run).await
}

/// STARTTLS, said well or as `misbehaviour` has it.
async fn starttls<S>(
    smtp: &mut Client<S>,
    ehlo: &Reply,
    misbehaviour: Misbehaviour,
    mail: &Mail,
    run: &mut Run,
) -> Result<(), SmtpError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let dialogue = &mut run.dialogue;
    match misbehaviour {
        Misbehaviour::StarttlsArgument => smtp.starttls_as("STARTTLS now", "", dialogue).await,
        Misbehaviour::StarttlsUnoffered => smtp.starttls_as("STARTTLS", "", dialogue).await,
        Misbehaviour::CommandAfterStarttls => {
            smtp.starttls_as("STARTTLS", "NOOP\r\n", dialogue).await
        }
        Misbehaviour::StarttlsAfterMail => {
            smtp.begin_mail(&mail.from, dialogue).await?;
            smtp.starttls(ehlo, dialogue).await
        }
        _ => smtp.starttls(ehlo, dialogue).await,
    }
}

/// TLS on a stream of which `early` has already been read, or what the client does instead.
async fn inside<S, T>(
    stream: Pipelined<S>,
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
    let mut recorder = Recorder::after(early, stream, Side::Client, run.recording.clone());
    if let Some(failure) = instead_of_tls(options.misbehaviour, run, &mut recorder).await {
        return Err(failure);
    }
    let established = tls
        .handshake(Shaped::new(recorder, options.misbehaviour), run)
        .await;
    match options.misbehaviour {
        Misbehaviour::CloseAfterClientHello => Err(Failure::Deliberate(
            "the client closed the connection after its ClientHello",
        )),
        Misbehaviour::CloseAfterHandshake => {
            established?;
            Err(Failure::Deliberate(
                "the client closed the connection after the handshake",
            ))
        }
        _ => established,
    }
}

/// EHLO, the mail and QUIT.
async fn mail_over<S>(
    mut smtp: Client<S>,
    options: &SmtpOptions,
    mail: &Mail,
    stage: Stage,
    run: &mut Run,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    smtp.ehlo(&options.name, stage, &mut run.dialogue).await?;
    if options.misbehaviour == Misbehaviour::StarttlsTwice && stage == Stage::EhloTls {
        smtp.starttls_as("STARTTLS", "", &mut run.dialogue).await?;
        return Err(Failure::Deliberate(
            "the client was told to begin TLS inside TLS",
        ));
    }
    if let Err(error) = smtp.deliver(mail, &mut run.dialogue).await {
        // What is said from here on is options, not part of the dialogue that failed.
        let goodbye = async {
            let _ = smtp.quit(&mut Dialogue::default()).await;
            finish(smtp.lines()).await;
        };
        return Err(match error {
            SmtpError::Refused { .. } => run.end(error.into(), goodbye).await,
            _ => error.into(),
        });
    }
    smtp.quit(&mut run.dialogue).await?;
    if options.misbehaviour != Misbehaviour::NoCloseNotify {
        finish(smtp.lines()).await;
    }
    Ok(())
}
