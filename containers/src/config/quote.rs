//! How Postfix wants a value written, in main.cf and behind `-o` in master.cf.
//!
//! Both files drop blanks around a value (postconf(5): "whitespace around the `=` is ignored"), so a value never
//! has any: [`value`] trims as Postfix would. `$name` stays as it is, and is expanded by whoever reads the value.
//! master.cf's long form `-o {name=value}` (master(5), Postfix ≥ 3.0) ends at the brace that pairs with the first
//! one, and knows no escape.

use super::ConfigError;

/// Checks that `name` can be a parameter's name: a built-in one, or one of the user's own.
///
/// # Errors
/// [`ConfigError::BadName`].
pub fn name(name: &str) -> Result<&str, ConfigError> {
    // Transport names may hold `-` and `.`, and so may the parameters made of them (c-12_time_limit).
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if plain && !name.starts_with('-') {
        Ok(name)
    } else {
        Err(ConfigError::BadName {
            name: name.to_owned(),
        })
    }
}

/// The value as Postfix would read it from main.cf: without blanks at its ends.
///
/// # Errors
/// [`ConfigError::ControlCharacter`] for line breaks and the like; a tab inside a value is fine.
pub fn value<'v>(name: &str, value: &'v str) -> Result<&'v str, ConfigError> {
    let value = value.trim_matches([' ', '\t']);
    match value.chars().find(|c| c.is_control() && *c != '\t') {
        Some(character) => Err(ConfigError::ControlCharacter {
            name: name.to_owned(),
            character,
        }),
        None => Ok(value),
    }
}

/// `{name=value}`, to stand behind `-o` in master.cf.
///
/// # Errors
/// Those of [`name`] and [`value`], and [`ConfigError::UnbalancedBraces`].
pub fn override_argument(parameter: &str, text: &str) -> Result<String, ConfigError> {
    let (parameter, text) = (name(parameter)?, value(parameter, text)?);
    if !braces_pair(text) {
        return Err(ConfigError::UnbalancedBraces {
            name: parameter.to_owned(),
            value: text.to_owned(),
        });
    }
    Ok(format!("{{{parameter}={text}}}"))
}

/// One argument of a command in master.cf, in braces if it would fall apart otherwise.
///
/// # Errors
/// [`ConfigError::BadService`] if it cannot be written at all.
pub fn argument(text: &str) -> Result<String, ConfigError> {
    let bad = |why| {
        Err(ConfigError::BadService {
            what: "argument",
            text: text.to_owned(),
            why,
        })
    };
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return bad("it holds a control character");
    }
    if !text.is_empty()
        && !text.starts_with('{')
        && !text.contains([' ', '\t'])
        && braces_pair(text)
    {
        return Ok(text.to_owned());
    }
    if text.trim() != text {
        return bad("blanks at the ends of an argument are lost");
    }
    if !braces_pair(text) {
        return bad("its braces do not pair");
    }
    Ok(format!("{{{text}}}"))
}

fn braces_pair(text: &str) -> bool {
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' => open += 1,
            b'}' => match open.checked_sub(1) {
                Some(less) => open = less,
                None => return false,
            },
            _ => {}
        }
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides() {
        let ok = |value| override_argument("x_y", value).unwrap();
        assert_eq!(ok("a b,  c"), "{x_y=a b,  c}");
        assert_eq!(ok(""), "{x_y=}");
        assert_eq!(ok(" \t a "), "{x_y=a}");
        assert_eq!(ok("inline:{{a=b c}}"), "{x_y=inline:{{a=b c}}}");
        assert_eq!(ok("${a?{b}:{c}} $$ #"), "{x_y=${a?{b}:{c}} $$ #}");
        assert_eq!(ok("\"q'\\"), "{x_y=\"q'\\}");
        for value in ["{", "}", "}{", "a{b{c}", "{}}"] {
            let error = override_argument("x_y", value).unwrap_err();
            assert!(
                matches!(error, ConfigError::UnbalancedBraces { .. }),
                "{value}"
            );
        }
        assert!(matches!(
            override_argument("x", "a\nb"),
            Err(ConfigError::ControlCharacter {
                character: '\n',
                ..
            })
        ));
        for name in ["", "a b", "a=b", "-o", "ä", "a\n"] {
            assert!(
                matches!(
                    override_argument(name, ""),
                    Err(ConfigError::BadName { .. })
                ),
                "{name:?}"
            );
        }
    }

    #[test]
    fn arguments() {
        assert_eq!(argument("-v").unwrap(), "-v");
        assert_eq!(argument("argv=/bin/cat").unwrap(), "argv=/bin/cat");
        assert_eq!(argument("").unwrap(), "{}");
        assert_eq!(argument("a b").unwrap(), "{a b}");
        assert_eq!(argument("{a}").unwrap(), "{{a}}");
        for bad in [" a", "}", "a\nb"] {
            assert!(argument(bad).is_err(), "{bad:?}");
        }
    }
}
