//! Text of unknown origin in Markdown (GitHub Flavored Markdown, which GitLab and Gitea read too).

use std::fmt::Write as _;

use super::{line, printable};

/// Most octets of what is pasted: a comment on a pull request takes 65,536 characters.
pub const LIMIT: usize = 60 * 1024;

/// Text on one line that is shown as it is.
pub fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for c in line(text).chars() {
        if "\\`*_{}[]<>#|~@&$".contains(c) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

/// Text on one line between backticks.
pub fn code(text: &str) -> String {
    line(text).replace('`', "'")
}

/// Text on one line within HTML.
pub fn html(text: &str) -> String {
    let escape = |c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        // Markdown reads what stands between tags.
        '`' | '*' | '_' | '[' | ']' | '@' | '\\' | '$' | '~' => format!("&#{};", u32::from(c)),
        other => other.to_string(),
    };
    line(text).chars().map(escape).collect()
}

/// Lines between fences that nothing in them can close.
pub fn fenced(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    let mut shown = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        shown,
        "{fence}text\n{}\n{fence}",
        printable(text.trim_end())
    );
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escaped("<b>@all & $1$\n"),
            "\\<b\\>\\@all \\& \\$1\\$\\\\x0a"
        );
        assert_eq!(code("a`b"), "a'b");
        assert_eq!(html("<x> `y`"), "&lt;x&gt; &#96;y&#96;");
        assert_eq!(
            fenced("a\n```\n</details>\n"),
            "````text\na\n```\n</details>\n````\n"
        );
    }
}
