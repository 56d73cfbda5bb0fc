//! `client.nexthop`: where a Postfix client sends to.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::file::ServiceName;
use super::value::parsed;

/// A next-hop destination as in a transport table: `[mail.example.test]:587`, or `example.test` for its MX hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// The name of a host, or of a domain; or an address.
    pub name: String,
    /// No MX hosts are looked up: the name stands in brackets.
    pub is_host: bool,
    /// The port or service as it is written.
    service: Option<String>,
}

impl NextHop {
    /// The TCP port, where one is given.
    pub fn port(&self) -> Option<u16> {
        let service = self.service.as_deref()?;
        service.parse().ok().or_else(|| {
            let known = ServiceName::ALL.into_iter();
            let named = known.filter(|known| known.to_string() == service);
            named.map(ServiceName::port).next()
        })
    }

    /// The same destination under another name.
    pub fn named(&self, name: String) -> Self {
        Self {
            name,
            ..self.clone()
        }
    }
}

impl FromStr for NextHop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = |why: &str| {
            format!(
                "`{text}` is no next hop: {why}; expected e.g. `[mail.example.test]`, \
                 `[mail.example.test]:587` or `example.test`"
            )
        };
        let (name, rest, is_host) = match text.strip_prefix('[') {
            Some(inner) => {
                let (name, rest) = inner
                    .split_once(']')
                    .ok_or_else(|| expected("its bracket does not close"))?;
                (name, rest, true)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                (&text[..end], &text[end..], false)
            }
        };
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if !name.split('.').all(label) {
            return Err(expected("its name is no domain name"));
        }
        let service = match rest {
            "" => None,
            _ => Some(
                rest.strip_prefix(':')
                    .ok_or_else(|| expected("what follows the bracket is no port"))?
                    .to_owned(),
            ),
        };
        let next = Self {
            name: name.to_owned(),
            is_host,
            service,
        };
        match (&next.service, next.port()) {
            (Some(service), None | Some(0)) => Err(expected(&format!(
                "`{service}` is neither a port nor smtp, submission, submissions or smtps"
            ))),
            _ => Ok(next),
        }
    }
}

impl Default for NextHop {
    /// `[mail.example.test]`
    fn default() -> Self {
        Self {
            name: "mail.example.test".to_owned(),
            is_host: true,
            service: None,
        }
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_host {
            true => write!(f, "[{}]", self.name)?,
            false => f.write_str(&self.name)?,
        }
        match &self.service {
            Some(service) => write!(f, ":{service}"),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for NextHop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(
            deserializer,
            "a next hop, e.g. \"[mail.example.test]:587\"",
            str::parse,
        )
    }
}

impl JsonSchema for NextHop {
    fn schema_name() -> Cow<'static, str> {
        "NextHop".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A next-hop destination as in a transport table, e.g. `[mail.example.test]:587`.",
            "type": "string"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_transport_table() {
        for (text, port) in [
            ("[mail.example.test]", None),
            ("example.test", None),
            ("[mail.example.test]:587", Some(587)),
            ("[mail.example.test]:submission", Some(587)),
            ("mail.example.test:smtps", Some(465)),
        ] {
            let next: NextHop = text.parse().unwrap();
            assert_eq!(next.port(), port, "{text}");
            assert_eq!(next.to_string(), text);
        }
        for (text, why) in [
            ("[mail.example.test", "does not close"),
            ("[mail.example.test]:pop3", "`pop3` is neither"),
            ("[mail.example.test]:0", "neither a port"),
            ("a, b", "no domain name"),
        ] {
            let error = text.parse::<NextHop>().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
