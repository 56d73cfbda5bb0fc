//! The field tls= of a delivery says what the handshake came to, not that it was still open.

use super::{Broken, Rule, Seen};
use crate::observe::log::{DeliveryStatus, LogEvent};
use crate::observe::summary::Side;

pub(super) const RULE: Rule = Rule {
    name: "delivery-field",
    claim: "The field tls= of a delivery says what the handshake came to, not that it was still open.",
    source: "postconf(5), smtp_log_tls_feature_status",
    check,
};

fn check(seen: &Seen<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for event in seen.events(Side::Client) {
        let LogEvent::Delivery(delivery) = event else {
            continue;
        };
        let (Some(field), DeliveryStatus::Sent) = (&delivery.tls, delivery.status) else {
            continue;
        };
        let kept = match delivery.connection_use {
            Some(_) => "over a kept connection",
            None => "over a new connection",
        };
        if field.ends_with('?') {
            broken.push(Broken::new(
                format!("a mail sent {kept} has a level that is still open"),
                format!("tls={field}"),
            ));
        }
        let level = field.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let level = level.split(':').next().unwrap_or(level);
        let asked = seen.intent.level().unwrap_or("may");
        let follows = level == asked || asked == "dane" && level == "may";
        if !follows && !seen.intent.must_encrypt() || seen.intent.must_encrypt() && level != asked {
            broken.push(Broken::new(
                format!("a mail sent at {asked} has the level {level}"),
                format!("tls={field}"),
            ));
        }
    }
    broken
}
