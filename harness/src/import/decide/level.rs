//! The client's level that a line implies, where the report says another, or none.

use super::super::draft::Draft;
use super::Matter;

/// The level with which the line is logged, unless the reported one is of those that log it.
pub(super) fn at_least(needed: &str, matter: &Matter<'_>, draft: &mut Draft) {
    let enough: &[&str] = match needed {
        // The levels of DANE are those of a name with records: without zones, nothing tells of STARTTLS (RFC 7672).
        "encrypt" => &["encrypt", "fingerprint", "verify", "secure"],
        "verify" => &["verify", "secure"],
        "dane" => &["dane", "dane-only", "half-dane"],
        "dane-only" => &["dane-only"],
        _ => &[needed],
    };
    if !enough.contains(&matter.level().as_str()) {
        put(needed, matter, draft);
    }
}

/// The level with which the line is logged, where the reported one has the client ask for more.
pub(super) fn no_more(needed: &str, matter: &Matter<'_>, draft: &mut Draft) {
    let enough: &[&str] = match needed {
        "may" => &["may", "none"],
        _ => &["none"],
    };
    let said = matter.level_said();
    if said.is_none_or(|said| !enough.contains(&said.as_str())) {
        put(needed, matter, draft);
    }
}

/// Sets the level, and says so.
fn put(level: &str, matter: &Matter<'_>, draft: &mut Draft) {
    let why = match matter.level_said() {
        Some(said) => {
            let of = match matter.policy() {
                Some(_) => "smtp_tls_policy_maps",
                None => "smtp_tls_security_level",
            };
            let said: String = said.chars().take(40).collect();
            draft.notes.push(format!(
                "{of} says {said} in the report, with which Postfix does not log the line: {level} stands in"
            ));
            "the reported level does not log the line"
        }
        None => {
            draft.notes.push(format!(
                "the report has no level for this destination; the line is logged with {level}"
            ));
            "not in the report; the line needs it"
        }
    };
    // A row would go before the level.
    draft.client.remove("smtp_tls_policy_maps");
    draft.client.replace("smtp_tls_security_level", level, why);
}
