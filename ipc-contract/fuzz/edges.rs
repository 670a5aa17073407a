//! Messages at the limits of their fields and one past them, which chance seldom meets. Made from `grammar` alone.

use super::grammar::{BODIES, Field, Type};
use super::value::Value;

/// Each message with each of its fields at each edge.
pub fn messages() -> Vec<Value> {
    let of_body = |(name, _, fields): &(&str, bool, &'static [Field])| {
        let name = (*name).to_owned();
        let with_edge =
            |(field, wanted, _): &Field| edges(wanted).into_iter().map(|edge| with(fields, field, edge)).collect();
        let bodies: Vec<Vec<Value>> = fields.iter().map(with_edge).collect();
        bodies.into_iter().flatten().map(move |body| map([(name.clone(), body)])).collect::<Vec<_>>()
    };
    BODIES.iter().flat_map(of_body).collect()
}

/// The least body, with one field as it is told.
fn with(fields: &[Field], field: &str, value: Value) -> Value {
    let others = fields.iter().filter(|(name, _, is_needed)| *is_needed && *name != field);
    let others = others.map(|(name, wanted, _)| ((*name).to_owned(), least(wanted)));
    map(others.chain([(field.to_owned(), value)]))
}

fn map(pairs: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Map(pairs.into_iter().map(|(name, value)| (Value::Str(name), value)).collect())
}

fn least(wanted: &Type) -> Value {
    match wanted {
        Type::Int(..) | Type::Float | Type::Priority => Value::Int(1),
        Type::Bool => Value::Bool(false),
        Type::Text | Type::Word => Value::Str(String::new()),
        Type::OneOf(words) | Type::Choice(words, _) => Value::Str(words[0].to_owned()),
        Type::Payload | Type::Maybe(_) => Value::Nil,
        Type::List(..) => Value::Array(Vec::new()),
        Type::Names(..) => Value::Map(Vec::new()),
        Type::Fields(fields) => {
            let needed = fields.iter().filter(|(_, _, is_needed)| *is_needed);
            map(needed.map(|(name, wanted, _)| ((*name).to_owned(), least(wanted))))
        }
    }
}

fn edges(wanted: &Type) -> Vec<Value> {
    match wanted {
        Type::Int(min, max) => numbers(*min, *max),
        Type::Priority => numbers(-100, 100),
        Type::List(item, max) => [*max, max + 1].map(|count| Value::Array(vec![least(item); count])).to_vec(),
        Type::Names(item, max) => {
            let named = |count| map((0..count).map(|name: usize| (name.to_string(), least(item))));
            [*max, max + 1].map(named).to_vec()
        }
        Type::Maybe(inner) => edges(inner),
        Type::Choice(_, fields) => {
            let choices = fields.iter().map(|(name, wanted, _)| (name, edges(wanted)));
            choices.flat_map(|(name, edges)| edges.into_iter().map(|edge| map([((*name).to_owned(), edge)]))).collect()
        }
        Type::Fields(fields) => {
            let bodies = fields.iter().map(|(name, wanted, _)| (name, edges(wanted)));
            bodies.flat_map(|(name, edges)| edges.into_iter().map(|edge| with(fields, name, edge))).collect()
        }
        Type::Float | Type::Bool | Type::Text | Type::OneOf(_) | Type::Word | Type::Payload => vec![least(wanted)],
    }
}

/// Those that MessagePack can write.
fn numbers(min: i128, max: i128) -> Vec<Value> {
    let can_be_written = |number: &i128| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(number);
    [min, min - 1, max, max + 1].into_iter().filter(can_be_written).map(Value::Int).collect()
}
