//! Mutations of a MessagePack value that stays one: other types, edges of numbers, names that stand twice, wrong or missing.

use super::rng::SplitMix64;
use super::value::Value;

/// Levels that are put around a value; with those that it has, around the limit of 64.
const WRAPS_MAX: usize = 66;
const NUMBERS: [i128; 16] = [
    0,
    1,
    -1,
    7,
    100,
    101,
    -101,
    128,
    1024,
    u16::MAX as i128,
    u16::MAX as i128 + 1,
    u32::MAX as i128,
    u32::MAX as i128 + 1,
    i64::MAX as i128,
    u64::MAX as i128,
    i64::MIN as i128,
];

/// Changes one place in `value`, with parts of `other` and names from `words`.
pub fn reshape(rng: &mut SplitMix64, value: &mut Value, other: &Value, words: &[&str]) {
    let mut place = rng.below(size(value));
    // There are more scalars than containers, and less to be done to them: a second draw.
    if !matches!(find(value, &mut place.clone()), Some(Value::Array(_) | Value::Map(_))) {
        place = rng.below(size(value));
    }
    let Some(node) = find(value, &mut place) else { return };
    match rng.below(8) {
        0 | 1 => *node = fresh(rng, words),
        2 => {
            let mut place = rng.below(size(other));
            let mut other = other.clone();
            if let Some(part) = find(&mut other, &mut place) {
                *node = part.clone();
            }
        }
        3 if rng.one_in(8) => {
            for _ in 0..rng.below(WRAPS_MAX) {
                *node = Value::Array(vec![std::mem::replace(node, Value::Nil)]);
            }
        }
        _ => reshape_inside(rng, node, words),
    }
}

fn reshape_inside(rng: &mut SplitMix64, node: &mut Value, words: &[&str]) {
    match node {
        Value::Map(pairs) if pairs.is_empty() => pairs.push((word(rng, words), fresh(rng, words))),
        Value::Map(pairs) => {
            let at = rng.below(pairs.len());
            match rng.below(6) {
                0 => drop(pairs.remove(at)),
                1 => pairs.push(pairs[at].clone()),
                2 => pairs[at].0 = word(rng, words),
                3 => pairs[at].0 = fresh(rng, words),
                4 => *node = Value::Array(pairs.iter().map(|(_, value)| value.clone()).collect()),
                _ => pairs.insert(at, (word(rng, words), fresh(rng, words))),
            }
        }
        Value::Array(items) => items.insert(rng.below(items.len() + 1), fresh(rng, words)),
        Value::Str(text) if rng.one_in(2) => *node = Value::Bin(text.clone().into_bytes()),
        Value::Bin(bytes) if rng.one_in(2) => {
            bytes.extend_from_slice(&fresh(rng, words).write(super::value::Form::Shortest))
        }
        other => *other = fresh(rng, words),
    }
}

fn word(rng: &mut SplitMix64, words: &[&str]) -> Value {
    Value::Str((*rng.pick(words)).to_owned())
}

fn fresh(rng: &mut SplitMix64, words: &[&str]) -> Value {
    match rng.below(10) {
        0 => Value::Nil,
        1 => Value::Bool(rng.one_in(2)),
        2 | 3 => Value::Int(*rng.pick(&NUMBERS)),
        4 => Value::Float(*rng.pick(&[0.0, -0.0, 1.5, -1.0, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE])),
        5 | 6 => word(rng, words),
        7 => Value::Bin((0..rng.below(6)).map(|_| rng.byte()).collect()),
        8 => Value::Array(vec![word(rng, words); rng.below(4)]),
        _ => Value::Map(vec![(word(rng, words), Value::Int(*rng.pick(&NUMBERS)))]),
    }
}

/// Values in a value, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| size(key) + size(value)).sum(),
        _ => 0,
    }
}

/// The value at `place`, counted in the order of the bytes.
fn find<'v>(value: &'v mut Value, place: &mut usize) -> Option<&'v mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, place)),
        Value::Map(pairs) => pairs.iter_mut().find_map(|(key, value)| find(key, place).or_else(|| find(value, place))),
        _ => None,
    }
}
