//! Reads the text of a configuration against the table of its keys: every unknown key and every value of a wrong type is
//! found, and what is good goes on. Pure.
//!
//! A misspelled key is read as the one that was meant, so that it hides no other problem and causes none.

use std::collections::BTreeMap;
use std::ops::Range;

use ipc_contract::name::nearest;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue, Deserializer};

use super::keys::{FILE, Key, Takes};
use super::problem::Problem;
use super::raw::Raw;

/// A file that was read.
#[derive(Default)]
pub(super) struct Document {
    pub(super) raw: Raw,
    pub(super) marks: Marks,
}

/// What was found on the way, and where everything is.
#[derive(Default)]
pub(super) struct Marks {
    problems: Vec<Problem>,
    /// Where each key is: its value, or its name when that is a table.
    spans: BTreeMap<String, Range<usize>>,
    /// Keys whose value was left out.
    dropped: Vec<String>,
}

impl Document {
    /// # Errors
    /// What is not TOML: nothing else can be said then.
    pub(super) fn read(text: &str) -> Result<Document, Vec<Problem>> {
        let not_toml = |error: toml::de::Error| {
            Problem::new("", format!("this is not TOML: {}", error.message())).at(error.span())
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors.into_iter().map(not_toml).collect());
        }
        let mut marks = Marks::default();
        let span = root.span();
        let good = Spanned::new(span, marks.table("", root.into_inner(), FILE));
        let raw = Raw::deserialize(Deserializer::from(good)).map_err(|error| vec![not_toml(error)])?;
        Ok(Document { raw, marks })
    }
}

impl Marks {
    /// Everything that is wrong: what was found here, and `further` problems at their places. What only follows from a
    /// value that was left out is no problem of its own.
    pub(super) fn all_with(&self, further: impl IntoIterator<Item = Problem>) -> Vec<Problem> {
        let follows = |key: &str| self.dropped.iter().any(|dropped| is_within(key, dropped) || is_within(dropped, key));
        let locate = |problem: Problem| {
            let span = self.span_of(&problem.key);
            problem.at(span)
        };
        let further = further.into_iter().filter(|problem| !follows(&problem.key)).map(locate);
        self.problems.iter().cloned().chain(further).collect()
    }

    /// That of the key, or of the nearest table around it that the file has.
    fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let outer = key.rmatch_indices('.').map(|(at, _)| &key[..at]);
        std::iter::once(key).chain(outer).find_map(|key| self.spans.get(key)).cloned()
    }

    fn table<'i>(&mut self, path: &str, table: DeTable<'i>, keys: &[Key]) -> DeTable<'i> {
        let mut good = DeTable::new();
        let (known, unknown): (Vec<_>, Vec<_>) =
            table.into_iter().partition(|(name, _)| keys.iter().any(|key| key.name == name.get_ref()));
        for (name, value) in known.into_iter().chain(unknown) {
            let Some(key) = self.key(path, &name, &good, keys) else { continue };
            if let Some(value) = self.value(&join(path, key.name), name.span(), value, key) {
                good.insert(Spanned::new(name.span(), key.name.into()), value);
            }
        }
        good
    }

    /// The key of this name. Tells of an unknown one, and gives the one that was probably meant, unless `there` has it.
    fn key<'k>(
        &mut self,
        path: &str,
        name: &Spanned<DeString<'_>>,
        there: &DeTable<'_>,
        keys: &'k [Key],
    ) -> Option<&'k Key> {
        let of_name = |name: &str| keys.iter().find(|key| key.name == name);
        if let Some(key) = of_name(name.get_ref()) {
            return Some(key);
        }
        let near = nearest(name.get_ref(), keys.iter().map(|key| key.name));
        let hint = match near {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known here are {}", keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")),
        };
        let problem = Problem::new(join(path, name.get_ref()), format!("there is no such key; {hint}"));
        self.problems.push(problem.at(Some(name.span())));
        of_name(near?).filter(|key| !there.contains_key(key.name))
    }

    /// The value without what is wrong in it; nothing when its type is. `name` is where its key is.
    fn value<'i>(
        &mut self,
        path: &str,
        name: Range<usize>,
        value: Spanned<DeValue<'i>>,
        key: &Key,
    ) -> Option<Spanned<DeValue<'i>>> {
        let span = value.span();
        let here = if value.get_ref().is_table() { name } else { span.clone() };
        self.spans.insert(path.to_owned(), here.clone());
        let good = match (value.into_inner(), &key.takes) {
            (DeValue::Table(table), Takes::Table(keys) | Takes::Count(keys)) => {
                DeValue::Table(self.table(path, table, keys))
            }
            (DeValue::Table(table), Takes::Named(keys)) => DeValue::Table(self.named(path, table, key, keys)),
            (value, takes) => match misfit(&value, takes) {
                None => value,
                Some((found, item)) => {
                    let sentence = format!("must be {}, such as {}; this is {found}", takes.name(), key.example);
                    self.problems.push(Problem::new(path, sentence).at(Some(item.unwrap_or(here))));
                    self.dropped.push(path.to_owned());
                    return None;
                }
            },
        };
        Some(Spanned::new(span, good))
    }

    fn named<'i>(&mut self, path: &str, table: DeTable<'i>, key: &Key, keys: &'static [Key]) -> DeTable<'i> {
        let each = Key { name: key.name, takes: Takes::Table(keys), example: key.example };
        let good = table.into_iter().filter_map(|(name, value)| {
            let value = self.value(&join(path, name.get_ref()), name.span(), value, &each)?;
            Some((name, value))
        });
        good.collect()
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_within(key: &str, outer: &str) -> bool {
    key.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What a value is, and where, when it is not what the key takes. The place of the value itself is not repeated.
fn misfit(value: &DeValue<'_>, takes: &Takes) -> Option<(&'static str, Option<Range<usize>>)> {
    let is_in_range = |number: &DeInteger<'_>| i64::from_str_radix(number.as_str(), number.radix()).is_ok();
    match (takes, value) {
        (Takes::Text, DeValue::String(_))
        | (Takes::Switch, DeValue::Boolean(_))
        | (Takes::Number, DeValue::Float(_)) => None,
        (Takes::Whole | Takes::Number | Takes::Count(_), DeValue::Integer(number)) => {
            (!is_in_range(number)).then_some(("far too large", None))
        }
        (Takes::Weights | Takes::Queues, DeValue::Table(table)) => {
            let other = table.iter().find(|(_, weight)| misfit(weight.get_ref(), &Takes::Whole).is_some())?.1;
            Some((kind_of(other.get_ref()), Some(other.span())))
        }
        (Takes::NamedTexts, DeValue::Table(table)) => {
            let other = table.iter().find(|(_, text)| !text.get_ref().is_str())?.1;
            Some((kind_of(other.get_ref()), Some(other.span())))
        }
        (Takes::Texts | Takes::Queues, DeValue::Array(list)) => {
            let other = list.iter().find(|item| !item.get_ref().is_str())?;
            Some((kind_of(other.get_ref()), Some(other.span())))
        }
        _ => Some((kind_of(value), None)),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
