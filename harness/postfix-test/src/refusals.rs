//! Servers that a mail client must not talk to, and two that it must.

use harness::fixture::{Fault, ServerOptions, Session};
use harness::observe::summary::Side;

use crate::{Error, Postfix, ServerBuilder};

/// What a client that was told to require TLS, to trust the test CA and to verify `localhost` has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Hand its mail over, under TLS.
    Deliver,
    /// Hand it over under TLS, or refuse: its TLS may lack what this server has.
    DeliverOrRefuse,
    /// Report an error, having sent no mail.
    Refuse,
}

/// One server of the matrix.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about, such as `wrong-name`.
    pub name: &'static str,
    /// What is wrong with the server, in words.
    pub about: &'static str,
    /// What a client has to do.
    pub duty: Duty,
    postfix: Postfix,
    options: ServerOptions,
}

/// Why a client does not do its duty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{case}: {about}: {what}")]
pub struct Violation {
    /// The case.
    pub case: &'static str,
    /// What is wrong with its server.
    pub about: &'static str,
    /// What the client has done.
    pub what: String,
}

/// Every case, on this Postfix. They can be run at the same time.
pub(crate) fn cases(postfix: &Postfix) -> Vec<Case> {
    let case = |name, about, duty, options| Case {
        name,
        about,
        duty,
        postfix: postfix.clone(),
        options,
    };
    let certificate = |name: &str| ServerOptions {
        certificates: vec![name.to_owned()],
        name: Some("localhost".to_owned()),
        ..ServerOptions::default()
    };
    let fault = |fault| ServerOptions {
        fault: Some(fault),
        ..ServerOptions::default()
    };
    let parameters = |parameters: &[(&str, &str)], certificate: &str| ServerOptions {
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        certificates: vec![certificate.to_owned()],
        ..ServerOptions::default()
    };
    vec![
        case(
            "trusted",
            "nothing is wrong with it",
            Duty::Deliver,
            ServerOptions::default(),
        ),
        case(
            "no-close-notify",
            "it closes without close_notify, when it has taken the mail",
            Duty::Deliver,
            fault(Fault::NoCloseNotify),
        ),
        case(
            "wrong-name",
            "its certificate is for another name",
            Duty::Refuse,
            certificate("wrong-name"),
        ),
        case(
            "expired",
            "its certificate has expired",
            Duty::Refuse,
            certificate("localhost-expired"),
        ),
        case(
            "not-yet-valid",
            "its certificate is valid from next year on",
            Duty::Refuse,
            certificate("localhost-not-yet-valid"),
        ),
        case(
            "untrusted",
            "its certificate is from a CA that the client does not trust",
            Duty::Refuse,
            certificate("localhost-other-ca"),
        ),
        case(
            "self-signed",
            "its certificate is signed with its own key",
            Duty::Refuse,
            certificate("localhost-self-signed"),
        ),
        case(
            "no-starttls",
            "it does not offer STARTTLS",
            Duty::Refuse,
            parameters(&[("smtpd_tls_security_level", "none")], "localhost"),
        ),
        case(
            "closes-after-starttls",
            "it answers STARTTLS with 220 and closes the connection",
            Duty::Refuse,
            fault(Fault::CloseAfterStarttls),
        ),
        case(
            "plain-text-after-starttls",
            "it answers STARTTLS with 220 and goes on in clear",
            Duty::Refuse,
            fault(Fault::PlainTextAfterStarttls),
        ),
        case(
            "dhe-only",
            "its only key exchange is DHE with a prime of 2048 bits, in TLS 1.2",
            Duty::DeliverOrRefuse,
            parameters(
                &[
                    (
                        "smtpd_tls_protocols",
                        "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1, !TLSv1.3",
                    ),
                    ("smtpd_tls_exclude_ciphers", "kECDHE, kRSA, aNULL"),
                ],
                "localhost-rsa",
            ),
        ),
        case(
            "tls10-only",
            "it speaks no TLS but 1.0 (RFC 8996)",
            Duty::Refuse,
            parameters(
                &[(
                    "smtpd_tls_protocols",
                    "!SSLv2, !SSLv3, !TLSv1.1, !TLSv1.2, !TLSv1.3",
                )],
                "localhost-rsa",
            ),
        ),
    ]
}

impl Case {
    /// Its server.
    pub fn server(&self) -> ServerBuilder {
        ServerBuilder::with(self.postfix.clone(), self.options.clone())
    }

    /// Holds what the client says, and what Postfix saw of its session, against its duty. `delivered`: the client says that
    /// its mail was taken.
    ///
    /// # Errors
    /// What the client has done that it must not.
    pub fn judge(&self, delivered: bool, session: &Session) -> Result<(), Violation> {
        let arrived = session.messages().len();
        let secured = session.tls().is_some();
        let in_clear = session.clear().iter().find(|(side, line)| {
            let command = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            *side == Side::Client && matches!(&*command, "MAIL" | "AUTH" | "RCPT" | "DATA")
        });
        let what = if let Some((_, line)) = in_clear {
            Some(format!("the client has sent in clear: {line}"))
        } else if !secured && session.commands("mail") > 0 {
            Some("the client has sent MAIL in clear".to_owned())
        } else if delivered != (arrived > 0) {
            let says = if delivered { "was taken" } else { "was not" };
            Some(format!(
                "the client says that its mail {says}, and Postfix took {arrived}"
            ))
        } else if self.duty == Duty::Deliver && !delivered {
            Some("the client has not handed its mail over".to_owned())
        } else if self.duty == Duty::Refuse && delivered {
            Some("the client has handed its mail over".to_owned())
        } else {
            None
        };
        match what {
            None => Ok(()),
            Some(what) => Err(Violation {
                case: self.name,
                about: self.about,
                what,
            }),
        }
    }

    /// Starts the server, has `client` send one mail to it, and judges: `client` gets address, name and CA from the server,
    /// and returns whether it says that its mail was taken. It has to connect once.
    ///
    /// # Errors
    /// The server cannot be started, or has seen no connection. What the client has done is the inner result.
    pub fn run(
        &self,
        client: impl FnOnce(&crate::Server) -> bool,
    ) -> Result<Result<(), Violation>, Error> {
        let server = self.server().start()?;
        let delivered = client(&server);
        let session = server.next_session()?;
        Ok(self.judge(delivered, &session))
    }
}
