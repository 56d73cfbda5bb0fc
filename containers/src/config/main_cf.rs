//! main.cf: parameters with their values, in the order they were first set.

use std::fmt::Write as _;

use super::{ConfigError, nearest, quote};
use crate::TargetFacts;

/// A main.cf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MainCf {
    settings: Vec<(String, String)>,
}

impl MainCf {
    /// One without any parameter.
    #[must_use]
    pub fn new() -> MainCf {
        MainCf::default()
    }

    /// Sets a parameter, in place if it was set before.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut MainCf {
        let (name, value) = (name.into(), value.into());
        match self.settings.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.settings.push((name, value)),
        }
        self
    }

    /// Sets every parameter of `other`.
    pub fn extend(&mut self, other: &MainCf) -> &mut MainCf {
        for (name, value) in other.iter() {
            self.set(name, value);
        }
        self
    }

    /// The value of a parameter set here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every parameter and its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The file's text.
    ///
    /// # Errors
    /// A name or value that main.cf cannot hold; see [`quote`].
    pub fn render(&self) -> Result<String, ConfigError> {
        let mut text = String::new();
        for (name, value) in self.iter() {
            let _ = writeln!(
                text,
                "{} = {}",
                quote::name(name)?,
                quote::value(name, value)?
            );
        }
        Ok(text)
    }
}

/// Suffixes of parameters that Postfix makes for each transport or service by its name, and that
/// `postconf -d` therefore lists for the built-in ones only (postconf(5), "transport_…" and "service_…").
const PER_TRANSPORT: [&str; 14] = [
    "_delivery_slot_cost",
    "_delivery_slot_discount",
    "_delivery_slot_loan",
    "_destination_concurrency_failed_cohort_limit",
    "_destination_concurrency_limit",
    "_destination_concurrency_negative_feedback",
    "_destination_concurrency_positive_feedback",
    "_destination_rate_delay",
    "_destination_recipient_limit",
    "_extra_recipient_limit",
    "_initial_destination_concurrency",
    "_minimum_delivery_slots",
    "_recipient_limit",
    "_recipient_refill_limit",
];

/// The end of a parameter's name that qmgr(8) puts behind the name of a transport; `None` for one that holds for all
/// transports, or that is none of these.
#[must_use]
pub fn per_transport(name: &str) -> Option<&'static str> {
    let ends = PER_TRANSPORT.iter().copied();
    let mut ends = ends.filter(|end| name.len() > end.len() && name.ends_with(end));
    ends.find(|end| name.strip_suffix(end) != Some("default"))
}

/// Checks a parameter's name against what the target knows.
///
/// # Errors
/// [`ConfigError::UnknownParameter`] with the nearest name the target has.
pub fn known(name: &str, facts: &TargetFacts) -> Result<(), ConfigError> {
    quote::name(name)?;
    if per_transport(name).is_some() || facts.has_parameter(name) {
        return Ok(());
    }
    Err(ConfigError::UnknownParameter {
        name: name.to_owned(),
        nearest: nearest(name, facts.parameters()),
    })
}

/// Checks the names of a whole set of settings; one that nobody knows may be the user's own if another value
/// refers to it as `$name`, `${name…}` or `$(name…)`.
///
/// # Errors
/// [`ConfigError::UnknownParameter`] for the first that is neither.
pub fn all_known<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    facts: &TargetFacts,
) -> Result<(), ConfigError> {
    settings.clone().try_for_each(|(name, _)| {
        known(name, facts).or_else(|error| {
            let referred = settings.clone().any(|(_, value)| refers_to(value, name));
            if referred { Ok(()) } else { Err(error) }
        })
    })
}

/// Whether a value refers to a parameter, as `$name`, `${name…}` or `$(name…)`.
#[must_use]
pub fn refers_to(value: &str, name: &str) -> bool {
    value.split('$').skip(1).any(|rest| {
        let rest = rest.trim_start_matches(['{', '(']);
        rest.strip_prefix(name).is_some_and(|after| {
            !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> TargetFacts {
        TargetFacts::for_tests(&[
            "smtpd_tls_security_level",
            "smtp_tls_security_level",
            "syslog_name",
            "tls_eecdh_auto_curves",
        ])
    }

    #[test]
    fn sets_in_place_and_renders() {
        let mut main = MainCf::new();
        main.set("a", "1").set("b", " x y ").set("a", "");
        assert_eq!(main.render().unwrap(), "a = \nb = x y\n");
        assert_eq!(main.get("b"), Some(" x y "));
        let mut other = MainCf::new();
        other.set("b", "z").set("c", "$a");
        assert_eq!(
            main.extend(&other).render().unwrap(),
            "a = \nb = z\nc = $a\n"
        );
        assert!(main.set("bad", "a\nmail_owner = root").render().is_err());
    }

    #[test]
    fn unknown_parameters_name_the_nearest() {
        let error = known("smtpd_tls_securty_level", &facts()).unwrap_err();
        assert_eq!(
            error,
            ConfigError::UnknownParameter {
                name: "smtpd_tls_securty_level".to_owned(),
                nearest: Some("smtpd_tls_security_level".to_owned()),
            }
        );
        assert!(known("c12_destination_concurrency_limit", &facts()).is_ok());
        assert!(known("syslog_name", &facts()).is_ok());
        assert!(
            known("zzz", &facts())
                .unwrap_err()
                .to_string()
                .ends_with("`zzz`")
        );
    }

    #[test]
    fn the_users_own_parameters() {
        let set = [
            ("my_curves", "X448"),
            ("tls_eecdh_auto_curves", "X25519 ${my_curves}"),
        ];
        assert!(all_known(set.into_iter(), &facts()).is_ok());
        let set = [
            ("my_curves", "X448"),
            ("tls_eecdh_auto_curves", "$my_curves2"),
        ];
        assert!(all_known(set.into_iter(), &facts()).is_err());
    }
}
