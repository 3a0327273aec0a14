//! The genuine comment scanner, with its peculiarities.
//!
//! It runs over the raw text, apart from the value parser, and knows double-quoted strings only: not
//! single quotes, not escapes, and not the empty string, after which it takes the next `#` or `//`
//! for a comment even inside a string. That harms no value, but it decides what is stored as
//! `comments`, `comment` and `annotation`; so it is imitated.

use super::Comment;

/// Every comment of `text`, at most one a line, in order.
pub(super) fn scan(text: &str) -> Vec<Comment> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), position: 0, line: 1, counted_to: 0 };
    let mut comments = Vec::new();
    loop {
        scanner.skip_values();
        let Some(comment) = scanner.comment() else { break };
        comments.push(comment);
        if !scanner.end_of_line() {
            break;
        }
    }
    comments
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    position: usize,
    /// The line of the byte at `counted_to`.
    line: u64,
    counted_to: usize,
}

impl Scanner<'_> {
    fn at_comment(&self, position: usize) -> bool {
        match self.bytes.get(position) {
            Some(b'#') => true,
            Some(b'/') => self.bytes.get(position + 1) == Some(&b'/'),
            _ => false,
        }
    }

    /// Passes over double-quoted strings and what stands between them, then over anything, to a comment.
    fn skip_values(&mut self) {
        loop {
            while self.position < self.bytes.len()
                && self.bytes[self.position] != b'"'
                && !self.at_comment(self.position)
            {
                self.position += 1;
            }
            match self.closing_quote() {
                Some(closing) => self.position = closing + 1,
                None => break,
            }
        }
        while self.position < self.bytes.len() && !self.at_comment(self.position) {
            self.position += 1;
        }
    }

    /// The end of the string that starts here; an empty or unclosed one does not count.
    fn closing_quote(&self) -> Option<usize> {
        if self.bytes.get(self.position) != Some(&b'"') {
            return None;
        }
        let inside = self.position + 1;
        let length = self.bytes[inside..].iter().position(|&byte| byte == b'"')?;
        (length > 0).then_some(inside + length)
    }

    /// The comment that starts here.
    fn comment(&mut self) -> Option<Comment> {
        if self.position >= self.bytes.len() {
            return None;
        }
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(rest.len());
        let line = self.line_here();
        let text = self.text[self.position..self.position + length].to_owned();
        self.position += length;
        Some(Comment { line, text })
    }

    /// The line of the current position; `\r\n` and `\n\r` end one line, a lone `\r` ends one too.
    fn line_here(&mut self) -> u64 {
        for position in self.counted_to..self.position {
            let before = position.checked_sub(1).map(|before| self.bytes[before]);
            let ends = match self.bytes[position] {
                b'\n' => before != Some(b'\r'),
                b'\r' => before != Some(b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
        }
        self.counted_to = self.position;
        self.line
    }

    fn end_of_line(&mut self) -> bool {
        let rest = &self.bytes[self.position..];
        let length = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
        self.position += length;
        length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(u64, &str)]) {
        let comments = scan(text);
        let found: Vec<_> = comments.iter().map(|comment| (comment.line, comment.text.as_str())).collect();
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn one_comment_a_line() {
        check("", &[]);
        check("a: 1\n", &[]);
        check("a: 1 # x // y\nb: 2 // z\n", &[(1, "# x // y"), (2, "// z")]);
        check("# no newline", &[(1, "# no newline")]);
        check("\n\n#three\n", &[(3, "#three")]);
        check("a: 1 # c \r\n# d\r\n", &[(1, "# c "), (2, "# d")]);
        check("a\r# two\r# three", &[(2, "# two"), (3, "# three")]);
    }

    #[test]
    fn strings_hide_comments_unless_the_scanner_is_confused() {
        check("a: \"# no\" # yes \"# part\"\nb: \"# no\"\n", &[(1, "# yes \"# part\"")]);
        check("a: \"x\n# inside\ny\"\n", &[]);
        // An empty string lets the scanner take the next # for a comment, once.
        check("a: \"\"\nb: \"x # y\"\nc: \"# z\"\n", &[(2, "# y\"")]);
        check("a: \"\" # c\nb: \"# z\"\n", &[(1, "# c")]);
        // Escaped and single quotes are not understood.
        check(r#"a: "x \"y # z\"""#, &[(1, "# z\\\"\"")]);
        check("a: '# in'\n", &[(1, "# in'")]);
        check("a: \"open # x\n", &[(1, "# x")]);
    }
}
