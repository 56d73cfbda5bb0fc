//! What a peer does where TLS should begin, if it was told not to begin it.

use std::io::{Error, ErrorKind};

use classic_tls::wire::Side;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::closing::finish;
use super::error::Failure;
use super::options::Misbehaviour;
use super::report::Run;
use super::smtp::Lines;

/// What [`Misbehaviour::GarbageAfterStarttls`] sends.
const GARBAGE: &[u8] = b"this is not TLS\r\n";

/// Does what `misbehaviour` says and how it ended; nothing where TLS shall begin.
pub(super) async fn instead_of_tls<S>(
    misbehaviour: Misbehaviour,
    run: &mut Run,
    stream: &mut S,
) -> Option<Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match misbehaviour {
        Misbehaviour::SilentAfterStarttls => Some(silence(run, stream).await),
        Misbehaviour::CloseAfterStarttls => {
            let failure = Failure::Deliberate(match run.side {
                Side::Client => "the client closed the connection after STARTTLS",
                Side::Server => "the server closed the connection after STARTTLS",
            });
            // A ClientHello under way would turn the close into a reset.
            Some(run.end(failure, finish(&mut Lines::new(stream))).await)
        }
        Misbehaviour::GarbageAfterStarttls => Some(match garbage(run.side, stream).await {
            Ok(()) => silence(run, stream).await,
            Err(error) => Failure::Stream(error),
        }),
        _ => None,
    }
}

async fn garbage<S>(own: Side, stream: &mut S) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A client throws away what comes in one go with the reply to STARTTLS, so it must have begun TLS.
    if own == Side::Server && stream.read(&mut [0; 1024]).await? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    stream.write_all(GARBAGE).await?;
    stream.flush().await
}

/// Says nothing more until the other side has had enough.
pub(super) async fn silence<S: AsyncRead + Unpin>(run: &mut Run, stream: &mut S) -> Failure {
    let own = match run.side {
        Side::Client => "the client kept silent",
        Side::Server => "the server kept silent",
    };
    let listening = async {
        let mut heard = [0; 1024];
        loop {
            match stream.read(&mut heard).await {
                Ok(0) => return ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    };
    Failure::Stream(run.meanwhile(Failure::Deliberate(own), listening).await)
}
