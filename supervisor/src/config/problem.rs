//! What is wrong with a configuration, and how that is shown: the sentence, the place, the line, the carets. Pure.

use std::fmt::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Problems of one file that are shown; of more, only the number is.
const SHOWN_MAX: usize = 50;
/// A longer line is not shown, only its place.
const LINE_CHARS_MAX: usize = 200;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the key, such as `pools.images.workers`; empty for the file as such.
    pub key: String,
    /// What is wrong and what to do.
    pub sentence: String,
    /// The bytes of the file that are meant.
    pub span: Option<Range<usize>>,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, sentence: impl Into<String>) -> Problem {
        Problem { key: key.into(), sentence: sentence.into(), span: None }
    }

    pub(super) fn at(self, span: Option<Range<usize>>) -> Problem {
        Problem { span, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { key, sentence, .. } = self;
        if key.is_empty() { f.write_str(sentence) } else { write!(f, "{key}: {sentence}") }
    }
}

/// Several in one line.
pub fn in_words(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

/// Problems of one file, in its order, with what it takes to show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// As it was named; where the places are.
    file: PathBuf,
    text: String,
    problems: Vec<Problem>,
}

impl Report {
    pub(super) fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> Report {
        problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
        Report { file: file.to_owned(), text: text.to_owned(), problems }
    }

    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// One paragraph for each problem, as compilers do it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.problems.iter().take(SHOWN_MAX);
        let mut paragraphs: Vec<String> = shown.map(|problem| paragraph(&self.file, &self.text, problem)).collect();
        if let Some(more @ 1..) = self.problems.len().checked_sub(SHOWN_MAX) {
            paragraphs.push(format!("... and {more} more; mend these first"));
        }
        f.write_str(&paragraphs.join("\n\n"))
    }
}

fn paragraph(file: &Path, text: &str, problem: &Problem) -> String {
    let mut said = problem.to_string();
    let Some(span) = &problem.span else { return said };
    let place = Place::of(text, span);
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    // Writing to a string cannot fail, here and below.
    let _ = write!(said, "\n{margin}--> {}:{number}:{}", file.display(), place.column);
    if place.source.chars().count() <= LINE_CHARS_MAX {
        let indent = " ".repeat(place.column - 1);
        let carets = "^".repeat(place.width);
        let _ = write!(said, "\n{margin} |\n{number} | {}\n{margin} | {indent}{carets}", place.source);
    }
    said
}

/// Where a span begins, and how much of that line it is. Lines and columns begin at 1; columns and width are characters.
struct Place {
    line: usize,
    column: usize,
    width: usize,
    /// The whole line, each character as one that takes a column.
    source: String,
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Place {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.floor_char_boundary(span.end.clamp(start, text.len()));
        let (before, rest) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = start + rest.find('\n').unwrap_or(rest.len());
        let source = text[line_start..line_end].trim_end_matches('\r');
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        Place {
            line: before.matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end.min(line_end)].trim_end().chars().count().max(1),
            source: source.chars().map(plain).collect(),
        }
    }
}

/// What is wrong so far.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, key: &str, sentence: impl std::fmt::Display) {
        self.0.push(Problem::new(key, sentence.to_string()));
    }

    pub(super) fn keep<T, E: std::fmt::Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(key, error)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, problems: Vec<Problem>) -> String {
        Report::new(Path::new("s.toml"), text, problems).to_string()
    }

    #[test]
    fn a_problem_points_at_its_characters() {
        let text = "db = \"a\"\n\n[pools.\"maçã\"]\n\tworkers\t= [\n 1]\r\nlast = \"\u{1b}\"";
        let table = [
            (0..2, "k: s\n --> s.toml:1:1\n  |\n1 | db = \"a\"\n  | ^^"),
            (17..25, "k: s\n --> s.toml:3:8\n  |\n3 | [pools.\"maçã\"]\n  |        ^^^^^^"),
            (38..44, "k: s\n --> s.toml:4:12\n  |\n4 |  workers = [\n  |            ^"),
            (9..9, "k: s\n --> s.toml:2:1\n  |\n2 | \n  | ^"),
            (42..43, "k: s\n --> s.toml:5:3\n  |\n5 |  1]\n  |   ^"),
            (45..49, "k: s\n --> s.toml:6:1\n  |\n6 | last = \" \"\n  | ^^^^"),
            (999..1000, "k: s\n --> s.toml:6:11\n  |\n6 | last = \" \"\n  |           ^"),
        ];
        for (span, shown) in table {
            assert_eq!(report(text, vec![Problem::new("k", "s").at(Some(span.clone()))]), shown, "{span:?}");
        }
    }

    #[test]
    fn problems_come_in_the_order_of_the_file_and_those_without_a_place_first() {
        let at = |name: &str, span: Option<Range<usize>>| Problem::new(name, "s").at(span);
        let shown =
            report("a\nb\nc", vec![at("c", Some(4..5)), at("a", Some(0..1)), at("", None), at("b", Some(2..3))]);
        let heads: Vec<&str> = shown.split("\n\n").map(|part| part.lines().next().unwrap()).collect();
        assert_eq!(heads, ["s", "a: s", "b: s", "c: s"]);
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let many = |count| report("", vec![Problem::new("k", "s"); count]);
        assert_eq!(many(SHOWN_MAX).matches("k: s").count(), SHOWN_MAX);
        assert!(!many(SHOWN_MAX).contains("more"));
        let shown = many(SHOWN_MAX + 3);
        assert_eq!(shown.matches("k: s").count(), SHOWN_MAX);
        assert!(shown.ends_with("... and 3 more; mend these first"));
        let long = "x".repeat(LINE_CHARS_MAX + 1);
        assert_eq!(report(&long, vec![Problem::new("k", "s").at(Some(3..4))]), "k: s\n --> s.toml:1:4");
    }
}
