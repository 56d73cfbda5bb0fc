//! The lease: a connection that keeps a fleet running for as long as it is open.

use std::net::SocketAddr;

use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::watch, task::JoinHandle};

/// A held lease. Dropping it closes the connection.
pub(crate) struct Lease {
    held: watch::Receiver<bool>,
    reader: JoinHandle<()>,
}

impl Lease {
    /// Takes the lease at this address; whoever calls it bounds the time.
    pub(crate) async fn take(address: SocketAddr) -> std::io::Result<Lease> {
        Ok(Lease::of(TcpStream::connect(address).await?))
    }

    pub(crate) fn of(mut stream: TcpStream) -> Lease {
        let (sender, held) = watch::channel(true);
        let reader = tokio::spawn(async move {
            // Nobody writes: whatever ends the read, ends the lease.
            while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
            sender.send_replace(false);
        });
        Lease { held, reader }
    }

    pub(crate) fn is_held(&self) -> bool {
        *self.held.borrow()
    }

    /// Waits until the other side has closed it.
    pub(crate) async fn lost(&self) {
        let _ = self.held.clone().wait_for(|held| !held).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
