//! The witnesses of every captured message.

use std::collections::HashMap;

use harness::observe::agreement::{self, Testimony, Witness};
use harness::observe::log::{QueueAction, QueueEvent};
use harness::observe::{Direction, LogEvent, Received, TlsSummary};

use crate::{TARGETS, capture, headers, lines};

/// The last summary each process logged, and the one that goes with each queue id.
#[derive(Default)]
struct Sessions {
    by_process: HashMap<Option<u32>, TlsSummary>,
    server: HashMap<String, TlsSummary>,
    client: HashMap<String, TlsSummary>,
}

impl Sessions {
    fn of(log: &str) -> Self {
        let mut sessions = Self::default();
        for (line, event) in lines(log) {
            match event {
                LogEvent::Tls(summary) => {
                    sessions.by_process.insert(line.pid, summary);
                }
                LogEvent::Connect { .. } => {
                    sessions.by_process.remove(&line.pid);
                }
                LogEvent::Queue(QueueEvent {
                    queue_id,
                    action: QueueAction::Client { .. },
                }) => {
                    if let Some(summary) = sessions.by_process.get(&line.pid) {
                        sessions.server.insert(queue_id, summary.clone());
                    }
                }
                LogEvent::Delivery(delivery) => {
                    let summary = sessions.by_process.remove(&line.pid);
                    if let (Some(summary), Some((_, id))) =
                        (summary, delivery.text.split_once("queued as "))
                    {
                        sessions.client.insert(id.to_owned(), summary);
                    }
                }
                _ => {}
            }
        }
        sessions
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
        let sessions = Sessions::of(&capture(target, "maillog.txt"));
        let (mut with_server, mut with_client) = (0, 0);
        for text in headers(target) {
            let received = Received::parse(&text).unwrap();
            let (Some(tls), Some(id)) = (received.tls, received.id) else {
                continue;
            };
            let mut testimonies = vec![Testimony {
                witness: Witness::Received,
                summary: tls,
            }];
            if let Some(summary) = sessions.server.get(&id) {
                assert_eq!(summary.direction, Some(Direction::From));
                testimonies.push(Testimony {
                    witness: Witness::ServerLog,
                    summary: summary.clone(),
                });
                with_server += 1;
            }
            if let Some(summary) = sessions.client.get(&id) {
                assert_eq!(summary.direction, Some(Direction::To));
                testimonies.push(Testimony {
                    witness: Witness::ClientLog,
                    summary: summary.clone(),
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
