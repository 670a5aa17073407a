//! Args as they are typed: `key=text`, `key:=json`, or JSON whole from an argument, a file or stdin.

use std::fs::File;
use std::io::{Read, stdin};

use ipc_contract::Payload;
use ipc_contract::json::check_integers;
use serde_json::{Map, Value};

use super::exit::CliError;

/// What is read of a file or stdin: that of a body.
const ARGS_TEXT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One field of the args of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    key: String,
    value: Value,
}

/// Reads `key=text` or `key:=json`.
pub fn parse_field(text: &str) -> Result<Field, String> {
    let forms = "write key=text, or key:=json for numbers, lists and the like";
    let (key, value) = text.split_once('=').ok_or_else(|| format!("there is no `=`; {forms}"))?;
    let (key, value) = match key.strip_suffix(':') {
        Some(key) => {
            check_integers(value.as_bytes()).map_err(|error| error.to_string())?;
            let read = serde_json::from_str(value);
            (key, read.map_err(|error| format!("{value:?} is not JSON ({error}); {forms}"))?)
        }
        None => (key, Value::from(value)),
    };
    if key.is_empty() {
        return Err(format!("the key is empty; {forms}"));
    }
    Ok(Field { key: key.to_owned(), value })
}

/// The args made of fields; no fields are no args.
pub fn payload_of_fields(fields: &[Field]) -> Result<Payload, CliError> {
    let mut map = Map::new();
    for Field { key, value } in fields {
        if map.insert(key.clone(), value.clone()).is_some() {
            return Err(CliError::usage(format!("field {key} is given twice"), "give each field once"));
        }
    }
    Ok(if map.is_empty() { Payload::default() } else { Payload::of(&map)? })
}

/// The args given whole: JSON, `@file` or `-` for stdin.
pub fn payload_of_text(text: &str) -> Result<Payload, CliError> {
    let (source, json) = match (text, text.strip_prefix('@')) {
        ("-", _) => ("stdin", read(stdin().lock(), "stdin")?),
        (_, Some(path)) => {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            (path, read(file, path)?)
        }
        _ => ("--args", text.to_owned()),
    };
    check_integers(json.as_bytes())?;
    serde_json::from_str(&json)
        .map_err(|error| CliError::usage(format!("{source} is not usable JSON: {error}"), "give one JSON value"))
}

fn read(from: impl Read, name: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let size_bytes =
        from.take(ARGS_TEXT_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| unreadable(name, &error))?;
    if size_bytes as u64 > ARGS_TEXT_BYTES_MAX {
        let message = format!("{name} is over {ARGS_TEXT_BYTES_MAX} bytes");
        return Err(CliError::usage(message, "send less, or a reference such as a path"));
    }
    Ok(text)
}

fn unreadable(name: &str, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot read {name}: {error}"), "give JSON, @file, or - for stdin")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_text_or_json() {
        let table = [
            ("path=/a b", json!({ "path": "/a b" })),
            ("path=", json!({ "path": "" })),
            ("width:=640", json!({ "width": 640 })),
            ("on:=true", json!({ "on": true })),
            ("sizes:=[1, {\"a\": null}]", json!({ "sizes": [1, { "a": null }] })),
            ("url=http://x/?a:=b", json!({ "url": "http://x/?a:=b" })),
            ("text:=\"7\"", json!({ "text": "7" })),
        ];
        for (text, args) in table {
            let payload = payload_of_fields(&[parse_field(text).unwrap()]).unwrap();
            assert_eq!(payload, Payload::of(&args).unwrap(), "{text}");
        }
        for text in ["path", "=a", ":=1", "n:=", "n:=one", "n:=99999999999999999999", ""] {
            assert!(parse_field(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_come_once_and_none_are_nothing() {
        let field = |text| parse_field(text).unwrap();
        assert_eq!(payload_of_fields(&[]), Ok(Payload::default()));
        assert!(payload_of_fields(&[field("a=1"), field("a:=1")]).is_err());
    }

    #[test]
    fn whole_args_come_from_an_argument_or_a_file() {
        assert_eq!(payload_of_text("[1]"), Ok(Payload::of(&json!([1])).unwrap()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"a\": 1}").unwrap();
        let at = format!("@{}", file.path().display());
        assert_eq!(payload_of_text(&at), Ok(Payload::of(&json!({ "a": 1 })).unwrap()));
        for text in ["{", "@/no/such/file", "1 2", ""] {
            assert_eq!(payload_of_text(text).unwrap_err().exit, super::super::exit::Exit::Usage, "{text}");
        }
        assert!(payload_of_text("[99999999999999999999]").unwrap_err().body.message.contains("64 bits"));
    }
}
