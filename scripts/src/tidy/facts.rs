//! What a Rust file says, as far as rules look at it: the paths that it names and its literals, without comments.
//! Works on tokens, so that a word in a comment or a string is never taken for code. Judges nothing.

use proc_macro2::{Delimiter, Group, LexError, Span, TokenStream, TokenTree};

/// One path or literal of a file.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) what: What,
    /// From 1.
    pub(super) line: usize,
    /// True below `#[cfg(test)]`.
    pub(super) in_test: bool,
}

#[derive(Debug)]
pub(super) enum What {
    /// `std::fs::read(path)` is `["std", "fs", "read"]`. Trees of `use` are expanded; keywords are paths of one segment.
    Path(Vec<String>, Call),
    /// A literal as it is spelled.
    Literal(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    None,
    WithoutArguments,
    WithArguments,
}

impl Fact {
    /// True when the segments of `name` stand side by side somewhere in the path.
    pub(super) fn names(&self, name: &[&str]) -> bool {
        matches!(&self.what, What::Path(segments, _) if segments.windows(name.len()).any(|part| part == name))
    }
}

/// The facts of one file in the order of its text.
pub(super) fn facts(text: &str) -> Result<Vec<Fact>, LexError> {
    let mut facts = Vec::new();
    read(&text.parse::<TokenStream>()?, false, &mut facts);
    Ok(facts)
}

fn read(stream: &TokenStream, mut in_test: bool, facts: &mut Vec<Fact>) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut item_is_test = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_test = in_test || item_is_test;
        if let Some((attribute, is_inner, after)) = attribute(&tokens, at) {
            match kind(attribute) {
                Attribute::Doc => {}
                Attribute::CfgTest if is_inner => in_test = true,
                Attribute::CfgTest => item_is_test = true,
                Attribute::Other => read(&attribute.stream(), is_test, facts),
            }
            at = after;
            continue;
        }
        at = match token {
            TokenTree::Ident(_) => read_path(&tokens, at, &[], is_test, facts),
            TokenTree::Group(group) => {
                read(&group.stream(), is_test, facts);
                item_is_test &= group.delimiter() != Delimiter::Brace;
                at + 1
            }
            TokenTree::Literal(literal) => {
                facts.push(fact(What::Literal(literal.to_string()), literal.span(), is_test));
                at + 1
            }
            TokenTree::Punct(punct) => {
                item_is_test &= punct.as_char() != ';';
                at + 1
            }
        };
    }
}

/// Reads the path that starts at `at` and returns the index after it. What stands in its `::<...>` is read by the caller.
fn read_path(tokens: &[TokenTree], at: usize, prefix: &[String], in_test: bool, facts: &mut Vec<Fact>) -> usize {
    let mut segments = prefix.to_vec();
    let mut after = at;
    while let Some(TokenTree::Ident(ident)) = tokens.get(after) {
        segments.push(ident.to_string());
        after += 1;
        if !(is_punct(tokens, after, ':') && is_punct(tokens, after + 1, ':')) {
            break;
        }
        after += 2;
    }
    if let Some(tree) = group(tokens, after, Delimiter::Brace).filter(|_| is_punct(tokens, after - 1, ':')) {
        read_use_tree(tree, &segments, in_test, facts);
        return after + 1;
    }
    let is_definition = at > 0 && matches!(&tokens[at - 1], TokenTree::Ident(ident) if ident == "fn");
    let call = if is_definition { Call::None } else { call(tokens, after) };
    facts.push(fact(What::Path(segments, call), tokens[at].span(), in_test));
    after
}

/// How the path that ends at `after` is called, with or without `::<...>`.
fn call(tokens: &[TokenTree], after: usize) -> Call {
    let has_generics = is_punct(tokens, after - 1, ':');
    let arguments = if has_generics { after_generics(tokens, after) } else { after };
    match group(tokens, arguments, Delimiter::Parenthesis) {
        None => Call::None,
        Some(arguments) if arguments.stream().is_empty() => Call::WithoutArguments,
        Some(_) => Call::WithArguments,
    }
}

fn read_use_tree(group: &Group, prefix: &[String], in_test: bool, facts: &mut Vec<Fact>) {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at = match token {
            TokenTree::Ident(_) => read_path(&tokens, at, prefix, in_test, facts),
            _ => at + 1,
        };
    }
}

/// The index after the `<...>` that starts at `at`; `at` when none does, or when it never ends.
fn after_generics(tokens: &[TokenTree], at: usize) -> usize {
    let mut depth = 0_usize;
    for index in at..tokens.len() {
        if is_punct(tokens, index, '<') {
            depth += 1;
        } else if is_punct(tokens, index, '>') && !is_punct(tokens, index - 1, '-') {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return if is_punct(tokens, index, '>') { index + 1 } else { at };
        }
    }
    at
}

enum Attribute {
    /// A doc comment is one, too.
    Doc,
    CfgTest,
    Other,
}

/// The attribute that starts at `at`: its bracket, whether it is `#![...]`, and the index after it.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<(&Group, bool, usize)> {
    let is_inner = is_punct(tokens, at + 1, '!');
    let bracket = at + 1 + usize::from(is_inner);
    let group = group(tokens, bracket, Delimiter::Bracket).filter(|_| is_punct(tokens, at, '#'))?;
    Some((group, is_inner, bracket + 1))
}

fn kind(attribute: &Group) -> Attribute {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(name), ..] if name == "doc" => Attribute::Doc,
        [TokenTree::Ident(name), TokenTree::Group(condition)]
            if name == "cfg" && condition.stream().to_string() == "test" =>
        {
            Attribute::CfgTest
        }
        _ => Attribute::Other,
    }
}

fn group(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<&Group> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn fact(what: What, span: Span, in_test: bool) -> Fact {
    Fact { what, line: span.start().line, in_test }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line per fact: `line path` with `()` or `(..)` for a call, `line "literal"`, and `test` where it is test code.
    fn said(text: &str) -> Vec<String> {
        let tell = |fact: Fact| {
            let what = match fact.what {
                What::Path(segments, call) => {
                    let call = match call {
                        Call::None => "",
                        Call::WithoutArguments => "()",
                        Call::WithArguments => "(..)",
                    };
                    segments.join("::") + call
                }
                What::Literal(text) => text,
            };
            format!("{} {what}{}", fact.line, if fact.in_test { " test" } else { "" })
        };
        facts(text).expect("the sample is Rust").into_iter().map(tell).collect()
    }

    #[test]
    fn comments_say_nothing() {
        assert_eq!(said("//! a::b\n/// c\n/* d /* e */ */ // f\n#[doc = \"g\"]\nh"), ["5 h"]);
    }

    #[test]
    fn trees_of_use_are_expanded() {
        let text = "use std::{\n    fs,\n    io::{self, Read},\n};";
        assert_eq!(said(text), ["1 use", "2 std::fs", "3 std::io::self", "3 std::io::Read"]);
    }

    #[test]
    fn calls_are_told_from_definitions_and_names() {
        let text = "a::b() c(x) d::<Vec<fn() -> u8>>() fn e() {} f < g >(h)";
        let expected = ["a::b()", "c(..)", "x", "d()", "Vec", "fn()", "u8", "fn", "e", "f", "g", "h"];
        assert_eq!(said(text), expected.map(|fact| format!("1 {fact}")));
    }

    #[test]
    fn test_code_is_what_stands_below_its_attribute() {
        let text = "#[cfg(test)]\nmod a { b }\nc\n#[cfg(test)]\nuse d;\ne\n#[cfg(not(test))]\nmod f { \"g\" }";
        let tests = ["2 mod test", "2 a test", "2 b test", "3 c", "5 use test", "5 d test", "6 e"];
        let not_tests = ["7 cfg(..)", "7 not(..)", "7 test", "8 mod", "8 f", "8 \"g\""];
        assert_eq!(said(text), [&tests[..], &not_tests].concat());
        assert_eq!(said("#![cfg(test)]\na { b }"), ["2 a test", "2 b test"]);
    }
}
