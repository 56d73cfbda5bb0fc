//! The end of a connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::smtp::Lines;

/// How long the other side may take to close after everything was said. Nothing depends on it.
const LINGER: Duration = Duration::from_secs(2);

/// Closes our side (in TLS: sends close_notify) and waits for the other one: closing at once, with something of the
/// other side's unread, would reset the connection, and the last reply or alert could be lost. Errors no longer matter.
pub(super) async fn finish<S: AsyncRead + AsyncWrite + Unpin>(lines: &mut Lines<S>) {
    let _ = timeout(LINGER, async {
        if lines.stream().shutdown().await.is_ok() {
            let _ = lines.drain().await;
        }
    })
    .await;
}
