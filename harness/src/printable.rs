//! Text of unknown origin, made safe to show: what comes from scenarios, names of files, logs, messages and peers goes
//! through here before a terminal, a shell line or a line of JSON has it.
//!
//! The macros [`say!`](crate::say), [`tell!`](crate::tell) and [`note!`](crate::note) are how this program prints: to standard
//! output, and errors and other news to standard error, safe, and without a panic where nobody reads on. [`Text`] is for output with colours.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that prints what has been made safe"
)]

pub mod markdown;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// `text` with everything visible that a terminal would obey, and every character that rearranges or hides text: C0 and
/// C1 control characters, DEL, bidirectional and invisible ones (Unicode TR36, section 2.5), and the two that XML does not
/// take (XML 1.0, 2.2). Newlines and tabs stay.
pub fn printable(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, c| {
        if c == '\n' || c == '\t' {
            shown.push(c);
        } else {
            push(&mut shown, c);
        }
        shown
    })
}

/// As [`printable`], for what must stay one line: newlines and tabs are made visible, too.
pub fn line(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, c| {
        push(&mut shown, c);
        shown
    })
}

/// One word of a POSIX shell's command line. What a terminal would obey is written as `$'…'` (POSIX.1-2024, 2.2.4), so
/// that the line can be shown and still means the same.
pub fn shell_word(word: &str) -> String {
    if word.chars().any(is_unsafe) || word.contains('\0') {
        let mut quoted = String::from("$'");
        for c in word.chars() {
            match c {
                '\\' | '\'' => quoted.extend(['\\', c]),
                _ if is_unsafe(c) => {
                    let mut octets = [0; 4];
                    for octet in c.encode_utf8(&mut octets).bytes() {
                        let _ = write!(quoted, "\\{octet:03o}");
                    }
                }
                _ => quoted.push(c),
            }
        }
        quoted.push('\'');
        return quoted;
    }
    shlex::try_quote(word).map_or_else(|_| line(word), Into::into)
}

/// A JSON value on one line, in which no character needs care: JSON has an escape for each (RFC 8259, section 7).
pub fn json(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let mut shown = String::with_capacity(text.len());
    // Outside of strings there are none.
    for c in text.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

fn push(shown: &mut String, c: char) {
    if !is_unsafe(c) {
        shown.push(c);
        return;
    }
    let code = u32::from(c);
    // Writing to a string does not fail.
    let _ = match u8::try_from(code) {
        Ok(octet) => write!(shown, "\\x{octet:02x}"),
        Err(_) => write!(shown, "\\u{{{code:x}}}"),
    };
}

fn is_unsafe(c: char) -> bool {
    let moves_or_hides = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
    );
    moves_or_hides || c.is_control()
}

/// Text for a terminal: what is written into it is made safe, colours are what is painted.
#[derive(Debug, Clone, Default)]
pub struct Text {
    shown: String,
    in_color: bool,
}

impl Text {
    /// An empty one for standard output, in colours where that is a terminal and `NO_COLOR` is not set.
    pub fn for_stdout() -> Self {
        Self::in_color_if(io::stdout().is_terminal())
    }

    /// As [`Text::for_stdout`], for standard error.
    pub fn for_stderr() -> Self {
        Self::in_color_if(io::stderr().is_terminal())
    }

    fn in_color_if(terminal: bool) -> Self {
        Self {
            shown: String::new(),
            in_color: terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Adds what stays on its line, in the colours of `code` (ECMA-48, SGR).
    pub fn paint(&mut self, code: &str, text: &str) {
        let text = line(text);
        // Writing to a string does not fail.
        let _ = if self.in_color {
            write!(self.shown, "\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            self.shown.write_str(&text)
        };
    }

    /// Adds text of unknown origin, line by line behind a margin.
    pub fn indented(&mut self, margin: &str, text: &str) {
        for one in text.trim_end().lines() {
            let _ = writeln!(self, "{margin}{one}");
        }
    }

    /// Adds what is safe already.
    pub fn append(&mut self, other: &Text) {
        self.shown.push_str(&other.shown);
    }

    /// Nothing in it?
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// As it is to be printed.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// Prints it on standard output.
    pub fn say(&self) {
        print(&STDOUT, &mut io::stdout().lock(), &self.shown);
    }

    /// Prints it on standard error.
    pub fn tell(&self) {
        print(&STDERR, &mut io::stderr().lock(), &self.shown);
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.shown.push_str(&printable(text));
        Ok(())
    }
}

/// What became of an output: the first error that writing to it met.
type Output = Mutex<Option<io::Error>>;
static STDOUT: Output = Mutex::new(None);
static STDERR: Output = Mutex::new(None);

/// After an error nothing more is written: the reader has gone, and what is left must not appear in pieces.
fn print(output: &Output, to: &mut dyn io::Write, text: &str) {
    let mut failed = output.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = to
            .write_all(text.as_bytes())
            .and_then(|()| to.flush())
            .err();
    }
}

/// Prints to standard output; see [`say!`](crate::say).
pub fn to_stdout(text: fmt::Arguments<'_>) {
    print(
        &STDOUT,
        &mut io::stdout().lock(),
        &printable(&text.to_string()),
    );
}

/// Prints to standard error; see [`tell!`](crate::tell).
pub fn to_stderr(text: fmt::Arguments<'_>) {
    print(
        &STDERR,
        &mut io::stderr().lock(),
        &printable(&text.to_string()),
    );
}

/// Prints a line to standard output, made safe. Where nobody reads on, it is dropped.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::printable::to_stdout(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints a line to standard error, made safe. Where nobody reads on, it is dropped.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => { $crate::printable::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}

/// As [`tell!`], for what is no error: nothing after [`be_quiet`].
#[macro_export]
macro_rules! note {
    ($($text:tt)*) => {
        if !$crate::printable::is_quiet() {
            $crate::tell!($($text)*);
        }
    };
}

static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on standard error has errors and nothing else.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Is nothing told but errors?
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints JSON on a line of standard output.
pub fn say_json(value: &serde_json::Value) {
    print(
        &STDOUT,
        &mut io::stdout().lock(),
        &format!("{}\n", json(value)),
    );
}

/// Standard output for a writer that makes its text safe itself, as JSON is. Where nobody reads on, it is dropped.
#[derive(Debug, Clone, Copy)]
pub struct Stdout;

impl io::Write for Stdout {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(octets).map_err(io::Error::other)?;
        print(&STDOUT, &mut io::stdout().lock(), text);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Are messages read on a terminal?
pub fn told_on_a_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Does anybody still read standard output? Commands that only print may end when nobody does.
pub fn is_read() -> bool {
    STDOUT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_none()
}

/// What writing to standard output met, if it is not that its reader has gone (`pfs list | head -1`): a full disk.
pub fn lost_output() -> Option<String> {
    let failed = STDOUT.lock().unwrap_or_else(PoisonError::into_inner);
    failed
        .as_ref()
        .filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
        .map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(printable("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(
            printable("\x1b[31mred\r\x07\x7f\u{9b}"),
            "\\x1b[31mred\\x0d\\x07\\x7f\\x9b"
        );
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(printable("Grüße"), "Grüße");
        assert_eq!(line("one\ntwo\tthree"), "one\\x0atwo\\x09three");
        assert_eq!(
            printable(&String::from_utf8_lossy(b"\x9b31m\xff")),
            "\u{fffd}31m\u{fffd}"
        );
    }

    #[test]
    fn colours_are_ours_alone() {
        let mut text = Text {
            shown: String::new(),
            in_color: true,
        };
        text.paint("31", "FAIL\u{1b}[0m\n");
        let _ = write!(text, " a\u{1b}]0;title\u{7}");
        assert_eq!(
            text.as_str(),
            "\u{1b}[31mFAIL\\x1b[0m\\x0a\u{1b}[0m a\\x1b]0;title\\x07"
        );
        let mut plain = Text::default();
        plain.paint("31", "FAIL");
        plain.indented("  ", "one\ntwo\u{9b}\n");
        assert_eq!(plain.as_str(), "FAIL  one\n  two\\x9b\n");
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        for word in [
            "eecdh/grade[ultra]",
            "'; touch /tmp/owned; '",
            "$(id) `id` \\ \" ! ~ #",
            "",
            "-rf",
            "two\nlines\tand\u{1b}[31m",
            "\u{202e}gnirts",
            "it's",
        ] {
            let quoted = shell_word(word);
            assert!(!quoted.chars().any(is_unsafe), "{quoted}");
            // POSIX.1-2024 is young: dash has no $'…' yet.
            let said = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {quoted}")])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), word, "{quoted}");
        }
        assert_eq!(shell_word("eecdh/grade[ultra]"), "'eecdh/grade[ultra]'");
        assert_eq!(shell_word("scenarios"), "scenarios");
    }

    #[test]
    fn json_stays_json() {
        let value = serde_json::json!({ "id": "a\u{1b}[31m\u{9b}\u{202e}\u{e0001}\"\\\n" });
        let shown = json(&value);
        assert!(!shown.chars().any(is_unsafe), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn who_reads_no_more_is_left_alone() {
        struct Gone(usize);
        impl io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (output, mut gone) = (Output::default(), Gone(0));
        print(&output, &mut gone, "one\n");
        print(&output, &mut gone, "two\n");
        assert_eq!(gone.0, 1);
    }
}
