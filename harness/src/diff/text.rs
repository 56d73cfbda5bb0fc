//! Words that differ between two texts of the same witness.

use similar::{DiffOp, TextDiff};

/// Lines of which less than this part is the same are not one line that has changed.
const SIMILAR: f32 = 0.5;

/// Words that were put in the place of others, or lines that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The words before; empty for a line that is new.
    pub old: String,
    /// The words now; empty for a line that is gone.
    pub new: String,
    /// The lines they are in, behind `-` and `+`.
    pub lines: Vec<String>,
}

/// What differs, in the order of the text.
pub fn changes(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (old.trim_end(), new.trim_end());
    if old == new {
        return Vec::new();
    }
    let before: Vec<&str> = old.lines().collect();
    let after: Vec<&str> = new.lines().collect();
    let diff = TextDiff::from_slices(&before, &after);
    let mut found = Vec::new();
    for op in diff.ops() {
        let (removed, added) = match *op {
            DiffOp::Equal { .. } => continue,
            _ => (&before[op.old_range()], &after[op.new_range()]),
        };
        let pairs = removed.len().min(added.len());
        for (one, other) in removed.iter().zip(added) {
            found.extend(words(one, other));
        }
        found.extend(removed[pairs..].iter().map(|line| gone(line)));
        found.extend(added[pairs..].iter().map(|line| come(line)));
    }
    found
}

/// The words that differ between two lines.
fn words(old: &str, new: &str) -> Vec<Change> {
    let diff = TextDiff::from_words(old, new);
    if diff.ratio() < SIMILAR {
        return vec![gone(old), come(new)];
    }
    let lines = vec![format!("- {old}"), format!("+ {new}")];
    let mut found: Vec<Change> = Vec::new();
    let mut after_equal = true;
    for change in diff.iter_all_changes() {
        let word = change.value();
        if change.tag() == similar::ChangeTag::Equal {
            // A blank between two changed words keeps them together.
            match found
                .last_mut()
                .filter(|_| !after_equal && word.trim().is_empty())
            {
                Some(last) => {
                    last.old.push_str(word);
                    last.new.push_str(word);
                }
                None => after_equal = true,
            }
            continue;
        }
        if after_equal {
            found.push(Change {
                old: String::new(),
                new: String::new(),
                lines: lines.clone(),
            });
            after_equal = false;
        }
        if let Some(last) = found.last_mut() {
            match change.tag() {
                similar::ChangeTag::Delete => last.old.push_str(word),
                _ => last.new.push_str(word),
            }
        }
    }
    for change in &mut found {
        change.old = change.old.trim().to_owned();
        change.new = change.new.trim().to_owned();
    }
    found.retain(|change| change.old != change.new);
    found
}

fn gone(line: &str) -> Change {
    Change {
        old: template(line),
        new: String::new(),
        lines: vec![format!("- {line}")],
    }
}

fn come(line: &str) -> Change {
    Change {
        old: String::new(),
        new: template(line),
        lines: vec![format!("+ {line}")],
    }
}

/// A line without what is another in each case: names, numbers, ciphers.
fn template(line: &str) -> String {
    let varies = |word: &str| {
        word.chars()
            .any(|c| c.is_ascii_digit() || "<>\"'@=/[]".contains(c))
            || word.chars().filter(char::is_ascii_uppercase).count() > 3
    };
    let mut words: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        match varies(word) {
            true if words.last() == Some(&"…") => {}
            true => words.push("…"),
            false => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(old: &str, new: &str) -> Vec<(String, String)> {
        changes(old, new)
            .into_iter()
            .map(|change| (change.old, change.new))
            .collect()
    }

    fn pair(old: &str, new: &str) -> (String, String) {
        (old.to_owned(), new.to_owned())
    }

    #[test]
    fn words_in_a_line() {
        let line = "smtpd: Anonymous TLS connection established from unknown: TLSv1.3 with cipher A key-exchange";
        let found = of(
            &format!("x\n{line} X25519 more\n"),
            &format!("x\n{line} x25519 more\n"),
        );
        assert_eq!(found, [pair("X25519", "x25519")]);
        let found = of("a b c d e f", "a c d e f g");
        assert_eq!(found, [pair("b", ""), pair("", "g")]);
    }

    #[test]
    fn lines_that_come_and_go_fold_by_what_stays() {
        let one = of(
            "a",
            "a\nwarning: cipher ECDHE-RSA-AES128 of <address> is odd",
        );
        let other = of("a", "a\nwarning: cipher DHE-RSA-AES256 of <address> is odd");
        assert_eq!(one, other);
        assert_eq!(one, [pair("", "warning: cipher … of … is odd")]);
        assert!(of("a\nb", "a\nb\n").is_empty());
    }
}
