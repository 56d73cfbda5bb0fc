//! Names of the world into names of the test network, so that what matched matches and what did not does not.

use super::report::{LogLine, Report};

/// The next-hop domain and the host of the reported session, and what they are called here.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The recipient's domain, where the report says it.
    pub(super) domain: Option<String>,
    /// The host that was spoken to.
    pub(super) host: Option<String>,
    /// The case has zones: the domain is `example.test`.
    pub(super) zones: bool,
}

/// The host's name here.
pub(super) const HOST: &str = "mail.example.test";
/// The domain's name here.
pub(super) const DOMAIN: &str = "example.test";

impl Names {
    /// From the lines of a client's log.
    pub(super) fn of(report: &Report) -> Self {
        let mut names = Self::default();
        for line in &report.log {
            names.domain = names.domain.take().or_else(|| recipient(line));
            names.host = names
                .host
                .take()
                .or_else(|| peer(&line.text).or_else(|| looked_up(&line.text)));
        }
        names
    }

    /// A host name.
    pub(super) fn host(&self, name: &str) -> String {
        let is = |known: &Option<String>| {
            known
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        match () {
            () if is(&self.host) || !name.contains('.') => HOST.to_owned(),
            () if is(&self.domain) => self.own_domain(),
            () => "other.test".to_owned(),
        }
    }

    fn own_domain(&self) -> String {
        if self.zones { DOMAIN } else { HOST }.to_owned()
    }

    /// A pattern of `match=` or `mx_host_pattern=`: a name, `.name`, `*.name`, or one of Postfix's words.
    pub(super) fn pattern(&self, pattern: &str) -> String {
        if matches!(pattern, "hostname" | "nexthop" | "dot-nexthop" | "") {
            return pattern.to_owned();
        }
        let (mark, name) = match (pattern.strip_prefix("*."), pattern.strip_prefix('.')) {
            (Some(name), _) => ("*.", name),
            (_, Some(name)) => (".", name),
            _ => return self.host(pattern),
        };
        let under = |known: &Option<String>| {
            let known = known.as_deref().unwrap_or_default().to_ascii_lowercase();
            known
                .strip_suffix(&name.to_ascii_lowercase())
                .is_some_and(|rest| rest.ends_with('.'))
        };
        if under(&self.host) || under(&self.domain) {
            return format!("{mark}{DOMAIN}");
        }
        let is_own = self.host(name) != "other.test";
        format!(
            "{mark}{}",
            if is_own {
                self.host(name)
            } else {
                "other.test".to_owned()
            }
        )
    }

    /// The value of a policy: its names replaced.
    pub(super) fn attributes(&self, value: &str) -> String {
        let mut out: Vec<String> = Vec::new();
        for word in value.split_whitespace() {
            let mapped = match word.split_once('=') {
                Some((name @ ("match" | "mx_host_pattern"), patterns)) => {
                    let separator = if patterns.contains('|') { '|' } else { ':' };
                    let mapped: Vec<String> = patterns
                        .split(separator)
                        .map(|pattern| self.pattern(pattern))
                        .collect();
                    format!("{name}={}", mapped.join(&separator.to_string()))
                }
                Some(("servername", name)) if name != "hostname" && name != "nexthop" => {
                    format!("servername={}", self.host(name))
                }
                Some(("policy_domain", _)) => format!("policy_domain={DOMAIN}"),
                _ => word.to_owned(),
            };
            out.push(mapped);
        }
        // `policy_string = mx: NAME` has its names behind blanks.
        let mut words = out.into_iter();
        let mut text = String::new();
        while let Some(word) = words.next() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&word);
            if word == "mx:"
                && let Some(name) = words.next()
            {
                text.push(' ');
                text.push_str(&self.pattern(&name));
            }
        }
        text
    }

    /// The row of a policy table that is about the reported destination: that of the recipient's domain or of the host;
    /// the only one, where there is no more.
    pub(super) fn row<'a>(
        &self,
        rows: &[&'a (String, String, usize)],
    ) -> Option<&'a (String, String, usize)> {
        let bare = |key: &str| {
            let key = key.trim_start_matches('[');
            key.split(']')
                .next()
                .unwrap_or_default()
                .trim_start_matches('.')
                .to_ascii_lowercase()
        };
        let wanted: Vec<String> = [&self.domain, &self.host]
            .into_iter()
            .flatten()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        let found = rows.iter().find(|row| wanted.contains(&bare(&row.0)));
        let only = match rows {
            [only] if wanted.is_empty() || self.domain.is_none() => Some(only),
            _ => None,
        };
        found.or(only).copied()
    }
}

/// `example.org` of `to=<someone@example.org>` or `next-hop destination "example.org"`.
fn recipient(line: &LogLine) -> Option<String> {
    let text = &line.text;
    if let Some((_, rest)) = text.split_once("next-hop destination \"") {
        return rest.split('"').next().map(str::to_owned);
    }
    let client = line
        .daemon()
        .is_none_or(|daemon| daemon == "smtp" || daemon == "lmtp");
    if let (true, Some((_, rest))) = (client, text.split_once("to=<")) {
        let address = rest.split('>').next()?;
        return address
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_owned());
    }
    let (_, rest) = text.split_once("domain=")?;
    text.starts_with("TLSRPT")
        .then(|| rest.split([',', ' ']).next().unwrap_or_default().to_owned())
}

/// `mx.example.org` of `TLS policy lookup for example.org/mx.example.org: …`.
fn looked_up(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("TLS policy lookup for ")?;
    let (_, host) = rest.split(": ").next()?.split_once('/')?;
    Some(host.trim().to_owned())
}

/// `mx.example.org` of `… to mx.example.org[192.0.2.1]:25`, `for mx.example.org[…`, `relay=mx.example.org[…`.
fn peer(text: &str) -> Option<String> {
    for before in [" to ", " for ", "relay="] {
        for (at, _) in text.match_indices(before) {
            let rest = &text[at + before.len()..];
            let Some((name, _)) = rest.split_once('[') else {
                continue;
            };
            let is_name = name.contains('.')
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
            if is_name {
                return Some(name.to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matched_matches() {
        let names = Names {
            domain: Some("example.net".to_owned()),
            host: Some("mx-com.olc.example.net".to_owned()),
            zones: false,
        };
        for (pattern, expected) in [
            ("mx-com.olc.example.net", "mail.example.test"),
            ("*.olc.example.net", "*.example.test"),
            (".example.net", ".example.test"),
            ("gslb.filter.example", "other.test"),
            (".other.example", ".other.test"),
            ("nexthop", "nexthop"),
        ] {
            assert_eq!(names.pattern(pattern), expected, "{pattern}");
        }
        assert_eq!(
            names.attributes("secure match=*.olc.example.net policy_domain=example.net { policy_string = mx: *.olc.example.net }"),
            "secure match=*.example.test policy_domain=example.test { policy_string = mx: *.example.test }"
        );
    }
}
