//! Text of a dotenv file to variables: `NAME=value`, a line each, with the place of each value.
//!
//! ```text
//! # a comment
//! export MY_APP__SERVER__HOST=localhost   # `export` is allowed, and so is a comment behind blanks
//! MY_APP__GREETING='literal, $HOME and \n too,
//! over as many lines as it takes'
//! MY_APP__MOTTO="escapes: \n \t \" \\ \$, and $HOME stays as it is"
//! ```
//!
//! Nothing is expanded, neither `$NAME` nor a command. Pure.

use std::ops::Range;

/// A variable that the file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Bytes of the file's text, the quotes among them.
    pub(crate) span: Range<usize>,
    /// Line and column of the value, both from 1; the column counts characters.
    pub(crate) point: (usize, usize),
}

/// What is wrong with the file, without the line's text: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: &'static str,
    pub(crate) span: Range<usize>,
}

/// Parses a dotenv file. Of a variable that is set twice, both are given, in their order.
pub(crate) fn parse(text: &str) -> Result<Vec<Line>, Fault> {
    let mut reader = Reader { text, at: 0, line: 1, line_start: 0 };
    reader.skip("\u{feff}");
    reader.line_start = reader.at;
    let mut lines = Vec::new();
    while reader.find_next_line() {
        lines.push(reader.assignment()?);
    }
    Ok(lines)
}

/// A place in the text, and which line that is on.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes the next character. One that ends a line counts it.
    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        if next == '\n' {
            self.line += 1;
            self.line_start = self.at;
        }
        Some(next)
    }

    /// Takes what is there, if it is this.
    fn skip(&mut self, wanted: &str) -> bool {
        let is_there = self.rest().starts_with(wanted);
        if is_there {
            self.at += wanted.len();
        }
        is_there
    }

    /// Takes characters of one line.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|next: char| next == '\n' || !wanted(next)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// Goes to what the next line sets. Says whether there is one.
    fn find_next_line(&mut self) -> bool {
        loop {
            self.blanks();
            match self.peek() {
                Some('#') => drop(self.take_while(|_| true)),
                Some('\n') => drop(self.take()),
                Some(_) => return true,
                None => return false,
            }
        }
    }

    fn fault<T>(&self, message: &'static str, span: Range<usize>) -> Result<T, Fault> {
        Err(Fault { message, span })
    }

    /// An error at the next character.
    fn fault_here<T>(&self, message: &'static str) -> Result<T, Fault> {
        let length = self.peek().filter(|next| *next != '\n').map_or(0, char::len_utf8);
        self.fault(message, self.at..self.at + length)
    }

    /// `NAME=value`, to the end of the line that the value ends on.
    fn assignment(&mut self) -> Result<Line, Fault> {
        let name = self.name()?;
        self.blanks();
        if !self.skip("=") {
            return self.fault_here("expected `=` after the name of a variable");
        }
        let after_sign = self.at;
        self.blanks();
        let point = (self.line, self.text[self.line_start..self.at].chars().count() + 1);
        let start = self.at;
        let text = match self.peek() {
            Some('\'') => self.literal()?,
            Some('"') => self.escaped()?,
            _ => self.bare(after_sign).to_owned(),
        };
        let span = start..self.at;
        self.end_of_line()?;
        Ok(Line { name, text, span, point })
    }

    fn name(&mut self) -> Result<String, Fault> {
        let mut start = self.at;
        let mut name = self.take_while(is_name);
        if name == "export" && self.peek().is_some_and(is_blank) {
            self.blanks();
            start = self.at;
            name = self.take_while(is_name);
        }
        let message = "expected the name of a variable: letters, digits and `_`";
        match name.chars().next() {
            Some(first) if first.is_ascii_digit() => self.fault(message, start..start + 1),
            Some(_) => Ok(name.to_owned()),
            None => self.fault_here(message),
        }
    }

    /// Between single quotes everything means itself.
    fn literal(&mut self) -> Result<String, Fault> {
        let opening = self.at..self.at + 1;
        self.take();
        let start = self.at;
        while let Some(next) = self.take() {
            if next == '\'' {
                return Ok(self.text[start..self.at - 1].to_owned());
            }
        }
        self.fault("this quote is never closed", opening)
    }

    /// Between double quotes a backslash begins an escape.
    fn escaped(&mut self) -> Result<String, Fault> {
        let opening = self.at..self.at + 1;
        self.take();
        let mut text = String::new();
        loop {
            let start = self.at;
            match self.take() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(start)?),
                Some(next) => text.push(next),
                None => return self.fault("this quote is never closed", opening),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<char, Fault> {
        let meant = match self.peek() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some(same @ ('"' | '\\' | '$')) => same,
            _ => {
                let message = r#"unknown escape, expected one of \n \t \" \\ \$"#;
                return self.fault(message, start..start + 1);
            }
        };
        self.take();
        Ok(meant)
    }

    /// A value without quotes: up to a comment behind a blank, or the end of the line, without blanks there.
    fn bare(&mut self, after_sign: usize) -> &'a str {
        let start = self.at;
        let line = self.take_while(|_| true);
        let mut before = if start > after_sign { Some(' ') } else { None };
        let comment = line.char_indices().find(|(_, next)| {
            let follows_blank = before.replace(*next).is_some_and(is_blank);
            follows_blank && *next == '#'
        });
        let value = line[..comment.map_or(line.len(), |(at, _)| at)].trim_end_matches(is_blank);
        self.at = start + value.len();
        value
    }

    fn end_of_line(&mut self) -> Result<(), Fault> {
        self.blanks();
        match self.peek() {
            None | Some('\n') => Ok(()),
            Some('#') => {
                self.take_while(|_| true);
                Ok(())
            }
            Some(_) => self.fault_here("expected the end of the line after the closing quote"),
        }
    }
}

/// The carriage return of a line that ends as on Windows is one.
fn is_blank(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\r')
}

fn is_name(next: char) -> bool {
    next.is_ascii_alphanumeric() || matches!(next, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let lines = parse(text).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"));
        lines.into_iter().map(|line| (line.name, line.text)).collect()
    }

    fn value(text: &str) -> String {
        let pairs = pairs(text);
        assert_eq!((pairs.len(), pairs[0].0.as_str()), (1, "A"), "{text:?}");
        pairs[0].1.clone()
    }

    #[test]
    fn values_mean_what_their_quotes_say() {
        let cases = [
            ("A=b", "b"),
            ("A=", ""),
            ("A= \n", ""),
            ("  A = b c \t\n", "b c"),
            ("export A=b", "b"),
            ("export\tA=b", "b"),
            ("A=b # a comment", "b"),
            ("A=b#c", "b#c"),
            ("A=#b", "#b"),
            ("A= # a comment", ""),
            ("A=it's \"so\"", "it's \"so\""),
            ("A=c:\\new", "c:\\new"),
            ("A=$HOME", "$HOME"),
            ("A=b=c", "b=c"),
            ("A=b\r\n", "b"),
            ("\u{feff}A=b", "b"),
            ("A=''", ""),
            ("A='b # \\n $c \" ' # a comment", "b # \\n $c \" "),
            ("A='b\nc'", "b\nc"),
            ("A=\"\"", ""),
            (r#"A="b\n\t\"\\\$HOME $HOME '#'" # a comment"#, "b\n\t\"\\$HOME $HOME '#'"),
            ("A=\"b\n\nc\"\r\n", "b\n\nc"),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_follow_each_other() {
        let text = "# one\n\nA=1\n  # two\nB='2\n'\nA=3 # three\nexport=4\n \n";
        let of = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(pairs(text), [of("A", "1"), of("B", "2\n"), of("A", "3"), of("export", "4")]);
        assert!(pairs("").is_empty() && pairs("\n \t\r\n#").is_empty());
    }

    #[test]
    fn each_value_knows_its_place() {
        let text = "A=1\nB='é\n'\nÄ=".replace('Ä', "C") + " \"x\" # y";
        let places = parse(&text).unwrap().into_iter().map(|line| (text[line.span].to_owned(), line.point));
        let expected = [("1", (1, 3)), ("'é\n'", (2, 3)), ("\"x\"", (4, 4))];
        assert!(places.eq(expected.map(|(text, point)| (text.to_owned(), point))));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let cases = [
            ("A=1\nB\n", "expected `=` after the name of a variable", 5..5),
            ("A b", "expected `=` after the name of a variable", 2..3),
            ("export A", "expected `=` after the name of a variable", 8..8),
            ("=b", "expected the name of a variable: letters, digits and `_`", 0..1),
            ("é=b", "expected the name of a variable: letters, digits and `_`", 0..2),
            ("1A=b", "expected the name of a variable: letters, digits and `_`", 0..1),
            ("A='b\nC=1", "this quote is never closed", 2..3),
            ("A=\"b", "this quote is never closed", 2..3),
            ("A=\"\\x\"", r#"unknown escape, expected one of \n \t \" \\ \$"#, 3..4),
            ("A=\"\\", r#"unknown escape, expected one of \n \t \" \\ \$"#, 3..4),
            ("A='b'c", "expected the end of the line after the closing quote", 5..6),
        ];
        for (text, message, span) in cases {
            assert_eq!(parse(text), Err(Fault { message, span }), "{text:?}");
        }
    }
}
