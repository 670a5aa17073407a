//! The golden vectors: frames and what they mean, for decoders in any language. Each is a pair `NAME.hex`, `NAME.json`.

mod fields;
mod files;
mod frames;
mod from_worker;
mod mechanical;
mod to_worker;
mod vector;

pub(crate) use files::files;
pub(crate) use vector::FOLDER;
