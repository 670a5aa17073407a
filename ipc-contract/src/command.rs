//! Plain commands: how the arguments of a program are made from a task's args. Nothing is started here, and no shell is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ContractError;
use crate::limits::{ARGUMENT_BYTES, ARGV, COMMAND_BYTES, ENV};
use crate::payload::Payload;
use crate::scan::scan;
use crate::token::{Token, Tokens};

/// The command of a kind: `["convert", "{in}", "--size={w}"]`. A `{field}` stands for a field of the task's args; `{{` and
/// `}}` stand for braces. Each element becomes exactly one argument, whatever the field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandTemplate {
    arguments: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl CommandTemplate {
    /// Reads a command as it is configured, the program first.
    ///
    /// # Errors
    /// `Value` for an empty command, a program with a placeholder, a stray brace or a NUL; `Limit`.
    pub fn parse(run: &[String]) -> Result<Self, ContractError> {
        check_argv(run)?;
        let arguments = run.iter().map(|argument| parse_argument(argument)).collect::<Result<Vec<_>, _>>()?;
        if arguments.iter().take(1).flatten().any(|part| matches!(part, Part::Field(_))) {
            return Err(refused(&run[0], "the program itself must be fixed; use placeholders in its arguments"));
        }
        Ok(Self { arguments })
    }

    /// The command as it was configured.
    pub fn tokens(&self) -> Vec<String> {
        let text = |part: &Part| match part {
            Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
            Part::Field(name) => format!("{{{name}}}"),
        };
        self.arguments.iter().map(|argument| argument.iter().map(text).collect()).collect()
    }

    /// The fields that args must have, each once, in order of first use.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        for part in self.arguments.iter().flatten() {
            if let Part::Field(name) = part
                && !fields.contains(&name.as_str())
            {
                fields.push(name.as_str());
            }
        }
        fields
    }

    /// The program and its arguments for one task. Strings stand as they are, numbers and booleans as in JSON.
    ///
    /// # Errors
    /// `Value`, naming the field that is missing, null, an array, a map or bytes, or holds a NUL; `Limit`; those of
    /// [`scan`](fn@crate::scan::scan).
    pub fn render(&self, args: &Payload) -> Result<Vec<String>, ContractError> {
        let values = read_values(args)?;
        let mut argv = Vec::with_capacity(self.arguments.len());
        let mut size_bytes = 0;
        for argument in &self.arguments {
            let mut text = String::new();
            for part in argument {
                text.push_str(match part {
                    Part::Text(text) => text,
                    Part::Field(field) => value_of(&values, field)?,
                });
                ARGUMENT_BYTES.check(text.len())?;
            }
            size_bytes += text.len();
            COMMAND_BYTES.check(size_bytes)?;
            argv.push(text);
        }
        Ok(argv)
    }
}

/// The args of the built-in kind `command`: a program with its arguments, as somebody typed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandArgs {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The absolute folder to run it in; absent means that of the worker.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Variables beside those of the worker.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl CommandArgs {
    /// Checks what the operating system would refuse.
    ///
    /// # Errors
    /// `Value` or `Limit`, naming the field.
    pub fn validate(&self) -> Result<(), ContractError> {
        check_argv(&self.argv)?;
        if let Some(cwd) = &self.cwd
            && (!cwd.starts_with('/') || cwd.contains('\0'))
        {
            return Err(ContractError::value("cwd", format!("cwd {cwd:?} must be an absolute path")));
        }
        ENV.check(self.env.len())?;
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                let detail = format!("variable {name:?} needs a name without `=`, and text without NUL");
                return Err(ContractError::value("env", detail));
            }
        }
        let env_bytes: usize = self.env.iter().map(|(name, value)| name.len() + value.len()).sum();
        COMMAND_BYTES.check(env_bytes + self.argv.iter().map(String::len).sum::<usize>())
    }
}

fn check_argv(argv: &[String]) -> Result<(), ContractError> {
    if argv.first().is_none_or(String::is_empty) {
        return Err(ContractError::value("argv", "a command must have a program; name it first"));
    }
    ARGV.check(argv.len())?;
    for argument in argv {
        ARGUMENT_BYTES.check(argument.len())?;
        if argument.contains('\0') {
            return Err(refused(argument, "an argument cannot hold a NUL"));
        }
    }
    Ok(())
}

fn parse_argument(argument: &str) -> Result<Vec<Part>, ContractError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if brace == "{" {
            let (field, after) = after
                .split_once('}')
                .ok_or_else(|| refused(argument, "a placeholder is not closed; write {{ for a brace"))?;
            if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
                return Err(refused(
                    argument,
                    "a placeholder names a field by letters, digits, _ . -; write {{ for a brace",
                ));
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Field(field.to_owned()));
            rest = after;
        } else {
            return Err(refused(argument, "a closing brace stands alone; write }} for a brace"));
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn refused(argument: &str, reason: &str) -> ContractError {
    ContractError::value("argv", format!("argument {argument:?}: {reason}"))
}

/// A field of args as text for a command line, or what it is instead.
type Values<'a> = BTreeMap<&'a str, Result<String, &'static str>>;

/// Reads the fields of args without building their inner values.
fn read_values(args: &Payload) -> Result<Values<'_>, ContractError> {
    let bytes = args.value_bytes();
    scan(bytes)?;
    let mut tokens = Tokens::new(bytes);
    let mut values = BTreeMap::new();
    let pairs = match tokens.next()? {
        Token::Map(pairs) => pairs,
        Token::Nil => 0,
        _ => return Err(ContractError::value("args", "args of a command must be a map of its fields")),
    };
    for _ in 0..pairs {
        let key = tokens.next()?;
        tokens.skip_content(key)?;
        let value = tokens.next()?;
        tokens.skip_content(value)?;
        if let Token::Str(name) = key {
            values.insert(name, text_of(value));
        }
    }
    Ok(values)
}

fn text_of(value: Token<'_>) -> Result<String, &'static str> {
    match value {
        Token::Str(text) if text.contains('\0') => Err("text with a NUL"),
        Token::Str(text) => Ok(text.to_owned()),
        Token::Bool(value) => Ok(value.to_string()),
        Token::Unsigned(value) => Ok(value.to_string()),
        Token::Signed(value) => Ok(value.to_string()),
        Token::Float(value) if value.is_finite() => Ok(value.to_string()),
        Token::Float(_) => Err("not a finite number"),
        Token::Nil => Err("null"),
        Token::Bin(_) => Err("bytes"),
        Token::Array(_) => Err("an array"),
        Token::Map(_) => Err("a map"),
    }
}

fn value_of<'v>(values: &'v Values<'_>, field: &str) -> Result<&'v str, ContractError> {
    let reason = match values.get(field) {
        Some(Ok(text)) => return Ok(text),
        Some(Err(what)) => format!("field {field} of args is {what}; it must be text, a number or a boolean"),
        None => format!("field {field} of args is missing; the command needs it"),
    };
    Err(ContractError::value(field, reason))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn template(run: &[&str]) -> Result<CommandTemplate, ContractError> {
        CommandTemplate::parse(&run.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    fn render(run: &[&str], args: &Value) -> Result<Vec<String>, ContractError> {
        template(run)?.render(&Payload::of(args)?)
    }

    #[test]
    fn each_element_becomes_one_argument() {
        let args = json!({ "in": "a b; rm -rf /", "w": 640, "q": 0.5, "n": -3, "on": true, "e": "", "x": [1] });
        let table: &[(&[&str], &[&str])] = &[
            (&["convert", "{in}", "-v"], &["convert", "a b; rm -rf /", "-v"]),
            (&["p", "--size={w}x{w}"], &["p", "--size=640x640"]),
            (&["p", "{q}", "{n}", "{on}"], &["p", "0.5", "-3", "true"]),
            (&["p", "{e}", ""], &["p", "", ""]),
            (&["p", "{{in}}", "{{{w}}}", "}}{{"], &["p", "{in}", "{640}", "}{"]),
            (&["{{p}}"], &["{p}"]),
        ];
        for (run, argv) in table {
            assert_eq!(render(run, &args).unwrap(), *argv);
        }
    }

    #[test]
    fn values_that_are_not_used_may_be_anything() {
        let args = json!({ "a": [1, { "in": 2 }], "b": { "in": 3 }, "in": "x", "z": null });
        assert_eq!(render(&["p", "{in}"], &args).unwrap(), ["p", "x"]);
        let odd_key = Payload(b"\x82\x92\xa2in\x01\x02\xa2in\xa1x".to_vec());
        assert_eq!(template(&["p", "{in}"]).unwrap().render(&odd_key).unwrap(), ["p", "x"]);
    }

    #[test]
    fn fields_are_listed_once_in_order() {
        assert_eq!(template(&["p", "{b}", "{a}{b}", "{{c}}"]).unwrap().fields(), ["b", "a"]);
    }

    #[test]
    fn bad_templates_are_refused() {
        let table: &[(&[&str], &str)] = &[
            (&[], "must have a program"),
            (&[""], "must have a program"),
            (&["{in}"], "program itself must be fixed"),
            (&["a{in}"], "program itself must be fixed"),
            (&["p", "{in"], "not closed"),
            (&["p", "in}"], "stands alone"),
            (&["p", "{}"], "names a field"),
            (&["p", "{a b}"], "names a field"),
            (&["p", "{\"a\":1}"], "names a field"),
            (&["p", "a\0"], "NUL"),
        ];
        for (run, part) in table {
            let error = template(run).unwrap_err();
            assert!(error.detail.contains(part), "{run:?}: {error}");
        }
        let many = vec!["p"; ARGV.default as usize + 1];
        assert_eq!(template(&many).unwrap_err().kind.name(), "limit");
    }

    #[test]
    fn unfit_values_are_refused_by_name() {
        let table = [
            (json!({}), "in of args is missing"),
            (json!(null), "in of args is missing"),
            (json!({ "in": null }), "in of args is null"),
            (json!({ "in": ["a"] }), "in of args is an array"),
            (json!({ "in": { "a": 1 } }), "in of args is a map"),
            (json!({ "in": "a\0b" }), "in of args is text with a NUL"),
            (json!(["in"]), "must be a map"),
            (json!({ "in": "x".repeat(128 * 1024) }), "argument has 131072 bytes"),
        ];
        for (args, part) in table {
            let error = render(&["p", "{in}"], &args).unwrap_err();
            assert!(error.detail.contains(part), "{args}: {error}");
        }
        let many = vec!["{in}"; 20];
        let run: Vec<_> = std::iter::once("p").chain(many).collect();
        let error = render(&run, &json!({ "in": "x".repeat(100_000) })).unwrap_err();
        assert!(error.detail.contains("command has 1100001 bytes"), "{error}");
        assert_eq!(template(&["p"]).unwrap().render(&Payload(vec![0x81])).unwrap_err().kind.name(), "truncated");
    }

    #[test]
    fn typed_commands_are_checked() {
        let argv = |argv: &[&str]| argv.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let env = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let good = CommandArgs { argv: argv(&["ls", "{x}"]), cwd: Some("/tmp".to_owned()), env: env("A", "b=c") };
        good.validate().unwrap();
        let table = [
            (CommandArgs { argv: argv(&[]), ..good.clone() }, "argv"),
            (CommandArgs { argv: argv(&["ls", "a\0"]), ..good.clone() }, "argv"),
            (CommandArgs { cwd: Some("tmp".to_owned()), ..good.clone() }, "cwd"),
            (CommandArgs { cwd: Some("/\0".to_owned()), ..good.clone() }, "cwd"),
            (CommandArgs { env: env("", "b"), ..good.clone() }, "env"),
            (CommandArgs { env: env("A=B", "b"), ..good.clone() }, "env"),
            (CommandArgs { env: env("A", "\0"), ..good.clone() }, "env"),
        ];
        for (args, field) in table {
            let error = args.validate().unwrap_err();
            assert_eq!(error.kind, crate::ErrorKind::Value { field: field.to_owned() }, "{error}");
        }
        let large = CommandArgs { env: env("A", &"x".repeat(1_100_000)), ..good };
        assert_eq!(large.validate().unwrap_err().kind, crate::ErrorKind::Limit("command"));
    }

    proptest! {
        #[test]
        fn any_text_stays_one_argument(text in "[^\0]{0,40}", run in "[^\0]{0,20}") {
            prop_assert_eq!(render(&["p", "{in}"], &json!({ "in": text })).unwrap(), ["p".to_owned(), text]);
            if let Ok(template) = template(&["p", &run]) {
                prop_assert!(template.fields().len() <= run.len());
            }
            let escaped = run.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(render(&["p", &escaped], &json!({})).unwrap(), ["p".to_owned(), run]);
        }
    }
}
