//! The two roles of a peer, so that whoever drives one need not know which TLS it has.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::report::PeerReport;
use super::smtp::Mail;

/// What a peer is about to report.
pub type Reporting<'a> = Pin<Box<dyn Future<Output = PeerReport> + Send + 'a>>;

/// A client that speaks SMTP over some TLS.
pub trait MailClient: Debug + Send + Sync {
    /// Connects to `address`, sends `mail` and reports. Always comes back by `deadline`, or a little after it.
    fn send<'a>(&'a self, address: SocketAddr, mail: &'a Mail, deadline: Instant) -> Reporting<'a>;
}

/// A server that speaks SMTP over some TLS.
pub trait MailServer: Debug + Send + Sync {
    /// Serves one client on a connection that was just accepted, and reports. Always comes back by `deadline`, or a
    /// little after it.
    fn receive(&self, stream: TcpStream, deadline: Instant) -> Reporting<'_>;
}
