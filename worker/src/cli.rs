//! The command line of the worker binary, for `main` and for any program that is a worker by a subcommand.

use std::collections::BTreeMap;
use std::process::ExitCode;

use ipc_contract::CommandTemplate;

use crate::exit::EXIT_USAGE;
use crate::samples::samples;
use crate::stock;
use crate::worker::leave;

const USAGE: &str = "usage: worker --samples          run the sample handlers
       worker --stock TEMPLATES    run plain commands; TEMPLATES is a JSON object of kind to
                                   command line, such as {\"digest\": [\"sha256sum\", \"{path}\"]}";

/// Runs the worker that the arguments (without the program's name) ask for. The code is for `main` to return.
pub fn main_from_args(args: impl IntoIterator<Item = String>) -> ExitCode {
    let args: Vec<String> = args.into_iter().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--samples"] => samples().run(),
        ["--stock", templates] => match parse_templates(templates) {
            Ok(templates) => stock::run(templates),
            Err(error) => leave(EXIT_USAGE, &format!("the templates of --stock cannot be used: {error}")),
        },
        _ => leave(EXIT_USAGE, USAGE),
    }
}

fn parse_templates(json: &str) -> Result<BTreeMap<String, CommandTemplate>, String> {
    let lines: BTreeMap<String, Vec<String>> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    lines
        .into_iter()
        .map(|(kind, line)| match CommandTemplate::parse(&line) {
            Ok(template) => Ok((kind, template)),
            Err(error) => Err(format!("kind `{kind}`: {error}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_a_json_object_of_command_lines() {
        let kinds = |json| parse_templates(json).map(|templates| templates.into_keys().collect::<Vec<_>>());
        assert_eq!(kinds("{}").unwrap(), Vec::<String>::new());
        assert_eq!(kinds(r#"{"a": ["true"], "b": ["cp", "{in}", "{out}"]}"#).unwrap(), ["a", "b"]);
        for wrong in ["", "[]", r#"{"a": "true"}"#, r#"{"a": []}"#, r#"{"a": ["{program}"]}"#] {
            assert!(kinds(wrong).is_err(), "{wrong}");
        }
    }
}
