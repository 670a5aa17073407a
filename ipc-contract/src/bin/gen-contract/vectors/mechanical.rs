//! Vectors that follow from the table of fields: for every message and field, each way in which it can be wrong, and what a
//! later version may add.

use ipc_contract::scan::MAX_DEPTH;
use ipc_contract::{ContractError, Direction, FromWorker, Kind, ToWorker, decode};

use super::fields::{Field, Rule, Type, array, bin, entries, fields, map, text};
use super::vector::{Vector, invalid, variant};

/// The entries of a body that is being put together.
type Entries = Vec<(&'static str, Vec<u8>)>;

pub(super) fn vectors() -> Result<Vec<Vector>, ContractError> {
    let mut vectors = Vec::new();
    for &kind in Kind::ALL {
        vectors.extend(whole(kind));
        vectors.extend(additions(kind)?);
        let message = |body: &Entries| map(&[(kind.name(), map(body))]);
        vectors.extend(wrong_fields(kind, fields(kind), "", &message));
        for inner in nested(kind) {
            let message = |body: &Entries| {
                let mut outer = entries(fields(kind));
                outer.retain(|(other, _)| *other != inner.name);
                outer.push((inner.name, inner.value(body)));
                message(&outer)
            };
            vectors.extend(wrong_fields(kind, inner.fields, &format!("{}-", inner.name), &message));
        }
    }
    Ok(vectors)
}

/// A body within a body.
struct Nested {
    /// The field that holds it.
    name: &'static str,
    fields: &'static [Field],
    is_in_list: bool,
}

impl Nested {
    fn value(&self, body: &Entries) -> Vec<u8> {
        if self.is_in_list { [vec![0x91], map(body)].concat() } else { map(body) }
    }
}

fn nested(kind: Kind) -> impl Iterator<Item = Nested> {
    fields(kind).iter().filter_map(|field| match field.of {
        Type::Body(fields) => Some(Nested { name: field.name, fields, is_in_list: false }),
        Type::BodyList(fields) => Some(Nested { name: field.name, fields, is_in_list: true }),
        _ => None,
    })
}

/// What is wrong with the message as a whole.
fn whole(kind: Kind) -> Vec<Vector> {
    let body = entries(fields(kind));
    let good = map(&[(kind.name(), map(&body))]);
    let with = |value: Vec<u8>| {
        let mut body = body.clone();
        body.push(("x", value));
        map(&[(kind.name(), map(&body))])
    };
    // The message and its body are two levels.
    let bomb = [vec![0x91; MAX_DEPTH - 1], vec![0xc0]].concat();
    // Whole but for the last key.
    let keyed = |key: Vec<u8>| {
        let count = [0x80 | (body.len() as u8 + 1)];
        let whole: Vec<u8> = body.iter().flat_map(|(name, value)| [text(name), value.clone()].concat()).collect();
        [&[0x81], &*text(kind.name()), &count, &whole, &key, &[0xc0]].concat()
    };
    let rows = [
        (
            "body-is-array",
            "a body is a map, not an array of its fields",
            "body",
            map(&[(kind.name(), array(fields(kind)))]),
        ),
        ("key-is-number", "the keys of a body are text", "body", keyed(vec![100])),
        ("key-is-bin", "the keys of a body are text", "body", keyed(bin("x"))),
        (
            "name-is-bin",
            "the name of a message is text",
            "not_a_message",
            [vec![0x81], bin(kind.name()), map(&body)].concat(),
        ),
        ("body-is-nil", "a body is a map, if an empty one", "body", map(&[(kind.name(), vec![0xc0])])),
        ("too-deep", "65 levels, in a field that is unknown", "too_deep", with(bomb)),
        (
            "announced-too-much",
            "an array of 4294967295 values, in a field that is unknown",
            "truncated",
            with(vec![0xdd, 0xff, 0xff, 0xff, 0xff]),
        ),
        ("trailing-bytes", "nil follows the message", "trailing", [good.clone(), vec![0xc0]].concat()),
    ];
    let mut vectors: Vec<_> = rows
        .iter()
        .map(|(name, about, error, body)| invalid(kind.name(), kind.direction(), (name, about, error, body)))
        .collect();
    let (other, about) = match kind.direction() {
        Direction::FromWorker => (Direction::ToWorker, "a supervisor does not send it"),
        Direction::ToWorker => (Direction::FromWorker, "a worker does not send it"),
    };
    vectors.push(invalid(kind.name(), other, ("wrong-direction", about, "wrong_direction", &good)));
    vectors
}

/// Fields of a later version: ignored, whatever they hold, in the body and in the bodies within it.
fn additions(kind: Kind) -> Result<Vec<Vector>, ContractError> {
    let later = || ("color", map(&[("a", vec![0x91, 0xc3])]));
    let valid = |name: &str, body: &Entries| {
        let payload = map(&[(kind.name(), map(body))]);
        let about = "a field that the reader does not know is ignored, whatever it holds";
        Ok::<_, ContractError>(match kind.direction() {
            Direction::FromWorker => variant(name, about, &payload, &decode::<FromWorker>(&payload)?),
            Direction::ToWorker => variant(name, about, &payload, &decode::<ToWorker>(&payload)?),
        })
    };
    let body = entries(fields(kind));
    let mut vectors = vec![valid("unknown-field", &[vec![later()], body.clone()].concat())?];
    for inner in nested(kind) {
        let value = inner.value(&[vec![later()], entries(inner.fields)].concat());
        let name = format!("{}-unknown-field", inner.name);
        vectors.push(valid(&name, &[body.clone(), vec![(inner.name, value)]].concat())?);
    }
    Ok(vectors)
}

/// Each needed field missing, each field of a wrong type, nil where it may not be, and a field that stands twice. `message`
/// puts a body where it belongs.
fn wrong_fields(
    kind: Kind,
    fields: &'static [Field],
    prefix: &str,
    message: &dyn Fn(&Entries) -> Vec<u8>,
) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let mut refuse = |name: String, about: String, body: Entries| {
        let name = name.replace('_', "-");
        vectors.push(invalid(kind.name(), kind.direction(), (&name, &about, "body", &message(&body))));
    };
    for field in fields {
        let name = field.name;
        let others = || entries(fields).into_iter().filter(|(other, _)| *other != name).collect::<Entries>();
        let with = |value: Vec<u8>| [others(), vec![(name, value)]].concat();
        if field.rule == Rule::Needed {
            refuse(format!("missing-{prefix}{name}"), format!("{name} is missing"), others());
        }
        for (what, should_be, value) in field.of.wrong() {
            refuse(format!("{prefix}{name}-{what}"), format!("{name} is {should_be}"), with(value));
        }
        if field.rule != Rule::Nilable {
            refuse(format!("{prefix}{name}-is-nil"), format!("{name} may not be nil"), with(vec![0xc0]));
        }
    }
    if let Some(first) = fields.first() {
        let twice = || (first.name, first.of.fitting());
        let rest = entries(fields).into_iter().filter(|(other, _)| *other != first.name);
        let body = [twice(), twice()].into_iter().chain(rest).collect();
        refuse(format!("{prefix}{}-stands-twice", first.name), "no field stands twice".to_owned(), body);
    }
    vectors
}
