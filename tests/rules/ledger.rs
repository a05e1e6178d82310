//! The ledger: what an isolate counts, when it hands over, and that nothing is counted twice.

use std::collections::BTreeMap;

use countersign_core::gate::Gate;
use countersign_core::operations::ledger::batch::{Batch, LONGEST};
use countersign_core::operations::ledger::reply::{Account, Extent};
use countersign_core::operations::ledger::tally::{GAP_MS, Outcome};
use countersign_core::operations::ledger::{HOUR, Row, Tally};
use countersign_core::operations::status::ledger_reply;
use serde_json::{Value, json};

use crate::support::*;

const NOW_MS: u64 = NOW * 1000;

fn site() -> Gate {
    gate(pinned(), [session_rule(), wrapped_rule()])
}

/// An isolate whose first hand-over is drawn to be at once.
fn tally(gate: &Gate) -> Tally {
    Tally::new(gate.policy(), |bytes| bytes.fill(0), NOW_MS)
}

fn count(tally: &mut Tally, gate: &Gate, header: &str, now_ms: u64) {
    tally.count(&judge(gate, header).pending.events, now_ms);
}

fn taken(tally: &mut Tally, now_ms: u64) -> Option<Batch> {
    let text = tally.take(now_ms)?;
    Some(Batch::parse(&text, now_ms / 1000).unwrap())
}

fn sums(rows: &[Row]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let words = [&row.rule, &row.key, &row.verdict, &row.reason];
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        *sums.entry(words.join("/")).or_default() += row.count;
    }
    sums
}

#[test]
fn every_verdict_is_counted_by_rule_key_and_reason() {
    let gate = site();
    let mut tally = tally(&gate);
    let old = format!("sessionid={}", session("OLD"));
    for header in [
        &old,
        &old,
        &format!("sessionid={}", session("NEW")),
        &format!("sessionid={}", forged()),
    ] {
        count(&mut tally, &gate, header, NOW_MS + 5_000);
    }
    count(&mut tally, &gate, "user_id=x; User_ID=1", NOW_MS + 9_000);
    let judged = judge(&gate, &old);
    let answer = answer_to(&gate, &judged.pending, &page().status(304), &[]);
    tally.count(&answer.events, NOW_MS + 9_000);
    let upgraded = answer_to(&gate, &judged.pending, &page(), &[]);
    tally.count(&upgraded.events, NOW_MS + 9_000);
    let batch = taken(&mut tally, NOW_MS + 10_000).unwrap();
    let expected = [
        ("sessionid//bad-signature/", 1),
        ("sessionid//upgrade-withheld/status", 1),
        ("sessionid/NEW/current/", 1),
        ("sessionid/NEW/upgraded/", 1),
        ("sessionid/OLD/fallback/", 2),
        ("user_id//look-alike/", 1),
        ("user_id//malformed/", 1),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(sums(&batch.rows), expected.into());
    let first = &batch.rows[0];
    assert_eq!(
        (first.at, first.first, first.last),
        (NOW - NOW % HOUR, NOW + 5, NOW + 5)
    );
    assert_eq!(taken(&mut tally, NOW_MS + 11_000), None);
}

#[test]
fn hours_are_counted_apart() {
    let gate = site();
    let mut tally = tally(&gate);
    let header = format!("sessionid={}", session("NEW"));
    let next = (NOW - NOW % HOUR + HOUR) * 1000;
    for at in [NOW_MS, next - 1, next, next + 1_000] {
        count(&mut tally, &gate, &header, at);
    }
    let rows = taken(&mut tally, next + 2_000).unwrap().rows;
    let of = |row: &Row| (row.at, row.count, row.first, row.last);
    let (hour, next) = (NOW - NOW % HOUR, next / 1000);
    let rows: Vec<_> = rows.iter().map(of).collect();
    assert_eq!(rows, [(hour, 2, NOW, next - 1), (next, 2, next, next + 1)]);
}

#[test]
fn an_isolate_hands_over_when_its_time_has_come_and_not_before() {
    let gate = site();
    let header = format!("sessionid={}", session("NEW"));
    let mut tally = tally(&gate);
    assert_eq!(tally.wait(NOW_MS), None, "nothing has been counted");
    count(&mut tally, &gate, &header, NOW_MS);
    assert_eq!(
        tally.wait(NOW_MS),
        Some(1_000),
        "what the response brings goes along"
    );
    assert_eq!(tally.wait(NOW_MS + 500), None, "there is a timer");
    assert!(taken(&mut tally, NOW_MS + 1_000).is_some());
    assert!(!tally.settle(Outcome::Applied, NOW_MS + 1_010));
    assert_eq!(tally.wait(NOW_MS + 1_020), None);
    count(&mut tally, &gate, &header, NOW_MS + 2_000);
    let wait = tally.wait(NOW_MS + 2_000).unwrap();
    assert_eq!(
        u64::from(wait),
        GAP_MS - 1_000,
        "the gap counts from the last one"
    );
    // a timer that its request's end has taken away is set anew
    assert!(tally.wait(NOW_MS + 60_000).is_some());
}

#[test]
fn isolates_that_start_together_do_not_call_together() {
    let gate = site();
    let header = format!("sessionid={}", session("NEW"));
    let wait = |random: fn(&mut [u8])| {
        let mut tally = Tally::new(gate.policy(), random, NOW_MS);
        count(&mut tally, &gate, &header, NOW_MS);
        u64::from(tally.wait(NOW_MS).unwrap())
    };
    assert_eq!(wait(|bytes| bytes.fill(0)), 1_000);
    assert!((12_000..13_000).contains(&wait(|bytes| bytes.fill(128))));
    assert_eq!(wait(|bytes| bytes.fill(255)), GAP_MS);
}

#[test]
fn the_first_use_of_a_key_that_is_not_current_is_handed_over_at_once_and_only_then() {
    let gate = site();
    let old = format!("sessionid={}", session("OLD"));
    let mut tally = Tally::new(gate.policy(), |bytes| bytes.fill(255), NOW_MS);
    count(
        &mut tally,
        &gate,
        &format!("sessionid={}", session("NEW")),
        NOW_MS,
    );
    assert_eq!(tally.wait(NOW_MS).map(u64::from), Some(GAP_MS));
    count(&mut tally, &gate, &old, NOW_MS + 10);
    assert_eq!(tally.wait(NOW_MS + 10), Some(0));
    assert!(taken(&mut tally, NOW_MS + 10).is_some());
    tally.settle(Outcome::Applied, NOW_MS + 20);
    count(&mut tally, &gate, &old, NOW_MS + 30);
    assert_ne!(tally.wait(NOW_MS + 30), Some(0));
}

#[test]
fn what_failed_is_sent_again_as_it_was_and_later_counts_follow() {
    let gate = site();
    let header = format!("sessionid={}", session("NEW"));
    let mut tally = tally(&gate);
    count(&mut tally, &gate, &header, NOW_MS);
    let first = taken(&mut tally, NOW_MS + 1_000).unwrap();
    assert!(tally.is_busy(NOW_MS + 1_000));
    count(&mut tally, &gate, &header, NOW_MS + 1_500);
    assert_eq!(tally.take(NOW_MS + 2_000), None, "one is under way");
    assert!(!tally.settle(Outcome::Failed, NOW_MS + 2_000));
    let waits = tally.wait(NOW_MS + 2_000).unwrap();
    assert_eq!(u64::from(waits), GAP_MS, "no timer is longer");
    let again = taken(&mut tally, NOW_MS + 60_000).unwrap();
    assert_eq!(again, first);
    assert!(
        tally.settle(Outcome::Applied, NOW_MS + 60_010),
        "there is more"
    );
    let second = taken(&mut tally, NOW_MS + 60_020).unwrap();
    assert_eq!(
        (second.isolate, second.batch),
        (first.isolate, first.batch + 1)
    );
    assert_eq!(second.rows[0].count, 1);
}

#[test]
fn a_batch_without_an_answer_is_sent_again() {
    let gate = site();
    let mut tally = tally(&gate);
    count(
        &mut tally,
        &gate,
        &format!("sessionid={}", session("NEW")),
        NOW_MS,
    );
    let first = taken(&mut tally, NOW_MS).unwrap();
    assert_eq!(tally.take(NOW_MS + 29_000), None);
    assert_eq!(taken(&mut tally, NOW_MS + 30_000), Some(first));
}

#[test]
fn a_batch_that_is_refused_is_given_up_and_so_is_one_that_has_failed_for_a_day() {
    let gate = site();
    let header = format!("sessionid={}", session("NEW"));
    let mut tally = tally(&gate);
    count(&mut tally, &gate, &header, NOW_MS);
    assert_eq!(taken(&mut tally, NOW_MS).unwrap().batch, 1);
    assert!(!tally.settle(Outcome::Refused, NOW_MS));
    assert_eq!(tally.take(NOW_MS + 1), None);
    count(&mut tally, &gate, &header, NOW_MS);
    assert_eq!(taken(&mut tally, NOW_MS).unwrap().batch, 2);
    tally.settle(Outcome::Failed, NOW_MS);
    count(&mut tally, &gate, &header, NOW_MS + 90_000_000);
    assert_eq!(taken(&mut tally, NOW_MS + 90_000_000).unwrap().batch, 3);
}

#[test]
fn a_ledger_that_fails_for_long_leaves_two_days_of_counts_at_most() {
    let gate = site();
    let mut tally = tally(&gate);
    let header = format!("sessionid={}; user_id=x", session("NEW"));
    let events = judge(&gate, &header).pending.events;
    let hours = 5_000;
    let at = |hour: u64| NOW_MS + hour * HOUR * 1000;
    for hour in 0..hours {
        tally.count(&events, at(hour));
        tally.take(at(hour));
        tally.settle(Outcome::Failed, at(hour));
    }
    let mut rows = 0;
    while let Some(text) = tally.take(at(hours)) {
        rows += Batch::parse(&text, at(hours) / 1000).unwrap().rows.len();
        tally.settle(Outcome::Applied, at(hours));
    }
    let an_hour = events.len();
    assert!((an_hour..=48 * an_hour).contains(&rows), "{rows} rows");
}

#[test]
fn a_batch_holds_no_value() {
    let gate = site();
    let mut tally = tally(&gate);
    let (good, bad) = (session("OLD"), forged());
    count(
        &mut tally,
        &gate,
        &format!("sessionid={good}; sessionid={bad}; user_id=ada"),
        NOW_MS,
    );
    let text = tally.take(NOW_MS).unwrap();
    for secret in SECRETS
        .iter()
        .map(|(_, text)| *text)
        .filter(|text| !text.is_empty())
    {
        assert!(!text.contains(secret));
    }
    for value in [good.as_str(), bad.as_str(), PAYLOAD, "ada"] {
        assert!(!text.contains(value));
    }
}

fn row() -> Value {
    let at = NOW - NOW % HOUR;
    json!({"at": at, "rule": "sessionid", "key": "NEW", "verdict": "current", "count": 2, "first": at, "last": at + 9})
}

fn batch(rows: impl Into<Value>) -> Value {
    json!({"isolate": "0123456789abcdef", "batch": 1, "rows": rows.into()})
}

#[test]
fn what_a_newer_version_says_is_taken() {
    let rows = vec![with(
        row(),
        json!({"verdict": "half-open", "reason": "of-tomorrow", "country": ["XX"]}),
    )];
    let text = with(batch(rows), json!({"release": "9.0.0"})).to_string();
    let read = Batch::parse(&text, NOW).unwrap();
    assert_eq!(
        (&*read.rows[0].verdict, &*read.rows[0].reason),
        ("half-open", "of-tomorrow")
    );
}

#[test]
fn what_is_no_batch_is_refused() {
    let changed = |change: Value| batch(vec![with(row(), change)]).to_string();
    assert!(Batch::parse(&changed(json!({})), NOW).is_ok());
    let refused = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        batch(json!({})).to_string(),
        batch(vec![json!(1)]).to_string(),
        with(batch(vec![row()]), json!({"isolate": "0123456789ABCDEF"})).to_string(),
        with(batch(vec![row()]), json!({"isolate": 7})).to_string(),
        with(batch(vec![row()]), json!({"batch": 0})).to_string(),
        with(batch(vec![row()]), json!({"batch": -1})).to_string(),
        with(batch(vec![row()]), json!({"batch": 1.5})).to_string(),
        batch(vec![row(); 1_001]).to_string(),
        changed(json!({"at": NOW - NOW % HOUR + 1})),
        changed(json!({"at": 0, "first": 0, "last": 0})),
        changed(json!({"at": NOW - NOW % HOUR + 2 * HOUR})),
        changed(json!({"rule": ""})),
        changed(json!({"rule": "a=b"})),
        changed(json!({"rule": "é"})),
        changed(json!({"rule": "r".repeat(4_097)})),
        changed(json!({"key": "a value"})),
        changed(json!({"key": "lower"})),
        changed(json!({"verdict": ""})),
        changed(json!({"verdict": "<b>"})),
        changed(json!({"reason": "Two words"})),
        changed(json!({"count": 0})),
        changed(json!({"count": -1})),
        changed(json!({"count": "1"})),
        changed(json!({"count": 1u64 << 32})),
        changed(json!({"first": NOW - NOW % HOUR - 1})),
        changed(json!({"last": NOW - NOW % HOUR + HOUR})),
        changed(json!({"first": NOW, "last": NOW - 1})),
        " ".repeat(LONGEST + 1),
    ];
    for text in refused {
        let read = Batch::parse(&text, NOW);
        assert!(read.is_err(), "{}", &text[..text.len().min(200)]);
    }
}

#[test]
fn the_url_says_what_is_asked_for() {
    let both = Some(Extent {
        hours: true,
        days: true,
    });
    let hours = Some(Extent {
        hours: true,
        days: false,
    });
    let neither = Some(Extent {
        hours: false,
        days: false,
    });
    let days = Some(Extent {
        hours: false,
        days: true,
    });
    for (url, expected) in [
        ("https://shop.example/.well-known/countersign?ledger", both),
        ("/?ledger=", both),
        ("/?ledger=hours", hours),
        ("/?a=1&ledger=days&b", days),
        ("/?ledger=keys", neither),
        ("/?ledgers", None),
        ("/?a=ledger", None),
        ("/ledger", None),
        ("/", None),
    ] {
        assert_eq!(Extent::of_url(url), expected, "{url}");
    }
}

#[test]
fn the_account_is_json_with_the_oldest_first() {
    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let account = Account {
        since: NOW,
        keys: texts(&[r#"{"rule":"a"}"#, r#"{"rule":"b"}"#]),
        hours: Some(texts(&[r#"{"at":7200},{"at":7200}"#, r#"{"at":3600}"#])),
        days: Some(Vec::new()),
    };
    let told: Value = serde_json::from_str(&account.to_text()).unwrap();
    let expected = json!({
        "since": NOW,
        "keys": [{"rule": "a"}, {"rule": "b"}],
        "hours": [{"at": 3600}, {"at": 7200}, {"at": 7200}],
        "days": [],
    });
    assert_eq!(told, expected);
    assert_eq!(Account::default().to_text(), r#"{"since":0,"keys":[]}"#);
}

#[test]
fn the_status_tells_the_ledger_or_why_it_does_not() {
    let reply = ledger_reply(true, Some(r#"{"since":1,"keys":[]}"#), NOW);
    assert_eq!(reply.status, 200);
    let told: Value = serde_json::from_str(&reply.body).unwrap();
    let expected = json!({"countersign": env!("CARGO_PKG_VERSION"), "now": NOW, "ledger": {"since": 1, "keys": []}});
    assert_eq!(told, expected);
    let unbound = ledger_reply(false, None, NOW);
    assert_eq!(
        (unbound.status, unbound.body.trim()),
        (404, r#"{"error":"no ledger is bound"}"#)
    );
    for told in [None, Some("<html>")] {
        let silent = ledger_reply(true, told, NOW);
        assert_eq!(
            (silent.status, silent.body.trim()),
            (503, r#"{"error":"the ledger does not answer"}"#)
        );
    }
}
