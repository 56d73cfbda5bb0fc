//! One JSON object per line for each case and target.

use std::io;
use std::sync::Arc;

use super::result::ResultLine;
use super::{Report, Sink};
use crate::event::{Announced, Event};
use crate::printable::json;

/// JSON lines.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    run: Arc<Announced>,
}

impl<W: Sink> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            run: Arc::default(),
        }
    }
}

impl<W: Sink> Report for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Arc::clone(run),
            Event::Case(result) => {
                let line = serde_json::to_value(ResultLine::of(result, &self.run))?;
                self.out
                    .write_all(format!("{}\n", json(&line)).as_bytes())?;
                self.out.flush()?;
            }
            Event::Finished(_) => self.out.whole()?,
            Event::Begun { .. } | Event::Doing { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use postfix_tls_log::LogLine;
    use serde_json::Value;

    use super::*;
    use crate::event::{CaseResult, Said};
    use crate::evidence::{Evidence, PostfixLog, Statements};
    use crate::outcome::Outcome;
    use crate::scenario::CaseId;

    const LOG: &str = "\
Nov 22 08:00:00 mail postfix/a.b/smtpd[7]: connect from unknown[127.0.0.1]
Nov 22 08:00:00 mail postfix/a.b/smtpd[7]: Anonymous TLS connection established from unknown[127.0.0.1]: TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange secp384r1 server-signature RSA-PSS (2048 bits) server-digest SHA512
Nov 22 08:00:00 mail postfix/a.b/smtpd[7]: disconnect from unknown[127.0.0.1] ehlo=2 starttls=1 quit=1 commands=4";

    fn line(server_log: &str) -> Value {
        let lines = server_log
            .lines()
            .map(|line| Arc::new(LogLine::parse_or_text(line).into_owned()));
        let evidence = Evidence::from(Statements {
            server_log: Some(PostfixLog::new(lines.collect(), true)),
            ..Statements::default()
        });
        let result = CaseResult {
            id: CaseId {
                topic: "eecdh".into(),
                case: "groups".into(),
                variant: Some("P-256".into()),
            },
            target: "debian-12".into(),
            sides: crate::plan::Sides {
                client: Some("debian-12".into()),
                ..crate::plan::Sides::default()
            },
            why: "because".into(),
            outcome: Outcome::Fail(vec!["protocol: …".into()]),
            elapsed: std::time::Duration::from_millis(12),
            said: Some(Said::Heard(Arc::new(evidence))),
            configuration: String::new(),
            reproduce: "pfs run 'eecdh/groups[P-256]'".into(),
            accepted: false,
        };
        let mut out = Vec::new();
        let mut report = Json::new(&mut out);
        report.event(&Event::Case(Arc::new(result))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1, "one object per line: {text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_has_the_documented_keys() {
        let line = line(LOG);
        assert_eq!(line["id"], "eecdh/groups[P-256]");
        assert_eq!(line["outcome"], "fail");
        assert_eq!(line["differences"][0], "protocol: …");
        assert_eq!(line["ms"], 12);
        assert_eq!(line["client"], "debian-12");
        assert!(line["server"].is_null(), "a peer of this process");
        let schema: Value = serde_json::from_str(&super::super::result::schema()).unwrap();
        let documented = schema["properties"].as_object().unwrap();
        let written = line.as_object().unwrap();
        let mut keys: Vec<&String> = documented.keys().collect();
        keys.sort();
        assert_eq!(written.keys().collect::<Vec<_>>(), keys);
    }

    #[test]
    fn a_session_is_told_in_fields() {
        let line = line(LOG);
        let session = &line["session"];
        assert_eq!(session["protocol"], "TLSv1.3");
        assert_eq!(session["cipher"], "TLS_AES_128_GCM_SHA256");
        assert_eq!(session["bits"]["used"], 128);
        assert_eq!(session["key_exchange"]["kind"], "ECDHE");
        assert_eq!(session["key_exchange"]["group"], "secp384r1");
        assert_eq!(session["server_signature"]["algorithm"], "RSA-PSS");
        assert_eq!(session["server_signature"]["bits"], 2048);
        assert_eq!(session["server_signature"]["digest"], "SHA512");
        assert_eq!(session["forward_secrecy"]["holds"], true);
        assert_eq!(session["forward_secrecy"]["known_by"], "protocol");
        assert_eq!(line["testimonies"][0]["witness"], "server_log");
        assert_eq!(line["testimonies"][0]["status"], "Anonymous");
        assert_eq!(line["delivered"], false);
        let said = line["witnesses"]["server log"].as_str().unwrap();
        assert!(said.starts_with("smtpd: connect from unknown[<address>]\n"));
        let raw = line["raw"]["server log"].as_str().unwrap();
        assert!(raw.starts_with("postfix/a.b/smtpd[7]: connect from unknown[127.0.0.1]\n"));
    }

    #[test]
    fn a_failure_has_its_side_and_cause() {
        let line = line("\
Nov 22 08:00:00 mail postfix/a.b/smtpd[7]: SSL_accept error from unknown[127.0.0.1]: -1
Nov 22 08:00:00 mail postfix/a.b/smtpd[7]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2361:");
        let failure = &line["failures"][0];
        assert_eq!(failure["side"], "server");
        assert_eq!(failure["cause"], "no shared cipher");
        assert_eq!(failure["alert"], "handshake_failure");
        assert_eq!(failure["witness"], "server_log");
        assert!(line["session"].is_null());
    }
}
