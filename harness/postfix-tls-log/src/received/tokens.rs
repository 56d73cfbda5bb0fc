//! The pieces of a `Received:` header (RFC 5322 section 3.6.7).

/// Joins the lines of a folded comment.
pub(super) fn unfold(text: &str) -> String {
    let mut unfolded = String::with_capacity(text.len());
    for line in text.lines() {
        let line = if unfolded.is_empty() {
            line
        } else {
            line.trim_start()
        };
        if !unfolded.is_empty() {
            unfolded.push(' ');
        }
        unfolded.push_str(line);
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
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
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
        // A recipient in angle brackets may hold a quoted local part with anything in it.
        let end = match rest.strip_prefix('<').and_then(|inner| inner.find(">;")) {
            Some(length) => length + "<>".len(),
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
