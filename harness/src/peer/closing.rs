//! The end of a connection.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::smtp::Lines;

/// How long the other side may take to close after everything was said. Nothing depends on it.
const LINGER: Duration = Duration::from_secs(2);

/// Most bytes read from a connection that has already failed.
const MAX_REST: u64 = 1 << 16;

/// Closes our side (in TLS: sends close_notify) and waits for the other one, so that nothing of the last reply is lost
/// to a reset. Errors no longer matter.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(lines: &mut Lines<S>) {
    let _ = timeout(LINGER, async {
        if lines.stream().shutdown().await.is_ok() {
            let _ = lines.drain().await;
        }
    })
    .await;
}

/// Where a write has failed, reads what the other side said before it closed: it may be the alert that explains it.
/// The stream records what is read.
pub(super) async fn drain_reset<S: AsyncRead + Unpin>(error: &Error, stream: S) {
    if matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    ) {
        let mut rest = Vec::new();
        let _ = timeout(LINGER, stream.take(MAX_REST).read_to_end(&mut rest)).await;
    }
}
