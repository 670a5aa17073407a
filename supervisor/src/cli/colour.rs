//! Whether words are coloured and which colour they have. The decision is a function of what it is told; only `init` and
//! `on` look at the process.

use std::io::IsTerminal;
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb; CLICOLOR_FORCE colours everywhere
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// What the environment says about colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wishes {
    no_color: bool,
    force: bool,
    is_dumb: bool,
}

impl Wishes {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Wishes {
        let is_set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Wishes {
            no_color: is_set("NO_COLOR").is_some(),
            force: is_set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            is_dumb: is_set("TERM").is_some_and(|value| value == "dumb"),
        }
    }
}

impl Choice {
    /// An explicit choice wins over the environment, and a wish for none over a wish for colours.
    fn decide(self, wishes: Wishes, is_terminal: bool) -> bool {
        match self {
            Choice::Always => true,
            Choice::Never => false,
            Choice::Auto if wishes.no_color => false,
            Choice::Auto => wishes.force || (is_terminal && !wishes.is_dumb),
        }
    }
}

static CHOICE: OnceLock<Choice> = OnceLock::new();

/// To be called once, with what the command line says.
pub fn init(choice: Choice) {
    // A second call changes nothing.
    let _ = CHOICE.set(choice);
}

/// Whether what goes to this stream is coloured.
pub fn on(stream: &impl IsTerminal) -> bool {
    let choice = CHOICE.get().copied().unwrap_or_default();
    choice.decide(Wishes::read(|name| std::env::var(name).ok()), stream.is_terminal())
}

const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const UNDER_WAY: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

/// The style of a state, which may be followed by a reason.
pub fn of_state(text: &str) -> Style {
    match text.split(' ').next() {
        Some("failed") => BAD,
        Some("completed") => GOOD,
        Some("running" | "retryable") => UNDER_WAY,
        Some("cancelled") => DIM,
        _ => Style::new(),
    }
}

pub fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// The style of what errors and warnings begin with and of what stands below them.
const OPENINGS: [(&str, Style); 3] = [("error:", BAD.bold()), ("warning:", UNDER_WAY.bold()), ("  hint:", DIM)];

/// An error or warning as a person sees it: its first word, and the carets that point.
pub fn pointed(text: &str) -> String {
    let line = |line: &str| {
        if let Some((opening, style)) = OPENINGS.iter().find(|(opening, _)| line.starts_with(opening)) {
            return format!("{}{}", painted(opening, *style), &line[opening.len()..]);
        }
        match line.split_once("| ") {
            Some((margin, carets)) if margin.trim().is_empty() && carets.trim_start().starts_with('^') => {
                format!("{margin}| {}", painted(carets, BAD.bold()))
            }
            _ => line.to_owned(),
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read() {
        let read = |pairs: &[(&str, &str)]| {
            Wishes::read(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
        };
        assert_eq!(read(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "0"), ("TERM", "xterm")]), Wishes::default());
        let all = Wishes { no_color: true, force: true, is_dumb: true };
        assert_eq!(read(&[("NO_COLOR", "0"), ("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]), all);
    }

    #[test]
    fn who_decides_about_colours() {
        let wishes = |no_color, force, is_dumb| Wishes { no_color, force, is_dumb };
        let (none, no, force, dumb) =
            (Wishes::default(), wishes(true, false, false), wishes(false, true, false), wishes(false, false, true));
        let both = wishes(true, true, false);
        let table = [
            (Choice::Auto, none, true, true),
            (Choice::Auto, none, false, false),
            (Choice::Auto, no, true, false),
            (Choice::Auto, dumb, true, false),
            (Choice::Auto, force, false, true),
            (Choice::Auto, wishes(false, true, true), true, true),
            (Choice::Auto, both, true, false),
            (Choice::Always, both, false, true),
            (Choice::Always, dumb, false, true),
            (Choice::Never, force, true, false),
        ];
        for (choice, wishes, is_terminal, coloured) in table {
            assert_eq!(choice.decide(wishes, is_terminal), coloured, "{choice:?} {wishes:?} {is_terminal}");
        }
    }

    #[test]
    fn an_error_is_red_and_a_hint_dim() {
        let text = "error: bad\n  hint: mend it\n\nwarning: odd\n  |\n3 | a | ^\n  |  ^^\nan error: no";
        let expected = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m bad\n\u{1b}[2m  hint:\u{1b}[0m mend it\n\n\
             \u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m odd\n  |\n3 | a | ^\n  | \u{1b}[1m\u{1b}[31m ^^\u{1b}[0m\nan error: no";
        assert_eq!(pointed(text), expected);
        assert_eq!(painted("scheduled", of_state("scheduled")), "scheduled");
        assert_eq!(painted("failed (expired)", of_state("failed (expired)")), "\u{1b}[31mfailed (expired)\u{1b}[0m");
    }
}
