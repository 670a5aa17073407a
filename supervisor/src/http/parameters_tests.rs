//! Requests and what is read from behind their `?`.

use super::*;

fn uri(query: &str) -> Uri {
    format!("/v1/tasks?{query}").parse().unwrap()
}

#[test]
fn what_a_path_does_not_know_is_refused_with_the_nearest() {
    let table = [
        ("stat=failed", "did you mean state? known: state, kind, queue, limit, cursor"),
        ("sort=id;drop", "known: state, kind, queue, limit, cursor"),
        ("Limit=1", "did you mean limit? known: state, kind, queue, limit, cursor"),
        ("=1", "known: state, kind, queue, limit, cursor"),
        ("limit=1&kind=a&limit=2", "give each one once"),
    ];
    for (query, hint) in table {
        let error = ListQuery::read(&uri(query)).unwrap_err();
        assert_eq!((error.status.as_u16(), error.body.code.as_str()), (400, "invalid_query"), "{query}");
        assert_eq!(error.body.hint, hint, "{query}");
    }
    assert_eq!(none(&uri("")), Ok(()));
    assert_eq!(none(&uri("limit=1")).unwrap_err().body.hint, "it takes none");
    assert_eq!(wait(&uri("wiat=1s")).unwrap_err().body.hint, "did you mean wait? known: wait");
    assert_eq!(
        LogQuery::read(&uri("folow=true")).unwrap_err().body.hint,
        "did you mean follow? known: attempt, follow"
    );
}

#[test]
fn a_page_has_a_filter_a_limit_and_a_place() {
    let all = ListQuery { filter: Filter::default(), limit: LIST_DEFAULT, after: None };
    assert_eq!(ListQuery::read(&uri("")), Ok(all));
    let whole = ListQuery::read(&uri("state=failed&kind=a%20b&queue=q&limit=500&cursor=-7.12.a.b")).unwrap();
    let filter = Filter { state: Some(TaskState::Failed), kind: Some("a b".to_owned()), queue: Some("q".to_owned()) };
    assert_eq!(whole, ListQuery { filter, limit: 500, after: Some("-7.12.a.b".parse().unwrap()) });
    let table = [
        ("limit=0", "choose 1 to 500 (by default 50)"),
        ("limit=501", "choose 1 to 500 (by default 50)"),
        ("limit=ten", "choose 1 to 500 (by default 50)"),
        ("limit=", "choose 1 to 500 (by default 50)"),
        ("state=complete", "did you mean completed?"),
        ("state=", "states are "),
        ("cursor=", "leave it out to begin anew"),
        ("cursor=next", "leave it out to begin anew"),
    ];
    for (query, hint) in table {
        let error = ListQuery::read(&uri(query)).unwrap_err();
        assert!(error.status.as_u16() == 400 && error.body.hint.contains(hint), "{query}: {error}");
    }
    for state in TaskState::ALL {
        assert_eq!(state_named(state.name()), Ok(state));
    }
}

#[test]
fn a_wait_is_a_duration_within_its_limit() {
    let read = |text: &str| wait(&uri(&format!("wait={text}"))).ok();
    assert_eq!(wait(&uri("")), Ok(Duration::ZERO));
    for (text, seconds) in [("30s", Some(30)), ("1m", Some(60)), ("61s", None), ("30", None), ("-1s", None), ("", None)]
    {
        assert_eq!(read(text), seconds.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn a_log_is_of_one_run_or_goes_on() {
    let query = |attempt, follow| Some(LogQuery { attempt, follow });
    let table = [
        ("", query(None, false)),
        ("follow=true", query(None, true)),
        ("follow=false&attempt=3", query(Some(3), false)),
        ("attempt=3&follow=true", query(Some(3), true)),
        ("attempt=0", None),
        ("attempt=-1", None),
        ("attempt=last", None),
        ("attempt=", None),
        ("follow=1", None),
        ("follow", None),
    ];
    for (text, read) in table {
        assert_eq!(LogQuery::read(&uri(text)).ok(), read, "{text}");
    }
}
