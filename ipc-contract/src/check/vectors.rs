//! The golden vectors that a worker reads: bytes, and what they mean. Which ones there are is in `vector_list`. Pure.

use serde_json::Value;

use crate::error::ContractError;
use crate::message::ToWorker;

/// The bytes of a stream, and what they mean.
pub(super) struct Vector {
    pub(super) name: &'static str,
    pub(super) hex: &'static str,
    pub(super) json: &'static str,
}

/// Embeds the files of these vectors.
macro_rules! embed {
    ($($name:literal,)+) => {
        &[$($crate::check::vectors::Vector {
            name: $name,
            hex: include_str!(concat!("../../spec/v1/vectors/", $name, ".hex")),
            json: include_str!(concat!("../../spec/v1/vectors/", $name, ".json")),
        },)+]
    };
}
pub(super) use embed;

/// What a vector means to a worker.
pub(super) enum Meaning {
    Valid(ToWorker),
    /// The error of section 5.
    Invalid(String),
}

impl Vector {
    /// The bytes, length included.
    ///
    /// # Errors
    /// `Value`, when the file does not hold hexadecimal digits.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, ContractError> {
        let digits: Vec<u8> = self.hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        digits.chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| self.bad("the bytes are no hexadecimal digits"))
    }

    /// What they mean.
    ///
    /// # Errors
    /// `Value`, when the file says neither.
    pub(super) fn meaning(&self) -> Result<Meaning, ContractError> {
        let json: Value = serde_json::from_str(self.json).map_err(|error| self.bad(&error.to_string()))?;
        match json["error"].as_str() {
            Some(error) => Ok(Meaning::Invalid(error.to_owned())),
            None => serde_json::from_value(json["message"].clone())
                .map(Meaning::Valid)
                .map_err(|error| self.bad(&error.to_string())),
        }
    }

    /// What it shows.
    pub(super) fn about(&self) -> String {
        let json: Option<Value> = serde_json::from_str(self.json).ok();
        json.and_then(|json| json["about"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn bad(&self, why: &str) -> ContractError {
        ContractError::value(self.name, format!("vector {}: {why}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use crate::check::vector_list::ALL;

    /// With UPDATE_GOLDEN set, the list is written anew.
    #[test]
    fn the_list_is_that_of_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut names = BTreeSet::new();
        for group in fs::read_dir(root.join("spec/v1/vectors")).unwrap().map(|entry| entry.unwrap().path()) {
            for path in fs::read_dir(&group).unwrap().map(|entry| entry.unwrap().path()) {
                let group = group.file_name().unwrap().to_str().unwrap();
                let is_read = || fs::read_to_string(&path).unwrap().contains("\"direction\": \"to_worker\"");
                if path.extension().is_some_and(|it| it == "json") && (group == "frame" || is_read()) {
                    names.insert(format!("{group}/{}", path.file_stem().unwrap().to_str().unwrap()));
                }
            }
        }
        let listed: BTreeSet<String> = ALL.iter().map(|vector| vector.name.to_owned()).collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() && listed != names {
            let file = root.join("src/check/vector_list.rs");
            let text = fs::read_to_string(&file).unwrap();
            let (head, _) = text.split_once("embed! {\n").unwrap();
            let lines: String = names.iter().map(|name| format!("    {name:?},\n")).collect();
            fs::write(file, format!("{head}embed! {{\n{lines}}};\n")).unwrap();
        }
        assert_eq!(listed, names);
    }

    #[test]
    fn all_can_be_read() {
        for vector in ALL {
            assert!(!vector.bytes().unwrap().is_empty() && !vector.about().is_empty());
            vector.meaning().unwrap();
        }
    }
}
