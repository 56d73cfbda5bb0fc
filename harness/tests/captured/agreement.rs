//! The witnesses of every captured message.

use std::collections::HashMap;

use harness::observe::agreement::{self, Testimony, Witness};
use harness::observe::{Direction, Received, Side, TlsSummary};
use postfix_tls_log::Sessions;

use crate::{TARGETS, capture, headers, lines};

/// The summaries that go with each queue id, in the log of the server and of the client.
#[derive(Default)]
struct Messages {
    server: HashMap<String, TlsSummary>,
    client: HashMap<String, TlsSummary>,
}

impl Messages {
    fn of(log: &str) -> Self {
        let mut sessions = Sessions::new();
        let mut found = Vec::new();
        for (line, event) in lines(log) {
            found.extend(sessions.push(&line, event));
        }
        found.extend(sessions.finish());
        let mut messages = Self::default();
        for session in found {
            let Some(summary) = session.tls else { continue };
            match session.role {
                Some(Side::Server) => {
                    for id in session.queue_ids {
                        messages.server.insert(id, summary.clone());
                    }
                }
                _ => {
                    for delivery in session.deliveries {
                        if let Some((_, id)) = delivery.text.split_once("queued as ") {
                            messages.client.insert(id.to_owned(), summary.clone());
                        }
                    }
                }
            }
        }
        messages
    }
}

/// smtpd(8) leaves `(raw public key)` out of the header for keys without curve and size: scenario `rpk/server-ed25519`.
fn is_known_bug(found: &agreement::Disagreement) -> bool {
    let texts = [&found.left, &found.right].map(|it| it.value.as_str());
    found.field == agreement::Field::ServerSignature
        && texts.contains(&"ED25519")
        && texts.contains(&"ED25519 (raw public key)")
}

#[test]
fn log_and_header_agree_about_every_message() {
    for target in TARGETS {
        let sessions = Messages::of(&capture(target, "maillog.txt"));
        let (mut with_server, mut with_client) = (0, 0);
        for text in headers(target) {
            let received = Received::parse(&text).unwrap();
            let (Some(tls), Some(id)) = (received.tls, received.id) else {
                continue;
            };
            let mut testimonies = vec![Testimony {
                witness: Witness::Received,
                summary: tls,
                began: None,
            }];
            if let Some(summary) = sessions.server.get(&id) {
                assert_eq!(summary.direction, Some(Direction::From));
                testimonies.push(Testimony {
                    witness: Witness::ServerLog,
                    summary: summary.clone(),
                    began: None,
                });
                with_server += 1;
            }
            if let Some(summary) = sessions.client.get(&id) {
                assert_eq!(summary.direction, Some(Direction::To));
                testimonies.push(Testimony {
                    witness: Witness::ClientLog,
                    summary: summary.clone(),
                    began: None,
                });
                with_client += 1;
            }
            let mut found = agreement::compare(&testimonies);
            found.retain(|it| !is_known_bug(it));
            assert!(found.is_empty(), "{target}: {found:#?}\n{text}");
        }
        assert!(
            with_server > 35 && with_client > 15,
            "{target}: {with_server} {with_client}"
        );
    }
}
