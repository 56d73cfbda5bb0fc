//! The pieces of a `Received:` header (RFC 5322 section 3.6.7).

/// One comment as one line: a line break before white space goes (RFC 5322 section 2.2.3), and outside quotes, which hold names
/// of a certificate, white space becomes one blank. Whoever folded the header anew may have put it anywhere.
pub(super) fn unfold(text: &str) -> String {
    let mut unfolded = String::with_capacity(text.len());
    let mut quoted = false;
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let broken = matches!(c, '\r' | '\n');
        if broken || c.is_ascii_whitespace() && !quoted {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            unfolded.push(' ');
            continue;
        }
        quoted ^= c == '"';
        unfolded.push(c);
        rest = &rest[c.len_utf8()..];
    }
    unfolded
}

/// A piece of a header.
pub(super) enum Token<'a> {
    Comment(&'a str),
    Date(&'a str),
    Word(&'a str),
}

/// Words, comments with balanced parentheses, and the date after the semicolon.
///
/// Each byte is looked at a fixed number of times, whatever the text.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// Bytes of `rest`, from its end, in which no `>;` stands any more.
    without_end: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            without_end: 0,
        }
    }

    /// Length of a recipient in angle brackets at the start of `rest`: its local part may be quoted and hold anything.
    fn recipient(&mut self, rest: &str) -> Option<usize> {
        if !rest.starts_with('<') || rest.len() <= self.without_end {
            return None;
        }
        let Some(length) = rest.find(">;") else {
            self.without_end = rest.len();
            return None;
        };
        Some(length + 1)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.rest.trim_start();
        if let Some(date) = rest.strip_prefix(';') {
            self.rest = "";
            return Some(Token::Date(date.trim()));
        }
        if let Some(inner) = rest.strip_prefix('(') {
            let length = comment_length(inner);
            let (comment, after) = inner.split_at(length);
            self.rest = after.strip_prefix(')').unwrap_or(after);
            return Some(Token::Comment(comment));
        }
        let end = match self.recipient(rest) {
            Some(length) => length,
            None => rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ';'))
                .unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end);
        self.rest = after;
        (!word.is_empty()).then_some(Token::Word(word))
    }
}

/// Bytes up to the parenthesis that closes a comment, or to the end.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_u32;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return index,
            b')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::unfold;

    #[test]
    fn white_space_in_quotes_stays() {
        assert_eq!(unfold("a\r\n\t b \t c "), "a b c");
        assert_eq!(
            unfold("Client  CN \"two  blanks\",\n Issuer \"b\r\n c\""),
            "Client CN \"two  blanks\", Issuer \"b c\""
        );
    }
}
