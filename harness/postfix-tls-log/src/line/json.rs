//! Lines wrapped in JSON objects: journald's (`journalctl -o json`), Docker's `json-file`, and those of collectors.

use std::collections::HashMap;

use super::LogLine;
use crate::summary::number;

/// Fields that hold a whole line or its text.
const MESSAGES: [&str; 5] = ["MESSAGE", "log", "message", "msg", "short_message"];
/// An object in a line in an object in a line is nobody's log.
const DEPTH: u8 = 3;

/// Takes `line`, a JSON object, apart.
pub(super) fn parse(line: &str) -> Option<LogLine<'static>> {
    nested(line, 0)
}

fn nested(line: &str, depth: u8) -> Option<LogLine<'static>> {
    let fields = Scanner { rest: line }.object()?;
    let text = MESSAGES.iter().find_map(|name| fields.get(*name))?;
    let field = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| fields.get(*name))
            .cloned()
            .unwrap_or_default()
    };
    let name = field(&[
        "SYSLOG_IDENTIFIER",
        "ident",
        "program",
        "appname",
        "app_name",
        "tag",
    ]);
    let (tag, daemon) = name.rsplit_once('/').unwrap_or(("", &name));
    if super::prefix::is_program(daemon) && (!tag.is_empty() || daemon.starts_with("post")) {
        let pid = field(&["SYSLOG_PID", "_PID", "pid", "procid"]);
        let time = field(&["__REALTIME_TIMESTAMP", "timestamp", "time", "@timestamp"]);
        return Some(LogLine {
            time: time.into(),
            host: field(&["_HOSTNAME", "host", "hostname"]).into(),
            tag: tag.to_owned().into(),
            daemon: daemon.to_owned().into(),
            pid: number(&pid),
            text: text.trim_end_matches(['\r', '\n']).to_owned().into(),
        });
    }
    let inner = text.trim_end_matches(['\r', '\n']);
    if inner.trim_start().starts_with('{') {
        return (depth < DEPTH).then(|| nested(inner.trim_start(), depth + 1))?;
    }
    LogLine::parse_plain(inner).map(LogLine::into_owned)
}

/// Reads one flat object; values that are no strings are taken as they stand, objects and lists inside are passed over, but for a list
/// of numbers, which is how journald writes text that is not UTF-8.
struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn object(mut self) -> Option<HashMap<String, String>> {
        let mut fields = HashMap::new();
        self.eat('{')?;
        loop {
            let name = self.string()?;
            self.eat(':')?;
            let value = self.value()?;
            fields.entry(name).or_insert(value);
            match self.next()? {
                ',' => {}
                '}' => return Some(fields),
                _ => return None,
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'b' | 'f' => text.push(' '),
                    'u' => {
                        let mut unit = || -> Option<u32> {
                            let mut code = 0;
                            for _ in 0..4 {
                                code = code * 16 + chars.next()?.1.to_digit(16)?;
                            }
                            Some(code)
                        };
                        text.push(char::from_u32(unit()?).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        None
    }

    fn value(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('"') {
            return self.string();
        }
        if self.rest.starts_with(['{', '[']) {
            let skipped = self.skip()?;
            let bytes = skipped
                .strip_prefix('[')
                .and_then(|list| list.strip_suffix(']'))
                .and_then(|list| {
                    list.split(',')
                        .map(|byte| number(byte.trim()))
                        .collect::<Option<Vec<u8>>>()
                })
                .unwrap_or_default();
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        let end = self.rest.find([',', '}'])?;
        let value = self.rest.get(..end)?.trim().to_owned();
        self.rest = self.rest.get(end..)?;
        Some(value)
    }

    /// An object or a list, with all in it.
    fn skip(&mut self) -> Option<String> {
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '{' | '[' if !quoted => depth += 1,
                '}' | ']' if !quoted => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        let (skipped, rest) = self.rest.split_at_checked(at + c.len_utf8())?;
                        self.rest = rest;
                        return Some(skipped.to_owned());
                    }
                }
                _ => {}
            }
        }
        None
    }
}
