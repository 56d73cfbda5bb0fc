//! One JSON object per line on stdout for each case and target; all else goes to stderr.

use serde_json::{Map, Value, json};

use super::{Event, Report};
use crate::outcome::{CaseResult, Outcome};
use crate::printable::say_json;
use crate::tell;

/// JSON lines.
#[derive(Debug, Default)]
pub struct Json;

impl Report for Json {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Case(result) => {
                // Where nobody reads on, the exit code still tells.
                say_json(&object(result));
            }
            Event::Doing { target, what } => tell!("{target}: {what}"),
            Event::Finished(tally) => tell!(
                "{} passed, {} failed, {} not applicable, {} broken",
                tally.pass,
                tally.fail,
                tally.not_applicable,
                tally.broken
            ),
            Event::Started { .. } => {}
        }
    }
}

fn object(result: &CaseResult) -> Value {
    let witnesses: Map<String, Value> = result
        .witnesses
        .iter()
        .map(|(name, said)| (name.clone(), json!(said)))
        .collect();
    let differences = match &result.outcome {
        Outcome::Fail(differences) => json!(differences),
        Outcome::Broken(why) | Outcome::NotApplicable(why) => json!([why]),
        Outcome::Pass => json!([]),
    };
    json!({
        "id": result.id.to_string(),
        "target": result.target,
        "client": result.sides.client,
        "server": result.sides.server,
        "outcome": result.outcome.word(),
        "why": result.why,
        "differences": differences,
        "ms": u64::try_from(result.elapsed.as_millis()).unwrap_or(u64::MAX),
        "witnesses": witnesses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::CaseId;

    #[test]
    fn a_line_has_the_documented_keys() {
        let line = object(&CaseResult {
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
            witnesses: vec![("server log".into(), "Anonymous TLS …".into())],
            configuration: String::new(),
            accepted: false,
        });
        assert_eq!(line["id"], "eecdh/groups[P-256]");
        assert_eq!(line["outcome"], "fail");
        assert_eq!(line["ms"], 12);
        assert_eq!(line["client"], "debian-12");
        assert!(line["server"].is_null(), "a peer of this process");
        for key in ["target", "why", "witnesses"] {
            assert!(line.get(key).is_some(), "{key}");
        }
    }
}
