//! Whole files with everything wrong in them, as they are shown. The expected texts are in `golden/`; with UPDATE_GOLDEN set
//! they are written anew.

use std::path::{Path, PathBuf};

use super::super::problem::Report;
use super::super::resolve::resolve;
use super::*;

/// What `check` shows of a text, whatever the host.
fn shown(text: &str) -> String {
    let problems = match Document::read(text) {
        Err(problems) => problems,
        Ok(Document { raw, marks }) => marks.all_with(resolve(raw, "/q/queue.db".into(), "/q".into(), 4).1),
    };
    Report::new(Path::new("supervisor.toml"), text, problems).to_string()
}

#[test]
fn whole_files_are_shown_as_in_the_golden_texts() {
    for name in ["keys", "types", "values", "syntax"] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/config/golden");
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let (golden, said) = (folder.join(format!("{name}.txt")), format!("{}\n", shown(&text)));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
        assert_eq!(said, std::fs::read_to_string(&golden).unwrap(), "{name}");
    }
}

#[test]
fn a_misspelled_key_is_read_as_the_one_that_was_meant() {
    let text = "[pool.a]\ncomand = ['x']\nworker = 0\n[kinds.k]\nqueue = 'a'\nqeue = 'b'\n[kinds.k.backof]\nbas = 7";
    let document = Document::read(text).unwrap();
    assert_eq!(document.raw.pools["a"].command, Some(vec!["x".to_owned()]));
    assert_eq!(document.raw.kinds["k"].queue.as_deref(), Some("a"), "what is there is not overwritten");
    let problems = document.marks.all_with([Problem::new("pools.a.workers", "must be 1 to 256")]);
    let found: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.key.as_str(), &text[problem.span.clone().unwrap()])).collect();
    let expected = [
        ("kinds.k.backof", "backof"),
        ("kinds.k.backoff.bas", "bas"),
        ("kinds.k.backoff.base", "7"),
        ("kinds.k.qeue", "qeue"),
        ("pool", "pool"),
        ("pools.a.comand", "comand"),
        ("pools.a.worker", "worker"),
        ("pools.a.workers", "0"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_follows_from_a_value_that_was_left_out_is_not_told() {
    let document = Document::read("[pools.a]\ncommand = 'python3 a.py'\n[pools.ab]\nstock = true").unwrap();
    let further = ["pools.a", "pools.a.command", "pools.ab", "pools.a.workers", "pools"];
    let problems = document.marks.all_with(further.map(|key| Problem::new(key, "s")));
    let keys: Vec<&str> = problems.iter().skip(1).map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["pools.ab", "pools.a.workers"], "neither itself nor what is around it");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r#"(\PC|[\[\]{}=."'\n\t#])*"#) {
        shown(&text);
    }

    #[test]
    fn no_structure_makes_it_panic(lines in proptest::collection::vec(
        r#"\[(pools|kinds|pool|x)(\.[a-b]){0,2}\]|(db|command|queues|timeout|backoff|jitter|workers|x|a)(\.[a-c])? = (1|'a'|\['a', 2\]|\{ base = 1 \}|1e999|99999999999999999999|nan|1979-05-27)"#,
        0..12,
    )) {
        shown(&lines.join("\n"));
    }
}
