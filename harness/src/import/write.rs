//! A draft as the text of a scenario.

use toml::{Table, Value};

use super::draft::{Draft, Kept, Peer, Side};
use super::report::{LogLine, Report};
use super::secret::dropped;
use super::symptom::{Kind, kind_of};
use crate::printable::printable;
use crate::scenario::SideName;

/// Longest comment, in characters: a line of a log is longer, its beginning says enough.
const LONGEST: usize = 400;

/// Most lines of a log that are repeated as comments.
const MOST_LINES: usize = 24;

/// Writes the scenario. Nothing of the report can leave the string or the comment it stands in.
pub(super) fn write(draft: &Draft, report: &Report, from: &str) -> String {
    let mut out = Writer {
        text: String::new(),
    };
    out.comment(&format!(
        "Made by `pfs import` from {from}. It has not been run."
    ));
    header(draft, report, draft.about, &mut out);
    out.line("");
    out.pair("why", &Value::from(draft.why.as_str()), 0);
    let list = |items: &[String]| {
        Value::Array(
            items
                .iter()
                .map(|item| Value::from(item.as_str()))
                .collect(),
        )
    };
    if !draft.spec.is_empty() {
        out.pair("spec", &list(&draft.spec), 0);
    }
    if !draft.targets.is_empty() {
        out.pair("targets", &list(&draft.targets), 0);
    }
    out.table("matrix", &draft.matrix);
    let files: Table = draft
        .files
        .iter()
        .map(|(name, text)| (name.clone(), Value::from(text.as_str())))
        .collect();
    out.table("files", &files);
    side("server", &draft.server, &mut out);
    side("client", &draft.client, &mut out);
    out.table("dns", &draft.dns);
    out.table("expect", &draft.expect);
    for (targets, why, expect) in &draft.departures {
        out.line("\n[[departure]]");
        out.pair("targets", &list(targets), 0);
        out.pair("why", &Value::from(why.as_str()), 0);
        out.pair("expect", &Value::Table(expect.clone()), 0);
    }
    out.text
}

fn header(draft: &Draft, report: &Report, side: SideName, out: &mut Writer) {
    let versions = [
        ("Postfix", &report.versions.postfix),
        ("OpenSSL", &report.versions.openssl),
    ];
    for (name, version) in versions {
        if let Some(version) = version {
            out.comment(&format!("Reported for {name} {version}."));
        }
    }
    if !report.log.is_empty() {
        out.comment("Reported lines:");
        let own = || report.log.iter().filter(|line| line.side == Some(side));
        // Of a long log those that tell of something.
        let long = own().count() > MOST_LINES;
        let telling = |line: &&LogLine| {
            !long || kind_of(&line.text).is_some_and(|kind| kind != Kind::Established)
        };
        for line in own().filter(telling).take(MOST_LINES) {
            out.comment(&format!(
                "  {}: {}",
                line.daemon().unwrap_or("?"),
                without_mailboxes(&report.without_secrets(&line.text))
            ));
        }
        if long {
            out.comment("  …");
        }
    }
    for header in &report.received {
        out.comment(&format!(
            "Reported header: Received: {}",
            without_mailboxes(&report.without_secrets(&header.text))
        ));
    }
    for hint in report.hints.iter().take(8) {
        out.comment(&format!(
            "Also seen: {}",
            report.without_secrets(&hint.text)
        ));
    }
    for note in &draft.notes {
        out.comment(&format!("NOTE: {note}"));
    }
    if !draft.replaced.is_empty() {
        out.comment("Replaced:");
        for replaced in &draft.replaced {
            out.comment(&format!("  {replaced}"));
        }
    }
    if !report.dropped.is_empty() {
        out.comment("Dropped:");
        let mut reasons: Vec<&str> = Vec::new();
        for dropped in &report.dropped {
            if !reasons.contains(&dropped.why.as_str()) {
                reasons.push(&dropped.why);
            }
        }
        for reason in reasons {
            let same = report
                .dropped
                .iter()
                .filter(|dropped| dropped.why == reason);
            let names: Vec<String> = same.map(|one| dropped(&one.what, report)).collect();
            for (index, part) in names.chunks(6).enumerate() {
                let names = part.join(", ");
                out.comment(&if index == 0 {
                    format!("  {reason}: {names}")
                } else {
                    format!("    {names}")
                });
            }
        }
    }
}

/// Mailboxes are nobody's business: their domains stay.
pub(super) fn without_mailboxes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, address) = rest.split_at(start + 1);
        out.push_str(before);
        rest = address;
        if let Some((inner, _)) = address.split_once('>')
            && let Some((_, domain)) = inner.rsplit_once('@')
        {
            out.push_str("…@");
            out.push_str(domain);
            rest = &address[inner.len()..];
        }
    }
    out.push_str(rest);
    match out.split_once("sasl_username=") {
        Some((before, after)) => {
            let end = after.find([',', ' ']).unwrap_or(after.len());
            format!("{before}sasl_username=…{}", &after[end..])
        }
        None => out,
    }
}

fn side(name: &str, side: &Side, out: &mut Writer) {
    out.line(&format!("\n[{name}]"));
    if let Peer::Own(kind, options) = &side.peer {
        out.pair(kind, &Value::Table(options.clone()), 0);
    }
    let width = side.keys.keys().map(String::len).max().unwrap_or(0);
    for (key, value) in &side.keys {
        out.pair(key, value, width);
    }
    let Peer::Postfix(settings) = &side.peer else {
        return;
    };
    if settings.is_empty() {
        out.line("postfix = {}");
        return;
    }
    out.line(&format!("\n[{name}.postfix]"));
    let width = settings
        .iter()
        .map(|setting| setting.name.len())
        .max()
        .unwrap_or(0);
    for Kept {
        name,
        value,
        comment,
    } in settings
    {
        out.pair_with(name, &Value::from(value.as_str()), width, comment);
    }
}

struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn comment(&mut self, comment: &str) {
        self.line(&format!("# {}", plain(comment)));
    }

    fn table(&mut self, name: &str, table: &Table) {
        if table.is_empty() {
            return;
        }
        self.line(&format!("\n[{name}]"));
        let width = table
            .keys()
            .map(|key| self::key(key).len())
            .max()
            .unwrap_or(0);
        for (key, value) in table {
            self.pair(key, value, width);
        }
    }

    fn pair(&mut self, key: &str, value: &Value, width: usize) {
        self.pair_with(key, value, width, "");
    }

    fn pair_with(&mut self, name: &str, value: &Value, width: usize, comment: &str) {
        let value = inline(value);
        let comment = plain(comment);
        let comment = if comment.is_empty() {
            comment
        } else {
            format!("  # {comment}")
        };
        self.line(&format!("{:width$} = {value}{comment}", key(name)));
    }
}

/// One line, of characters that a comment may hold.
fn plain(text: &str) -> String {
    let one_line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut plain = printable(&one_line);
    if plain.chars().count() > LONGEST {
        plain = plain.chars().take(LONGEST).collect::<String>() + "…";
    }
    plain
}

/// Inline TOML.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(&text.replace('\n', " ")),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A bare key, or a quoted one.
fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if bare { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML 1.0; what a terminal would obey, or an eye miss, is written as an escape.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() || printable(c.encode_utf8(&mut [0; 4])).len() != c.len_utf8() => {
                let code = u32::from(c);
                out.push_str(&if code > 0xffff {
                    format!("\\U{code:08X}")
                } else {
                    format!("\\u{code:04X}")
                });
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_stays_in_its_string() {
        let mut draft = Draft::new(SideName::Client);
        let hostile = "x\"\n[server]\npostfix = {} # '''\u{0}\u{85}\u{2028}";
        draft.client.peer = Peer::Postfix(vec![Kept {
            name: "smtp_tls_ciphers".to_owned(),
            value: hostile.to_owned(),
            comment: hostile.to_owned(),
        }]);
        draft.notes.push(hostile.to_owned());
        let text = write(&draft, &Report::default(), hostile);
        let table: Table = text.parse().unwrap();
        let value = table["client"]["postfix"]["smtp_tls_ciphers"]
            .as_str()
            .unwrap();
        assert_eq!(value, hostile.replace('\n', " "), "{text}");
    }

    #[test]
    fn mailboxes_are_left_out() {
        assert_eq!(
            without_mailboxes("to=<me@example.org>, relay=x"),
            "to=<…@example.org>, relay=x"
        );
    }
}
