//! `archiver.env`: variables for the configuration, in the spelling of a shell.
//!
//! The Python archiver's start script lets a shell read this file. Here it is only read: assignments with
//! quotes, escapes and references to variables mean what a shell means by them; everything else (commands,
//! substitutions, arrays) is refused with its line. The variables go into a map, never into the environment
//! of the process, where child processes would see the passwords.

use std::iter::Peekable;

use super::interpolate::Environment;

/// A line that is no assignment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(super) struct EnvFileError {
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

/// Adds the assignments of `text` to `environment`; what is there already is overridden, as a shell does.
pub(super) fn load(text: &str, environment: &mut Environment) -> Result<(), EnvFileError> {
    let mut reader = Reader { letters: text.chars().peekable(), line: 1 };
    while let Some((name, value)) = reader.assignment(environment)? {
        environment.insert(name, value);
    }
    Ok(())
}

struct Reader<I: Iterator<Item = char>> {
    letters: Peekable<I>,
    line: usize,
}

impl<I: Iterator<Item = char>> Reader<I> {
    fn assignment(&mut self, environment: &Environment) -> Result<Option<(String, String)>, EnvFileError> {
        self.blank_lines();
        if self.letters.peek().is_none() {
            return Ok(None);
        }
        let mut name = self.name();
        if name == "export" && self.skip_blanks() {
            name = self.name();
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || self.next() != Some('=') {
            return Err(self.refuse("expected NAME=value"));
        }
        let value = self.word(environment)?;
        self.skip_blanks();
        match self.letters.peek() {
            Some('#') => self.skip_line(),
            None | Some('\n') => {}
            Some(_) => return Err(self.refuse("put a value with blanks or special characters into quotes")),
        }
        Ok(Some((name, value)))
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.letters.next();
        self.line += usize::from(letter == Some('\n'));
        letter
    }

    fn refuse(&self, problem: &'static str) -> EnvFileError {
        EnvFileError { line: self.line, problem }
    }

    fn blank_lines(&mut self) {
        loop {
            match self.letters.peek() {
                Some('#') => self.skip_line(),
                Some(letter) if letter.is_whitespace() => drop(self.next()),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.letters.peek().is_some_and(|letter| *letter != '\n') {
            self.next();
        }
    }

    /// Whether there were any blanks.
    fn skip_blanks(&mut self) -> bool {
        let mut found = false;
        while self.letters.peek().is_some_and(|letter| matches!(letter, ' ' | '\t' | '\r')) {
            self.next();
            found = true;
        }
        found
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(letter) = self.letters.next_if(|letter| letter.is_ascii_alphanumeric() || *letter == '_') {
            name.push(letter);
        }
        name
    }

    /// A value up to the blank, line end or special character that ends it.
    fn word(&mut self, environment: &Environment) -> Result<String, EnvFileError> {
        let mut word = String::new();
        while let Some(&letter) = self.letters.peek() {
            match letter {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => {
                    self.next();
                    self.single_quoted(&mut word)?;
                }
                '"' => {
                    self.next();
                    self.double_quoted(&mut word, environment)?;
                }
                '\\' => {
                    self.next();
                    word.extend(self.next().filter(|letter| *letter != '\n'));
                }
                _ => self.letter_or_reference(&mut word, environment)?,
            }
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut String) -> Result<(), EnvFileError> {
        let start = self.refuse("the quote that opens here is not closed");
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(letter) => word.push(letter),
                None => return Err(start),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut String, environment: &Environment) -> Result<(), EnvFileError> {
        let start = self.refuse("the quote that opens here is not closed");
        loop {
            match self.letters.peek() {
                None => return Err(start),
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(letter @ ('"' | '\\' | '$' | '`')) => word.push(letter),
                        Some('\n') => {}
                        other => word.extend(std::iter::once('\\').chain(other)),
                    }
                }
                Some(_) => self.letter_or_reference(word, environment)?,
            }
        }
    }

    /// A letter that stands for itself, or `$NAME`, `${NAME}`, `${NAME:-default}`.
    fn letter_or_reference(&mut self, word: &mut String, environment: &Environment) -> Result<(), EnvFileError> {
        const NO_COMMANDS: &str = "commands are not run; write the value itself";
        match self.next() {
            Some('`') => return Err(self.refuse(NO_COMMANDS)),
            Some('$') => {}
            other => {
                word.extend(other);
                return Ok(());
            }
        }
        match self.letters.peek() {
            Some('(') => Err(self.refuse(NO_COMMANDS)),
            Some('{') => {
                self.next();
                let name = self.name();
                let mut default = String::new();
                while let Some(letter) = self.next() {
                    if letter == '}' {
                        let default = match default.strip_prefix(":-") {
                            Some(text) if !text.contains(['$', '"', '\'', '\\', '`']) => text,
                            None if default.is_empty() && !name.is_empty() => "",
                            _ => break,
                        };
                        word.push_str(
                            environment.get(&name).map(String::as_str).filter(|v| !v.is_empty()).unwrap_or(default),
                        );
                        return Ok(());
                    }
                    default.push(letter);
                }
                Err(self.refuse("of references, `$NAME`, `${NAME}` and `${NAME:-plain text}` are understood"))
            }
            _ => {
                let name = self.name();
                if name.is_empty() {
                    word.push('$');
                }
                // A shell takes a variable that is not set for an empty one.
                word.push_str(environment.get(&name).map_or("", String::as_str));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_mean_what_a_shell_means() {
        for (text, expect) in [
            ("A=b", Ok("b")),
            ("# comment\n\n  export A=b # comment\nB=2", Ok("b")),
            ("A=", Ok("")),
            ("A=x#y", Ok("x#y")),
            ("A='$HOME_DIR \"x\" \\n'", Ok("$HOME_DIR \"x\" \\n")),
            ("A=\"$HOME_DIR/x \\\"q\\\" \\$y \\z\"", Ok("/home/daq/x \"q\" $y \\z")),
            ("A=${HOME_DIR}'/'\"b c\"", Ok("/home/daq/b c")),
            ("A=${NOT_SET:-d e}/$NOT_SET.", Ok("d e/.")),
            ("B=1\nA=$B$B", Ok("11")),
            ("A=old\nA=new\r\n", Ok("new")),
            ("A=\"two\nlines\"", Ok("two\nlines")),
            ("A=a\\ b\\\nc", Ok("a bc")),
            ("A=5$", Ok("5$")),
            ("A=é", Ok("é")),
            ("A=b c", Err((1, "put a value with blanks or special characters into quotes"))),
            ("A=(1 2)", Err((1, "put a value with blanks or special characters into quotes"))),
            ("\nA=$(whoami)", Err((2, "commands are not run; write the value itself"))),
            ("A=`whoami`", Err((1, "commands are not run; write the value itself"))),
            ("A=b\necho x", Err((2, "expected NAME=value"))),
            ("A =b", Err((1, "expected NAME=value"))),
            ("1A=b", Err((1, "expected NAME=value"))),
            ("A=b\n\nB='x\ny", Err((3, "the quote that opens here is not closed"))),
            ("A=${B/x/y}", Err((1, "of references, `$NAME`, `${NAME}` and `${NAME:-plain text}` are understood"))),
        ] {
            let mut environment = Environment::from([("HOME_DIR".to_owned(), "/home/daq".to_owned())]);
            let seen = load(text, &mut environment).map(|()| environment.get("A").map_or("not set", String::as_str));
            let expect = expect.map_err(|(line, problem)| EnvFileError { line, problem });
            assert_eq!(seen, expect, "{text:?}");
        }
    }
}
