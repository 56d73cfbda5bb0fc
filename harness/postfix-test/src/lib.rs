#![doc = include_str!("../README.md")]
#![allow(
    clippy::test_attr_in_doctest,
    reason = "a test is what its users write"
)]

mod error;
mod postfix;
mod refusals;
mod runtime;
mod server;
mod skip;

pub use error::Error;
pub use harness::fixture::{Delivery, Session};
pub use harness::peer::{Message, Side};
pub use postfix::{Certificate, DeliveryBuilder, Postfix, ServerBuilder};
pub use postfix_tls_log as log;
pub use refusals::{Case, Duty, Violation};
pub use server::Server;
