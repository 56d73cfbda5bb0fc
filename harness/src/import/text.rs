//! From pasted octets to lines: quotes, fences, entities, prefixes of containers and wrapping taken away.

use crate::observe::log::LogEvent;

/// Longest line that is looked at, in bytes; a log line of Postfix has at most 2,000 (`line_length_limit`).
const LONGEST_LINE: usize = 16 * 1024;

/// Most that is read of one report, in bytes.
pub const LARGEST_REPORT: usize = 8 * 1024 * 1024;

/// Lines that a program has broken are at least this long, in bytes.
const SHORTEST_WRAPPED: usize = 45;

/// A line as its author meant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the input; the first is 1.
    pub(super) number: usize,
    /// The text; what continued on the next lines is joined with a space.
    pub(super) text: String,
    /// Lines with nothing between them, or of one fence, have one paragraph.
    pub(super) paragraph: usize,
}

/// The lines of a report, in order, without blank ones.
pub(super) fn lines(report: &[u8]) -> Vec<Line> {
    let text = decode(report.get(..LARGEST_REPORT).unwrap_or(report));
    let mut paragraphs: Vec<Vec<(usize, String)>> = Vec::new();
    let mut open = Vec::new();
    let mut fenced = false;
    for (index, raw) in text.split('\n').enumerate() {
        let line = bare(raw);
        if is_fence(&line) {
            fenced = !fenced;
            paragraphs.push(std::mem::take(&mut open));
        } else if line.trim().is_empty() {
            paragraphs.push(std::mem::take(&mut open));
        } else {
            open.push((index + 1, line));
        }
    }
    paragraphs.push(open);
    let mut out = Vec::new();
    let filled = paragraphs.into_iter().filter(|lines| !lines.is_empty());
    for (paragraph, lines) in filled.enumerate() {
        out.extend(joined(lines, paragraph));
    }
    out
}

/// UTF-8, or UTF-16 with its mark (a redirected PowerShell); what is neither becomes U+FFFD.
fn decode(report: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match report {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        other => String::from_utf8_lossy(other).into_owned(),
    }
}

/// One line without what mail, Markdown, HTML, a terminal or docker-compose put around it.
fn bare(raw: &str) -> String {
    let mut end = raw.len().min(LONGEST_LINE);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let plain = without_escapes(&raw[..end]);
    let plain = unescaped(without_quotes(plain.trim_end_matches('\r')));
    let plain = without_tags(without_quotes(&plain));
    let plain = without_container(&plain);
    let plain = plain.trim_end();
    // Bold and code that span the line, or begin and end in it.
    let indent = plain.len() - plain.trim_start().len();
    let (indent, text) = plain.split_at(indent);
    let text = text.strip_prefix("**").unwrap_or(text);
    let text = text.strip_suffix("**").unwrap_or(text);
    let text = match text.strip_prefix('`').and_then(|it| it.strip_suffix('`')) {
        Some(code) if !code.contains('`') => code,
        _ => text,
    };
    format!("{indent}{text}")
}

/// ANSI colours and everything else that is no text are left out; tabs stay.
fn without_escapes(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    // CSI: parameters, then one letter.
                    for end in chars.by_ref() {
                        if end.is_ascii_alphabetic() {
                            break;
                        }
                    }
                }
            }
            '\u{feff}' | '\u{200b}' => {}
            '\u{a0}' => out.push(' '),
            '\t' | '\r' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// `> ` of mail and Markdown, any depth; `>=TLSv1.2` is none.
fn without_quotes(mut line: &str) -> &str {
    loop {
        let inner = line.trim_start();
        if line.len() - inner.len() > 3 {
            return line;
        }
        match inner.strip_prefix('>') {
            Some(rest) if rest.is_empty() || rest.starts_with([' ', '>', '\t']) => {
                line = rest.strip_prefix(' ').unwrap_or(rest);
            }
            _ => return line,
        }
    }
}

const ENTITIES: [(&str, char); 7] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("#39", '\''),
];

/// HTML's character references.
fn unescaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('&') {
        let (before, reference) = rest.split_at(start);
        out.push_str(before);
        let name = reference[1..].split_once(';').map(|(name, _)| name);
        match name.filter(|name| name.len() <= 8).and_then(entity) {
            Some((c, length)) => {
                out.push(c);
                rest = &reference[length + 2..];
            }
            None => {
                out.push('&');
                rest = &reference[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<(char, usize)> {
    let known = ENTITIES.iter().find(|(known, _)| *known == name);
    let c = known.map(|(_, c)| *c).or_else(|| {
        let number = name.strip_prefix('#')?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code).filter(|c| !c.is_control())
    })?;
    Some((c, name.len()))
}

/// Tags of HTML that stand around text; `<user@example.com>` is none.
const TAGS: [&str; 18] = [
    "b",
    "blockquote",
    "br",
    "code",
    "details",
    "div",
    "em",
    "hr",
    "i",
    "kbd",
    "li",
    "p",
    "pre",
    "samp",
    "span",
    "strong",
    "summary",
    "td",
];

fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let inner = tag[1..].split_once('>').map(|(inner, _)| inner);
        let name = inner.map(|inner| {
            let inner = inner.trim_matches('/');
            inner.split(' ').next().unwrap_or_default()
        });
        match (inner, name) {
            (Some(inner), Some(name)) if TAGS.contains(&name) => rest = &tag[inner.len() + 2..],
            _ => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `mail-1  | ` of docker-compose.
fn without_container(line: &str) -> &str {
    let Some((name, rest)) = line.split_once('|') else {
        return line;
    };
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    match rest.strip_prefix(' ') {
        Some(rest) if is_name => rest,
        _ if is_name && rest.is_empty() => "",
        _ => line,
    }
}

fn is_fence(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("```") || line.starts_with("~~~")
}

/// The lines of a paragraph: its common indentation taken away, continuations joined.
fn joined(lines: Vec<(usize, String)>, paragraph: usize) -> Vec<Line> {
    let width = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = lines.iter().map(|(_, line)| width(line)).min().unwrap_or(0);
    let mut out: Vec<Line> = Vec::new();
    for (number, line) in lines {
        let line = line.get(common..).unwrap_or(&line);
        if let Some(last) = out.last_mut()
            && last.text.len() < LONGEST_LINE
            && continues(&last.text, line)
        {
            last.text.push(' ');
            last.text.push_str(line.trim());
            continue;
        }
        out.push(Line {
            number,
            text: line.to_owned(),
            paragraph,
        });
    }
    out
}

/// Is `line` the rest of `last`? Indented lines continue settings, headers and lines of a log; text that was wrapped
/// without an indentation is told by what is still open in the line before.
fn continues(last: &str, line: &str) -> bool {
    let indented = line.starts_with([' ', '\t']);
    let text = line.trim_start();
    if text.starts_with("-o ") || text.starts_with('#') || super::log::find(line).is_some() {
        return false;
    }
    if super::log::find(last).is_some() {
        return (indented || is_open(last) || goes_on(last, text)) && !begins_anew(text);
    }
    if !indented {
        return false;
    }
    let named = |last: &str| {
        let name = last.split(['=', ':']).next().unwrap_or_default().trim_end();
        let is_word = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        !name.is_empty() && is_word && last.len() > name.len()
    };
    // A header of mail, or a setting of main.cf; a key of YAML ends in a colon.
    named(last) && !last.ends_with(':') && !text.starts_with("- ")
}

/// The line of a log was cut off before its end.
fn is_open(last: &str) -> bool {
    // The last word of OpenSSL's errors is a line number, or an alert's.
    let before = last.trim_end_matches(':');
    if before.len() < last.len() && before.ends_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let opened = last.matches('(').count() > last.matches(')').count();
    let odd = last.matches('"').count() % 2 == 1;
    last.len() >= 50 && (opened || odd || last.ends_with([',', ':', '=', '-']))
}

/// The line of a log ends within words that only go on in `next`: mail programs break lines at a column.
fn goes_on(last: &str, next: &str) -> bool {
    if last.len() < SHORTEST_WRAPPED || next.ends_with('?') {
        return false;
    }
    let is_known = |line: &str| {
        super::log::find(line).is_some_and(|found| {
            let event = LogEvent::parse(&found.daemon, &found.text);
            !matches!(event, LogEvent::Other(_) | LogEvent::Warning(_))
        })
    };
    let whole = format!("{last} {next}");
    let error = "TLS library problem: error:";
    let within_error = match last.contains(error) {
        true => !last.ends_with(':'),
        false => whole.contains(error),
    };
    within_error || !is_known(last) && is_known(&whole)
}

fn begins_anew(text: &str) -> bool {
    text.starts_with("- ") || super::settings::assignment(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(report: &str) -> Vec<String> {
        let lines = lines(report.as_bytes());
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_stands_around_a_line_is_taken_away() {
        for (pasted, text) in [
            ("> > a = b\r", "a = b"),
            (">=TLSv1.2", ">=TLSv1.2"),
            ("mail-1    | a = b", "a = b"),
            ("to=&lt;a@b.example&gt; &amp;amp;", "to=<a@b.example> &amp;"),
            ("<code>a = b</code><br/>", "a = b"),
            ("to=<a@b.example>", "to=<a@b.example>"),
            ("\u{1b}[31ma\u{1b}[0m = b\0", "a = b"),
            (
                "`smtpd_tls_security_level=may`",
                "smtpd_tls_security_level=may",
            ),
            ("**Received: from x**", "Received: from x"),
        ] {
            assert_eq!(texts(pasted), [text], "{pasted:?}");
        }
    }

    #[test]
    fn wrapped_lines_are_one() {
        let log = "    Sep  4 14:06:43 mx postfix/smtp[1]: 4W: to=<a@b.example>,\n     relay=x, status=deferred (a\n     b)";
        assert_eq!(texts(log).len(), 1, "{:?}", texts(log));
        let hard = "Sep  4 14:06:43 mx postfix/smtp[1]: certificate verification failed for (x\ny): untrusted issuer /O=Z";
        assert_eq!(texts(hard).len(), 1);
        assert_eq!(
            texts("smtpd_tls_protocols = !SSLv2,\n  !SSLv3"),
            ["smtpd_tls_protocols = !SSLv2, !SSLv3"]
        );
        let service = "smtps inet n - y - - smtpd\n  -o a=b\n  -o c=d";
        assert_eq!(texts(service).len(), 3);
    }

    #[test]
    fn lines_broken_at_a_column_are_one() {
        let broken = "> Nov 21 10:01:01 mx postfix/smtpd[2411]: warning: TLS\n> library problem: error:0A0000C1:SSL \
                      routines::no shared\n> cipher:ssl/statem/statem_srvr.c:2220:\nWhat does postconf -n say";
        assert_eq!(
            texts(broken),
            [
                "Nov 21 10:01:01 mx postfix/smtpd[2411]: warning: TLS library problem: error:0A0000C1:SSL routines::no \
                 shared cipher:ssl/statem/statem_srvr.c:2220:",
                "What does postconf -n say"
            ]
        );
        let whole = "Nov 21 10:01:01 mx postfix/smtpd[2411]: connect from unknown[192.0.2.1]\nand then it says";
        assert_eq!(texts(whole).len(), 2);
    }

    #[test]
    fn utf_16_is_read() {
        let mut report = vec![0xff, 0xfe];
        report.extend("a = b".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(lines(&report)[0].text, "a = b");
    }
}
