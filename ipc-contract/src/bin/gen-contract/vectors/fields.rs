//! Every field of every message as the contract's page says it: its type, and whether it may be missing or nil. One table,
//! from which the vectors that need no thought are made.

use ipc_contract::Kind;

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) rule: Rule,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Needed,
    /// It has a default and may not be nil.
    Default,
    /// It has a default, which nil means as well.
    Nilable,
}

#[derive(Clone, Copy)]
pub(super) enum Type {
    U16,
    U32,
    U64,
    I32,
    Float,
    Bool,
    Text,
    /// One of a few words; this is one of them.
    Choice(&'static str),
    /// A word, and unknown ones are taken as well.
    OpenChoice(&'static str),
    /// A number or a name.
    Priority,
    Payload,
    TextList,
    /// Text to u64.
    Amounts,
    /// Text to payload.
    Payloads,
    Body(&'static [Field]),
    BodyList(&'static [Field]),
}

const fn needed(name: &'static str, of: Type) -> Field {
    Field { name, of, rule: Rule::Needed }
}

const fn default(name: &'static str, of: Type) -> Field {
    Field { name, of, rule: Rule::Default }
}

const fn nilable(name: &'static str, of: Type) -> Field {
    Field { name, of, rule: Rule::Nilable }
}

const TASK: Field = needed("task", Type::U64);
const EPOCH: Field = needed("epoch", Type::U64);
const OF_RUN: Field = nilable("run", Type::Body(&[TASK, EPOCH]));

const EXIT: &[Field] = &[
    nilable("code", Type::I32),
    nilable("signal", Type::I32),
    default("oom", Type::Bool),
    nilable("peak_rss_bytes", Type::U64),
    nilable("cpu_ms", Type::U64),
];

const FOLLOW_UP: &[Field] = &[
    needed("kind", Type::Text),
    nilable("args", Type::Payload),
    nilable("queue", Type::Text),
    nilable("name", Type::Text),
    nilable("priority", Type::Priority),
    nilable("delay_ms", Type::U64),
    nilable("timeout_ms", Type::U64),
    nilable("max_attempts", Type::U32),
    nilable("max_crashes", Type::U32),
    nilable("key", Type::Text),
    default("cost", Type::Amounts),
    default("budget", Type::Amounts),
];

const HELLO: &[Field] = &[
    needed("protocol_min", Type::U16),
    needed("protocol_max", Type::U16),
    default("cookie", Type::Text),
    default("sdk", Type::Text),
    default("kinds", Type::TextList),
    default("concurrency", Type::U32),
    default("features", Type::TextList),
];

const LOG: &[Field] = &[OF_RUN, default("level", Type::Choice("info")), needed("message", Type::Text)];

const NOTE: &[Field] = &[
    TASK,
    EPOCH,
    nilable("done", Type::Float),
    nilable("total", Type::Float),
    nilable("message", Type::Text),
    default("spend", Type::Amounts),
    default("seq", Type::U64),
];

const SAVE: &[Field] =
    &[TASK, EPOCH, nilable("step", Type::Text), nilable("value", Type::Payload), needed("seq", Type::U64)];

const DONE: &[Field] = &[
    TASK,
    EPOCH,
    nilable("result", Type::Payload),
    default("cut", Type::Bool),
    default("enqueue", Type::BodyList(FOLLOW_UP)),
];

const FAIL: &[Field] = &[
    TASK,
    EPOCH,
    default("error", Type::Text),
    default("retry", Type::Choice("never")),
    default("scope", Type::Choice("queue")),
    nilable("exit", Type::Body(EXIT)),
];

const PARK: &[Field] = &[TASK, EPOCH, needed("until", Type::Choice("children")), nilable("timeout_ms", Type::U64)];

const BACK: &[Field] = &[TASK, EPOCH];

const BYE: &[Field] = &[nilable("spawn_error", Type::Text)];

const WELCOME: &[Field] = &[
    needed("protocol", Type::U16),
    default("worker", Type::U64),
    default("features", Type::TextList),
    default("beat_ms", Type::U64),
];

const REJECT: &[Field] = &[needed("reason", Type::Text)];

const RUN: &[Field] = &[
    TASK,
    EPOCH,
    needed("kind", Type::Text),
    nilable("args", Type::Payload),
    default("attempt", Type::U32),
    default("effect_key", Type::Text),
    nilable("time_left_ms", Type::U64),
    default("steps", Type::Payloads),
    nilable("checkpoint", Type::Payload),
    default("facts", Type::Payloads),
];

const STOP: &[Field] = &[OF_RUN, needed("reason", Type::OpenChoice("cancel")), needed("grace_ms", Type::U64)];

const ACK: &[Field] = &[TASK, EPOCH, needed("seq", Type::U64)];

/// The fields of a message's body.
pub(super) fn fields(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Hello => HELLO,
        Kind::Booting | Kind::Ready | Kind::Beat => &[],
        Kind::Log => LOG,
        Kind::Note => NOTE,
        Kind::Save => SAVE,
        Kind::Done => DONE,
        Kind::Fail => FAIL,
        Kind::Park => PARK,
        Kind::Back => BACK,
        Kind::Bye => BYE,
        Kind::Welcome => WELCOME,
        Kind::Reject => REJECT,
        Kind::Run => RUN,
        Kind::Stop => STOP,
        Kind::Ack => ACK,
    }
}

impl Type {
    /// A value that fits, as MessagePack.
    pub(super) fn fitting(self) -> Vec<u8> {
        match self {
            Self::U16 | Self::U32 | Self::U64 | Self::I32 | Self::Float | Self::Priority => vec![1],
            Self::Bool => vec![0xc3],
            Self::Text => text("a"),
            Self::Choice(word) | Self::OpenChoice(word) => text(word),
            Self::Payload => vec![0xc4, 1, 7],
            Self::TextList => [vec![0x91], text("a")].concat(),
            Self::Amounts => map(&[("a", vec![1])]),
            Self::Payloads => map(&[("a", vec![0xc4, 1, 7])]),
            Self::Body(fields) => map(&entries(fields)),
            Self::BodyList(fields) => [vec![0x91], map(&entries(fields))].concat(),
        }
    }

    /// What is tempting and wrong: its name, what the field should be, the value as MessagePack.
    pub(super) fn wrong(self) -> Vec<(&'static str, &'static str, Vec<u8>)> {
        let is_text = |what| ("is-text", what, text("7"));
        let is_negative = ("is-negative", "an unsigned integer", vec![0xff]);
        let is_number = |what| ("is-number", what, vec![7]);
        match self {
            Self::U16 => {
                let large = ("is-too-large", "an integer of 16 bits", vec![0xce, 0, 1, 0, 0]);
                vec![is_text("an unsigned integer"), is_negative, large]
            }
            Self::U32 => {
                let large = ("is-too-large", "an integer of 32 bits", vec![0xcf, 0, 0, 0, 1, 0, 0, 0, 0]);
                vec![is_text("an unsigned integer"), is_negative, large]
            }
            Self::U64 => {
                let fraction = ("is-fraction", "an unsigned integer", vec![0xca, 0x3f, 0, 0, 0]);
                vec![is_text("an unsigned integer"), is_negative, fraction]
            }
            Self::I32 => {
                vec![is_text("an integer"), ("is-too-large", "an integer of 32 bits", vec![0xce, 0x80, 0, 0, 0])]
            }
            Self::Float => vec![is_text("a number")],
            Self::Bool => vec![is_number("a bool")],
            Self::Text => vec![is_number("text"), ("is-bin", "text", bin("a"))],
            Self::OpenChoice(word) => {
                vec![("is-bool", "a word", vec![0xc3]), is_number("a word"), ("is-bin", "a word", bin(word))]
            }
            Self::Choice(word) => vec![
                ("is-bool", "a word", vec![0xc3]),
                is_number("a word"),
                ("is-bin", "a word", bin(word)),
                ("is-map", "a word that stands alone", map(&[(word, vec![0xc0])])),
                ("is-unknown", "one of a few words", text("tuesday")),
            ],
            Self::Priority => {
                vec![
                    ("is-too-large", "-100 to 100, or a name", vec![101]),
                    ("is-bool", "an integer or text", vec![0xc3]),
                ]
            }
            Self::Payload => vec![is_text("bin"), ("is-map", "bin that holds the map", vec![0x80])],
            Self::TextList => vec![
                is_text("an array of text"),
                ("holds-number", "an array of text", vec![0x91, 7]),
                ("holds-bin", "an array of text", [vec![0x91], bin("a")].concat()),
            ],
            Self::Amounts => vec![
                ("is-array", "a map", vec![0x90]),
                ("holds-negative", "a map to unsigned integers", map(&[("a", vec![0xff])])),
                ("names-bin", "a map from text", [vec![0x81], bin("a"), vec![1]].concat()),
            ],
            Self::Payloads => vec![
                ("is-array", "a map", vec![0x90]),
                ("holds-text", "a map to bin", map(&[("a", text("7"))])),
                ("names-number", "a map from text", vec![0x81, 1, 0xc4, 1, 7]),
            ],
            Self::Body(fields) => vec![is_number("a map"), ("is-array", "a map", array(fields))],
            Self::BodyList(fields) => vec![
                is_text("an array of maps"),
                ("holds-number", "an array of maps", vec![0x91, 7]),
                ("holds-array", "an array of maps", [vec![0x91], array(fields)].concat()),
            ],
        }
    }
}

/// Every needed field of a body, with a value that fits.
pub(super) fn entries(fields: &'static [Field]) -> Vec<(&'static str, Vec<u8>)> {
    let needed = fields.iter().filter(|field| field.rule == Rule::Needed);
    needed.map(|field| (field.name, field.of.fitting())).collect()
}

/// A map of at most 15 entries.
pub(super) fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0x80 | entries.len() as u8];
    for (name, value) in entries {
        bytes.extend(text(name));
        bytes.extend(value);
    }
    bytes
}

/// A body without its names: the values of what is needed.
pub(super) fn array(fields: &'static [Field]) -> Vec<u8> {
    let values = entries(fields);
    let mut bytes = vec![0x90 | values.len() as u8];
    bytes.extend(values.into_iter().flat_map(|(_, value)| value));
    bytes
}

/// Bytes that would be this text: at most 255.
pub(super) fn bin(text: &str) -> Vec<u8> {
    [&[0xc4, text.len() as u8], text.as_bytes()].concat()
}

/// A text of at most 31 bytes.
pub(super) fn text(text: &str) -> Vec<u8> {
    [&[0xa0 | text.len() as u8], text.as_bytes()].concat()
}
