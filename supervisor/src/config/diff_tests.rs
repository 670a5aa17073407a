//! Tables of files: which lines tell of a change, and whose workers it replaces.

use std::path::{Path, PathBuf};

use super::super::document::Document;
use super::super::resolve::resolve;
use super::*;

fn config(text: &str) -> Config {
    let document = Document::read(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let db = document.raw.db.clone().unwrap_or_else(|| PathBuf::from("/q.db"));
    let (config, problems) = resolve(document.raw, db, "/".into(), 4);
    assert_eq!(problems, [], "{text}");
    config
}

const WAS: &str = "[pools.images]\ncommand = [\"python3\", \"images.py\"]\nworkers = { min = 0, max = 8 }\n";

fn with(more: &str) -> String {
    format!("{WAS}{more}\n")
}

#[test]
fn each_change_is_one_line_with_its_key() {
    let long = format!("[pools.images]\ncommand = [\"{}\"]\nworkers = {{ min = 0, max = 8 }}", "x".repeat(200));
    let cut = format!("pools.images.command: python3 images.py -> {}...", "x".repeat(VALUE_CHARS_MAX));
    let later = "(takes effect at the next start)";
    let table = [
        (with(""), vec![]),
        (WAS.replace("max = 8", "max = 12"), vec!["pools.images.workers: 0..8 -> 0..12".to_owned()]),
        (
            WAS.replace("images]", "pictures]"),
            vec!["pools.images: removed".to_owned(), "pools.pictures: added".to_owned()],
        ),
        (long, vec![cut]),
        (
            with("queues = { images = 3, other = 1 }"),
            vec!["pools.images.queues: images (1) -> images (3), other (1)".to_owned()],
        ),
        (with("limits = { memory = \"512MiB\" }"), vec!["pools.images.limits.memory: none -> 512.0 MiB".to_owned()]),
        (
            WAS.replace("[\"python3\", \"images.py\"]", "[\"python3 images.py\"]"),
            vec!["pools.images.command: python3 images.py -> \"python3 images.py\"".to_owned()],
        ),
        (
            with("recycle = { memory = \"1073741825B\" }"),
            vec!["pools.images.recycle.memory: none -> 1073741825 B".to_owned()],
        ),
        (with("recycle = { age = \"1h\" }"), vec!["pools.images.recycle.age: none -> 1h".to_owned()]),
        (with("umask = \"022\""), vec!["pools.images.umask: 077 -> 022".to_owned()]),
        (with("[kinds.resize]\nqueue = \"images\""), vec!["kinds.resize: added".to_owned()]),
        (with("[kinds.command]\ntimeout = \"2m\""), vec!["kinds.command.timeout: none -> 2m".to_owned()]),
        (with("[queues.images]\nlimit = 3"), vec!["queues.images: added".to_owned()]),
        (with("[host]\nrequire_user = true"), vec!["host.require_user: false -> true".to_owned()]),
        (
            with("[host]\nmemory = \"50%\"\ncgroup = \"off\""),
            vec![format!("host.cgroup: auto -> off {later}"), format!("host.memory: 80% -> 50% {later}")],
        ),
        (format!("db = \"/b.db\"\n{WAS}"), vec![format!("db: /q.db -> /b.db {later}")]),
    ];
    for (text, lines) in table {
        assert_eq!(Diff::of(&config(WAS), &config(&text)).lines(), lines, "{text}");
    }
}

#[test]
fn what_cannot_change_stays_and_is_told_again() {
    let was = config(WAS);
    let read = config(&with("[host]\ncgroup = \"off\"").replace("[pools", "db = \"/b.db\"\n[pools"));
    let diff = Diff::of(&was, &read);
    assert_eq!((diff.now.len(), diff.later.len()), (0, 2));
    let is = read.clone().following(&was).unwrap();
    assert_eq!((is.db.as_path(), &is.host), (Path::new("/q.db"), &was.host));
    assert_eq!(Diff::of(&is, &read), diff);
}

#[test]
fn a_pool_that_comes_back_is_added_and_a_place_without_one_is_not_told() {
    let was = config(WAS);
    let gone = config("").following(&was).unwrap();
    assert_eq!(Diff::of(&was, &gone).now, ["pools.images: removed"]);
    assert_eq!(Diff::of(&gone, &config("")), Diff::default());
    assert_eq!(Diff::of(&gone, &config(WAS)).now, ["pools.images: added"]);
}

#[test]
fn workers_are_replaced_for_what_they_were_started_with_and_for_nothing_else() {
    let table = [
        ("", Renewal::Keep),
        ("scale = { target_wait = \"9s\" }", Renewal::Keep),
        ("recycle = { tasks = 9 }", Renewal::Keep),
        ("queues = [\"images\", \"more\"]", Renewal::Keep),
        ("boot_timeout = \"99s\"", Renewal::Keep),
        ("dump_on_hang = true", Renewal::Keep),
        ("[queues.images]\nlimit = 1", Renewal::Keep),
        ("[kinds.resize]\nqueue = \"images\"", Renewal::Keep),
        ("channel = \"fd3\"", Renewal::Gradual),
        ("limits = { open_files = 99 }", Renewal::Gradual),
        ("nice = 5", Renewal::Gradual),
        ("user = \"nobody\"", Renewal::Gradual),
        ("env = [\"A\"]", Renewal::Gradual),
        ("env_file = \"a.env\"", Renewal::Gradual),
        ("secrets = { A = \"a\" }", Renewal::Gradual),
        ("umask = \"022\"", Renewal::Gradual),
    ];
    let renewal = |was: &Config, is: &Config, name: &str| {
        let pool = |config| Config::pool(config, name).unwrap().1;
        Renewal::of((was, pool(was)), (is, pool(is)))
    };
    let was = config(WAS);
    for (more, want) in table {
        assert_eq!(renewal(&was, &config(&with(more)), "images"), want, "{more}");
        assert_eq!(renewal(&was, &config(&with(more)), "commands"), Renewal::Keep, "{more}");
    }
    let command = config(&WAS.replace("images.py", "pictures.py"));
    assert_eq!(renewal(&was, &command, "images"), Renewal::Gradual);
    let mut resize = WAS.replace("images.py", "pictures.py");
    resize.push_str("[kinds.resize]\nqueue = \"images\"");
    assert_eq!(renewal(&was, &config(&resize), "images"), Renewal::AtOnce);
    let stock = |run: &str| config(&with(&format!("[kinds.digest]\nrun = [\"{run}\"]")));
    let (sum, other) = (stock("sha256sum"), stock("md5sum"));
    let table = [(&was, &sum, Renewal::AtOnce), (&sum, &other, Renewal::AtOnce), (&sum, &was, Renewal::Gradual)];
    for (was, is, want) in table {
        assert_eq!(renewal(was, is, "commands"), want);
        assert_eq!(renewal(was, is, "images"), Renewal::Keep);
    }
}
