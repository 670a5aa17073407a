//! The golden vectors: frames and what they mean, for decoders in any language. Each is a pair `NAME.hex`, `NAME.json`.

mod fields;
mod frames;
mod from_worker;
mod mechanical;
mod to_worker;
mod vector;

pub(crate) use vector::{FOLDER, files};
