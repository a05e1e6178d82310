use serde_json::json;

use super::*;
use crate::remote::ledger::{KeyTimes, Tally};

const DAY: u64 = 86_400;

/// 2026-11-30 12:00 UTC.
const NOW: u64 = 1_796_040_000;

const EVERY: u64 = 90 * DAY;

/// A revision that is so many days old. `keys` is the inside of a `keys` table but for `origin`.
fn revision(days: u64, subject: &str, keys: &str) -> Revision {
    of_text(days, subject, &text(keys))
}

fn of_text(days: u64, subject: &str, text: &str) -> Revision {
    Revision {
        commit: format!("{days}"),
        time: Some(NOW - days * DAY),
        subject: subject.to_owned(),
        draft: crate::rotation::editing::Draft::parse(text, None, "wrangler.toml".into()).unwrap(),
    }
}

fn text(keys: &str) -> String {
    format!(
        "[vars.COUNTERSIGN]\nmode = \"enforce\"\nkeys = {{ {keys}, origin = \"SITE\" }}\n\
         [[vars.COUNTERSIGN.cookies]]\nname = \"sessionid\"\nformat = \"django-session\"\nmax_age = 1209600\n\
         attributes = \"Path=/; HttpOnly; Secure; SameSite=Lax\"\n"
    )
}

/// With a ring of its own for a second rule.
fn with_own_ring(keys: &str, own: &str) -> String {
    text(keys)
        + &format!(
            "[[vars.COUNTERSIGN.cookies]]\nname = \"admin\"\nformat = \"django-session\"\nmax_age = 1209600\n\
             attributes = \"Path=/; HttpOnly; Secure; SameSite=Lax\"\nkeys = {{ {own}, origin = \"ADMIN\" }}\n"
        )
}

struct World {
    history: Vec<Revision>,
    live: Option<Value>,
    new_bytes: Vec<KeyReplacement>,
    secrets: Vec<String>,
    elsewhere: BTreeSet<String>,
    ledger: Option<Ledger>,
    retires_early: bool,
}

impl World {
    /// The newest revision first; it is what is live.
    fn of(history: Vec<Revision>) -> Self {
        let secrets = ["COUNTERSIGN_TOKEN", "SITE", "K0", "K1", "K2", "K3", "OTHER"];
        Self {
            history,
            live: None,
            new_bytes: Vec::new(),
            secrets: secrets.map(str::to_owned).to_vec(),
            elsewhere: BTreeSet::new(),
            ledger: None,
            retires_early: false,
        }
    }

    fn decide(&self) -> Decision {
        let newest = &self.history[0].draft;
        let written = newest.value();
        decide(&Facts {
            live: self.live.as_ref().unwrap_or(&written),
            written: &written,
            capabilities: &newest.capabilities().unwrap_or_default(),
            history: &self.history,
            new_bytes: &self.new_bytes,
            secrets: &self.secrets,
            elsewhere: &self.elsewhere,
            now: NOW,
            every: EVERY,
            ledger: self.ledger.as_ref(),
            retires_early: self.retires_early,
        })
    }
}

const K1: &str = r#"current = "K1", fallbacks = []"#;
const STAGED: &str = r#"current = "K1", fallbacks = ["K2"]"#;
const PROMOTED: &str =
    r#"current = "K2", fallbacks = [{ secret = "K1", until = "2026-12-10T12:00:00Z" }]"#;
const ENDED: &str =
    r#"current = "K2", fallbacks = [{ secret = "K1", until = "2026-11-30T12:00:00Z" }]"#;
const RETIRED: &str = r#"current = "K2", fallbacks = []"#;

fn stage(current: &str, days: u64) -> Decision {
    Decision::Stage {
        key: "KEY_2026_11_30".to_owned(),
        rule: None,
        current: current.to_owned(),
        since: NOW - days * DAY,
    }
}

fn stage_later(current: &str, days: u64) -> Decision {
    let since = NOW - days * DAY;
    Decision::Nothing(Planned {
        step: PlannedStep::Stage {
            current: current.to_owned(),
            since,
        },
        rule: None,
        from: since + EVERY,
    })
}

#[test]
fn each_state_of_a_ring_has_its_step() {
    let promote = Decision::Promote {
        key: "K2".to_owned(),
        rule: None,
        since: NOW - DAY,
    };
    let promote_later = Decision::Nothing(Planned {
        step: PlannedStep::Promote {
            key: "K2".to_owned(),
            since: NOW,
        },
        rule: None,
        from: NOW + SETTLING,
    });
    let retire = Decision::Retire {
        key: "K1".to_owned(),
        rule: None,
        until: NOW,
    };
    let retire_later = Decision::Nothing(Planned {
        step: PlannedStep::Retire {
            key: "K1".to_owned(),
        },
        rule: None,
        from: NOW + 10 * DAY,
    });
    let table = [
        (vec![revision(89, "First", K1)], stage_later("K1", 89)),
        (vec![revision(90, "First", K1)], stage("K1", 90)),
        // the oldest commit in a row counts, whatever else changed meanwhile
        (
            vec![revision(1, "Words", K1), revision(95, "First", K1)],
            stage("K1", 95),
        ),
        // it has not been current without a break
        (
            vec![
                revision(9, "Back", K1),
                revision(50, "Promote K9", r#"current = "K9", fallbacks = ["K1"]"#),
                revision(95, "First", K1),
            ],
            stage_later("K1", 9),
        ),
        (
            vec![revision(0, "Stage K2", STAGED), revision(95, "First", K1)],
            promote_later,
        ),
        (
            vec![revision(1, "Stage K2", STAGED), revision(95, "First", K1)],
            promote,
        ),
        (
            vec![
                revision(4, "Promote K2", PROMOTED),
                revision(5, "Stage K2", STAGED),
                revision(95, "First", K1),
            ],
            retire_later,
        ),
        (
            vec![
                revision(14, "Promote K2", ENDED),
                revision(15, "Stage K2", STAGED),
            ],
            retire,
        ),
        (
            vec![
                revision(0, "Retire K1", RETIRED),
                revision(14, "Promote K2", ENDED),
            ],
            Decision::CleanUp(vec!["K1".to_owned()]),
        ),
    ];
    for (at, (history, expected)) in table.into_iter().enumerate() {
        assert_eq!(World::of(history).decide(), expected, "{at}");
    }
}

#[test]
fn a_rotation_that_has_begun_is_brought_to_its_end_first() {
    let both =
        r#"current = "K1", fallbacks = ["K2", { secret = "K0", until = "2026-11-01T00:00:00Z" }]"#;
    let before =
        r#"current = "K1", fallbacks = [{ secret = "K0", until = "2026-11-01T00:00:00Z" }]"#;
    let mut world = World::of(vec![
        revision(1, "Stage K2", both),
        revision(200, "Promote K1", before),
    ]);
    assert!(matches!(world.decide(), Decision::Promote { key, .. } if key == "K2"));
    world.history.remove(0);
    assert!(matches!(world.decide(), Decision::Retire { key, .. } if key == "K0"));
}

#[test]
fn a_name_that_is_taken_is_numbered() {
    let mut world = World::of(vec![revision(90, "First", K1)]);
    let mut name = || match world.decide() {
        Decision::Stage { key, .. } => {
            world.secrets.push(key.clone());
            key
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(name(), "KEY_2026_11_30");
    assert_eq!(name(), "KEY_2026_11_30_2");
    assert_eq!(name(), "KEY_2026_11_30_3");
    // a name of the history is taken as well: a version of then has other bytes under it
    let old = r#"current = "K1", fallbacks = ["KEY_2026_11_30"]"#;
    let world = World::of(vec![
        revision(40, "Other words", K1),
        revision(50, "Stage", old),
        revision(90, "First", K1),
    ]);
    assert!(matches!(world.decide(), Decision::Stage { key, .. } if key == "KEY_2026_11_30_2"));
}

#[test]
fn only_what_was_a_key_of_the_ring_and_nothing_more_is_cleaned_up() {
    let history = || {
        vec![
            revision(9, "Retire K1", RETIRED),
            of_text(
                20,
                "Promote K2",
                &text(PROMOTED).replace(
                    "keys =",
                    "origin_header = { name = \"x\", secret = \"K3\" }\nkeys =",
                ),
            ),
            revision(30, "Retire", r#"current = "K1", fallbacks = ["K3"]"#),
            revision(40, "First", r#"current = "SITE", fallbacks = ["K0"]"#),
        ]
    };
    let mut world = World::of(history());
    let clean_up =
        |keys: &[&str]| Decision::CleanUp(keys.iter().map(|key| (*key).to_owned()).collect());
    assert_eq!(world.decide(), clean_up(&["K0", "K1"]));
    // another environment uses it
    world.elsewhere.insert("K0".to_owned());
    assert_eq!(world.decide(), clean_up(&["K1"]));
    world.secrets.retain(|secret| secret != "K1");
    assert_eq!(world.decide(), stage_later("K2", 20));
    // the token is kept, whatever a ring once named
    let token = r#"current = "COUNTERSIGN_TOKEN", fallbacks = []"#;
    let world = World::of(vec![
        revision(9, "Next", RETIRED),
        revision(20, "Odd", token),
    ]);
    assert_eq!(world.decide(), stage_later("K2", 9));
}

#[test]
fn new_bytes_make_a_key_young() {
    let mut world = World::of(vec![revision(95, "First", K1)]);
    let new = |days| KeyReplacement {
        key: "K1".to_owned(),
        time: NOW - days * DAY,
    };
    world.new_bytes = vec![new(30), new(60)];
    assert_eq!(world.decide(), stage_later("K1", 30));
    world.new_bytes = vec![new(100)];
    assert_eq!(world.decide(), stage("K1", 95));
}

#[test]
fn each_unusual_state_stops_it() {
    let key = |key: &str| key.to_owned();
    let mut observed = of_text(
        95,
        "First",
        &text(r#"current = "SITE", fallbacks = []"#).replace("enforce", "observe"),
    );
    observed.time = None;
    let mut ageless = revision(95, "First", K1);
    ageless.time = None;
    let own = r#"current = "A1", fallbacks = []"#;
    let table = [
        (
            vec![
                revision(9, "Words", r#"current = "K2", fallbacks = ["K1"]"#),
                revision(95, "First", K1),
            ],
            Stop::NoUntil { key: key("K1") },
        ),
        // the site's own key has signed before
        (
            vec![revision(
                9,
                "Words",
                r#"current = "K2", fallbacks = ["SITE"]"#,
            )],
            Stop::NoUntil { key: key("SITE") },
        ),
        (
            vec![revision(
                9,
                "Words",
                r#"current = "K1", fallbacks = ["K2", "K3"]"#,
            )],
            Stop::SeveralStaged {
                keys: vec![key("K2"), key("K3")],
            },
        ),
        (
            vec![
                revision(0, "Revoke K1", RETIRED),
                revision(14, "Promote K2", PROMOTED),
            ],
            Stop::RevocationUnderWay {
                key: key("K1"),
                until: NOW + QUIET,
            },
        ),
        (
            vec![
                revision(5, "Revert", PROMOTED),
                revision(10, "Revoke K1", RETIRED),
                revision(14, "Promote K2", PROMOTED),
            ],
            Stop::RevokedKeyInUse { key: key("K1") },
        ),
        (
            vec![revision(
                5,
                "Leave: stage SITE",
                r#"current = "K1", fallbacks = []"#,
            )],
            Stop::Leaving,
        ),
        (
            vec![observed],
            Stop::OnlyObserved {
                rule: key("sessionid"),
            },
        ),
        (vec![ageless], Stop::UnknownAge { key: key("K1") }),
        (
            vec![of_text(
                9,
                "Two",
                &with_own_ring(STAGED, r#"current = "A1", fallbacks = ["A2"]"#),
            )],
            Stop::SeveralStaged {
                keys: vec![key("K2"), key("A2")],
            },
        ),
        (
            vec![of_text(
                9,
                "Two",
                &with_own_ring(PROMOTED, r#"current = "K1", fallbacks = []"#),
            )],
            Stop::SharedKey {
                key: key("K1"),
                rules: [None, Some(key("admin"))],
            },
        ),
        (
            vec![of_text(
                9,
                "Two",
                &with_own_ring(STAGED, "fallbacks = []").replace("\"ADMIN\"", "\"SITE\""),
            )],
            Stop::OtherFallbacks { rule: key("admin") },
        ),
        // a rule that lists no fallbacks goes by those of all
        (
            vec![of_text(
                9,
                "Two",
                &with_own_ring(STAGED, r#"current = "A1""#),
            )],
            Stop::SharedKey {
                key: key("K2"),
                rules: [None, Some(key("admin"))],
            },
        ),
    ];
    for (at, (history, stop)) in table.into_iter().enumerate() {
        assert_eq!(World::of(history).decide(), Decision::Stop(stop), "{at}");
    }
    let mut world = World::of(vec![of_text(95, "Two", &with_own_ring(K1, own))]);
    world.live = Some(json!({ "mode": "enforce" }));
    assert_eq!(world.decide(), Decision::Stop(Stop::LiveDiffers));
    // a revocation that is not live yet is more than a difference
    let mut world = World::of(vec![revision(0, "Revoke K1", RETIRED)]);
    world.live = Some(json!({}));
    assert!(matches!(
        world.decide(),
        Decision::Stop(Stop::RevocationUnderWay { .. })
    ));
    let mut world = World::of(vec![revision(95, "First", K1)]);
    world.new_bytes.push(KeyReplacement {
        key: key("K1"),
        time: NOW - QUIET + 1,
    });
    assert!(matches!(
        world.decide(),
        Decision::Stop(Stop::RevocationUnderWay { .. })
    ));
}

#[test]
fn a_revocation_of_long_ago_does_not_stop_it() {
    let world = World::of(vec![
        revision(1, "Revoke K1", RETIRED),
        revision(14, "Promote K2", PROMOTED),
    ]);
    assert_eq!(world.decide(), Decision::CleanUp(vec!["K1".to_owned()]));
    // somebody has staged the key again on purpose
    let again = r#"current = "K2", fallbacks = ["K1"]"#;
    let world = World::of(vec![
        revision(3, "Stage K1", again),
        revision(10, "Revoke K1", RETIRED),
    ]);
    assert!(matches!(world.decide(), Decision::Promote { key, .. } if key == "K1"));
}

#[test]
fn rings_are_rotated_one_after_the_other() {
    let own = r#"current = "A1", fallbacks = []"#;
    let at = |days, keys, own| of_text(days, "Words", &with_own_ring(keys, own));
    let world = World::of(vec![at(95, K1, own)]);
    assert_eq!(world.decide(), stage("K1", 95));
    let world = World::of(vec![at(1, STAGED, own), at(95, K1, own)]);
    assert!(matches!(world.decide(), Decision::Promote { key, rule: None, .. } if key == "K2"));
    let world = World::of(vec![
        at(1, PROMOTED, own),
        at(2, STAGED, own),
        at(95, K1, own),
    ]);
    let staged = Decision::Stage {
        key: "KEY_2026_11_30".to_owned(),
        rule: Some("admin".to_owned()),
        current: "A1".to_owned(),
        since: NOW - 95 * DAY,
    };
    assert_eq!(world.decide(), staged);
}

/// A ledger of so many days in which NEW opens a cookie a day, and K1 opened its last one so many days ago.
fn ledger(began: u64, last: u64) -> Ledger {
    let tally = |days: u64, key: &str, verdict: &str| Tally {
        at: NOW - NOW % DAY - days * DAY,
        rule: "sessionid".to_owned(),
        key: Some(key.to_owned()),
        verdict: verdict.to_owned(),
        reason: None,
        count: 1,
    };
    let new = (0..began).map(|days| tally(days, "K2", "current"));
    let days: Vec<Tally> = new.chain([tally(last, "K1", "fallback")]).collect();
    let hours = days.iter().filter(|day| day.at > NOW - 14 * DAY);
    Ledger {
        now: NOW,
        since: NOW - began * DAY,
        keys: vec![KeyTimes {
            rule: "sessionid".to_owned(),
            key: "K1".to_owned(),
            last_opened: Some(NOW - last * DAY),
            ..KeyTimes::default()
        }],
        hours: hours.cloned().collect(),
        days,
    }
}

/// K1 was replaced so many days ago, and `until` is to come.
fn beside(ledger: Ledger, replaced: u64) -> World {
    let history = vec![
        revision(replaced, "Promote K2", PROMOTED),
        revision(replaced + 1, "Stage K2", STAGED),
        revision(replaced + 100, "Begin", K1),
    ];
    World {
        ledger: Some(ledger),
        retires_early: true,
        ..World::of(history)
    }
}

#[test]
fn a_key_out_of_use_goes_before_its_until_where_the_ledger_has_seen_all() {
    let early = Decision::RetireEarly {
        key: "K1".to_owned(),
        rule: None,
        until: 1_796_904_000, // 2026-12-10 12:00 UTC
        unused: Unused {
            days: 14,
            last_opened: Some(NOW - 16 * DAY),
            now: NOW,
        },
    };
    assert_eq!(beside(ledger(40, 16), 20).decide(), early);
    assert_eq!(
        beside(ledger(20, 16), 20).decide(),
        early,
        "since the promotion"
    );
}

#[test]
fn a_key_stays_until_its_until_where_the_ledger_has_not_seen_all() {
    let later = Decision::Nothing(Planned {
        step: PlannedStep::Retire {
            key: "K1".to_owned(),
        },
        rule: None,
        from: 1_796_904_000,
    });
    assert_eq!(beside(ledger(40, 13), 20).decide(), later, "in use");
    assert_eq!(beside(ledger(19, 16), 20).decide(), later, "it began after");
    let mut gap = ledger(40, 16);
    gap.days.retain(|day| day.at != NOW - NOW % DAY - 3 * DAY);
    assert_eq!(beside(gap, 20).decide(), later, "a day without a count");
    let withheld = |days: u64, count| {
        let mut ledger = ledger(40, 16);
        ledger.days.push(Tally {
            at: NOW - NOW % DAY - days * DAY,
            rule: "sessionid".to_owned(),
            key: None,
            verdict: "upgrade-withheld".to_owned(),
            reason: Some("cacheable".to_owned()),
            count,
        });
        beside(ledger, 20).decide()
    };
    assert_eq!(withheld(18, 20), later, "most upgrades were withheld");
    assert!(matches!(withheld(25, 20), Decision::RetireEarly { .. }));
    let mut without = beside(ledger(40, 16), 20);
    without.ledger = None;
    assert_eq!(without.decide(), later, "no ledger");
    let mut unasked = beside(ledger(40, 16), 20);
    unasked.retires_early = false;
    assert_eq!(unasked.decide(), later, "without --early");
}

#[test]
fn a_key_whose_until_is_past_goes_whatever_the_ledger_says() {
    let mut world = beside(ledger(1, 0), 20);
    world.history[0] = revision(20, "Promote K2", ENDED);
    let ended = Decision::Retire {
        key: "K1".to_owned(),
        rule: None,
        until: NOW,
    };
    assert_eq!(world.decide(), ended);
}
