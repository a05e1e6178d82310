use super::*;

const RING: &str = r#"# a shop
name = "shop"   # its name

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
current   = "KEY_1"                 # signs
fallbacks = ["DJANGO_SECRET_KEY"]   # open
origin    = "DJANGO_SECRET_KEY"     # the site's

# sessions
[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600 # two weeks
attributes = "Path=/; HttpOnly; Secure; SameSite=Lax"
"#;

fn draft(text: &str) -> Draft {
    Draft::parse(text, None, "wrangler.toml".into()).unwrap()
}

fn edited(text: &str, edit: impl FnOnce(&mut Draft) -> Result<(), Failure>) -> String {
    let mut draft = draft(text);
    edit(&mut draft).map_err(drop).unwrap();
    draft.text().to_owned()
}

/// Both texts byte for byte, but for these lines.
fn differs(before: &str, after: &str, gone: &[&str], new: &[&str]) {
    let shown = crate::project::difference::lines(before, after);
    let shown = anstream::adapter::strip_str(&shown).to_string();
    let gone = gone.iter().map(|line| format!("- {line}\n"));
    let expected: String = gone
        .chain(new.iter().map(|line| format!("+ {line}\n")))
        .collect();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&shown), sorted(&expected), "{after}");
}

const UNTIL: &str = "2027-01-01T00:00:00Z";

#[test]
fn a_whole_rotation_changes_only_the_lines_of_the_ring() {
    let staged = edited(RING, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert_eq!(
        staged,
        RING.replace(
            r#"["DJANGO_SECRET_KEY"]   #"#,
            r#"["DJANGO_SECRET_KEY", "KEY_2"]   #"#
        )
    );
    let promoted = edited(&staged, |draft| draft.promote(Ring::Shared, "KEY_2", UNTIL));
    let old = r#"["DJANGO_SECRET_KEY", { secret = "KEY_1", until = "2027-01-01T00:00:00Z" }]   #"#;
    assert_eq!(
        promoted,
        RING.replace(r#"= "KEY_1" "#, r#"= "KEY_2" "#)
            .replace(r#"["DJANGO_SECRET_KEY"]   #"#, old)
    );
    let retired = edited(&promoted, |draft| draft.unlist(Ring::Shared, "KEY_1"));
    assert_eq!(retired, RING.replace(r#"= "KEY_1" "#, r#"= "KEY_2" "#));
}

#[test]
fn a_list_over_several_lines_keeps_each_comment_with_its_key() {
    let text = RING.replace(
        r#"["DJANGO_SECRET_KEY"]   # open"#,
        "[ # open\n  # the site's\n  \"DJANGO_SECRET_KEY\", # forged by whoever has it\n  # since May\n  \"KEY_0\",  # old\n]",
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert_eq!(staged, text.replace("# old\n]", "# old\n  \"KEY_2\",\n]"));
    let gone = edited(&text, |draft| draft.unlist(Ring::Shared, "KEY_0"));
    assert_eq!(
        gone,
        text.replace("  # since May\n  \"KEY_0\",  # old\n", "")
    );
    let gone = edited(&text, |draft| {
        draft.unlist(Ring::Shared, "DJANGO_SECRET_KEY")
    });
    assert_eq!(
        gone,
        text.replace(
            "  # the site's\n  \"DJANGO_SECRET_KEY\", # forged by whoever has it\n",
            ""
        )
    );
    let both = edited(&gone, |draft| draft.unlist(Ring::Shared, "KEY_0"));
    assert!(
        both.contains("fallbacks = [ # open\n]") || both.contains("fallbacks = []"),
        "{both}"
    );
}

#[test]
fn a_list_without_a_last_comma_does_not_lose_its_last_comment() {
    let text = RING.replace(
        r#"["DJANGO_SECRET_KEY"]   # open"#,
        "[\n  \"A\",\n  \"B\" # the last\n]",
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert_eq!(
        staged,
        text.replace("\"B\" # the last\n]", "\"B\", # the last\n  \"KEY_2\"\n]")
    );
    let gone = edited(&text, |draft| draft.unlist(Ring::Shared, "B"));
    assert_eq!(
        gone,
        text.replace("\"A\",\n  \"B\" # the last\n]", "\"A\"\n]")
    );
    let gone = edited(&text, |draft| draft.unlist(Ring::Shared, "A"));
    assert_eq!(gone, text.replace("  \"A\",\n", ""));
}

#[test]
fn one_line_lists_of_every_length_are_edited() {
    for (before, staged) in [
        ("[]", r#"["KEY_2"]"#),
        (r#"["A"]"#, r#"["A", "KEY_2"]"#),
        (r#"[ "A" ]"#, r#"[ "A", "KEY_2" ]"#),
        (r#"["A", ]"#, r#"["A", "KEY_2", ]"#),
        (
            r#"[ { secret = "A", until = "2027-01-01T00:00:00Z" } ]"#,
            r#"[ { secret = "A", until = "2027-01-01T00:00:00Z" }, "KEY_2" ]"#,
        ),
    ] {
        let text = RING.replace(r#"["DJANGO_SECRET_KEY"]"#, before);
        let expected = RING.replace(r#"["DJANGO_SECRET_KEY"]"#, staged);
        let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
        assert_eq!(staged, expected);
        let back = edited(&staged, |draft| draft.unlist(Ring::Shared, "KEY_2"));
        assert_eq!(back, text, "{before}");
    }
}

#[test]
fn only_the_environment_that_is_meant_is_edited() {
    let live = RING
        .lines()
        .skip(3)
        .collect::<Vec<_>>()
        .join("\n")
        .replace("[vars", "[env.live.vars");
    let text = format!("{RING}\n[env.live]\nname = \"live\"\n{live}\n");
    let mut draft = Draft::parse(&text, Some("live"), "wrangler.toml".into()).unwrap();
    draft.stage(Ring::Shared, "KEY_2").map_err(drop).unwrap();
    let after = draft.text();
    let (top, own) = after.split_once("[env.live]").unwrap();
    let (old_top, old_own) = text.split_once("[env.live]").unwrap();
    assert_eq!(top, old_top);
    assert_eq!(
        own,
        old_own.replace(
            r#"["DJANGO_SECRET_KEY"]"#,
            r#"["DJANGO_SECRET_KEY", "KEY_2"]"#
        )
    );
    assert!(Draft::parse(&text, Some("staging"), "wrangler.toml".into()).is_none());
}

#[test]
fn no_current_key_moves_where_the_origins_is_not_named() {
    let text = RING.replace("origin    = \"DJANGO_SECRET_KEY\"     # the site's\n", "");
    let mut draft = draft(&edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2")));
    for failure in [
        draft.promote(Ring::Shared, "KEY_2", UNTIL).unwrap_err(),
        draft.put_in_place(Ring::Shared, "KEY_2").unwrap_err(),
    ] {
        assert!(failure.says("does not name the key that the site signs with"));
    }
    assert_eq!(draft.value()["keys"]["current"], "KEY_1");
}

#[test]
fn a_rule_with_a_current_key_of_its_own_may_inherit_the_origins() {
    let text = format!("{RING}keys = {{ current = \"KEY_3\", fallbacks = [\"KEY_4\"] }}\n");
    let after = edited(&text, |draft| {
        draft.promote(Ring::Of("sessionid"), "KEY_4", UNTIL)
    });
    let value = draft(&after).value();
    assert_eq!(value["cookies"][0]["keys"]["current"], "KEY_4");
    assert!(value["cookies"][0]["keys"]["origin"].is_null());
    assert_eq!(value["keys"]["origin"], "DJANGO_SECRET_KEY");
}

#[test]
fn how_a_key_is_written_goes_with_it() {
    let text = RING.replace(
        r#""KEY_1" "#,
        r#"{ secret = "KEY_1", encoding = "base64", allow_weak = true }"#,
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert!(
        staged.contains(r#", { secret = "KEY_2", encoding = "base64" }]"#),
        "{staged}"
    );
    let promoted = edited(&staged, |draft| draft.promote(Ring::Shared, "KEY_2", UNTIL));
    let value = draft(&promoted).value();
    assert_eq!(
        value["keys"]["current"],
        serde_json::json!({ "secret": "KEY_2", "encoding": "base64" })
    );
    assert_eq!(
        value["keys"]["fallbacks"][1],
        serde_json::json!({ "secret": "KEY_1", "encoding": "base64", "until": UNTIL })
    );
}

#[test]
fn a_current_key_that_is_listed_as_well_gets_its_end() {
    let text = RING.replace(r#"["DJANGO_SECRET_KEY"]"#, r#"["KEY_1", "KEY_2"]"#);
    let after = edited(&text, |draft| draft.promote(Ring::Shared, "KEY_2", UNTIL));
    differs(
        &text,
        &after,
        &[
            r#"current   = "KEY_1"                 # signs"#,
            r#"fallbacks = ["KEY_1", "KEY_2"]   # open"#,
        ],
        &[
            r#"current   = "KEY_2"                 # signs"#,
            r#"fallbacks = [{ secret = "KEY_1", until = "2027-01-01T00:00:00Z" }]   # open"#,
        ],
    );
}

#[test]
fn a_rule_with_a_ring_of_its_own_is_rotated_alone() {
    let text = format!(
        "{RING}\n[[vars.COUNTERSIGN.cookies]]\nname = \"theme\"\nformat = \"django-signed-cookie\"\nupgrade = \"never\"\nkeys = {{ current = \"THEME_1\" }}\n"
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Of("theme"), "THEME_2"));
    assert_eq!(
        staged,
        text.replace(
            r#"{ current = "THEME_1" }"#,
            r#"{ current = "THEME_1", fallbacks = ["DJANGO_SECRET_KEY", "THEME_2"] }"#
        )
    );
    assert_eq!(draft(&text).rings(), [None, Some("theme".to_owned())]);
    assert_eq!(draft(&text).rules(Ring::Shared), ["sessionid"]);
    let mut none = draft(&text);
    assert!(none.stage(Ring::Of("sessionid"), "KEY_2").is_err());
    assert!(none.stage(Ring::Of("other"), "KEY_2").is_err());
}

#[test]
fn a_rule_that_lists_its_own_fallbacks_follows_the_shared_ring() {
    let text = format!(
        "{RING}\n[[vars.COUNTERSIGN.cookies]]\nname = \"theme\"\nformat = \"django-signed-cookie\"\nupgrade = \"never\"\nkeys.fallbacks = []\n"
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert!(
        staged.contains("keys.fallbacks = [\"KEY_2\"]\n"),
        "{staged}"
    );
    let promoted = edited(&staged, |draft| draft.promote(Ring::Shared, "KEY_2", UNTIL));
    assert!(
        promoted.contains("keys.fallbacks = [{ secret = \"KEY_1\", until ="),
        "{promoted}"
    );
}

#[test]
fn tables_written_out_in_full_are_edited_too() {
    let text = RING.replace(
        "fallbacks = [\"DJANGO_SECRET_KEY\"]   # open\norigin    = \"DJANGO_SECRET_KEY\"     # the site's\n",
        "origin    = \"DJANGO_SECRET_KEY\"     # the site's\n\n# the first\n[[vars.COUNTERSIGN.keys.fallbacks]]\nsecret = \"DJANGO_SECRET_KEY\" # old\n",
    );
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert_eq!(
        draft(&staged).value()["keys"]["fallbacks"][1]["secret"],
        "KEY_2"
    );
    assert!(staged.contains("# the first\n[[vars.COUNTERSIGN.keys.fallbacks]]\nsecret = \"DJANGO_SECRET_KEY\" # old\n"), "{staged}");
    let promoted = edited(&staged, |draft| draft.promote(Ring::Shared, "KEY_2", UNTIL));
    let value = draft(&promoted).value();
    assert_eq!(value["keys"]["current"], "KEY_2");
    assert_eq!(
        value["keys"]["fallbacks"][1],
        serde_json::json!({ "secret": "KEY_1", "until": UNTIL })
    );
    assert!(draft(&promoted).policy().is_ok());
}

#[test]
fn a_format_moves_and_the_origins_is_written_down() {
    let sha1 = serde_json::json!({ "format": "django-session", "digest": "sha1" });
    let sha256 = serde_json::json!({ "format": "django-session" });
    let text = RING.replace(
        "\"django-session\"\n",
        "\"django-session\"\ndigest     = \"sha1\" # old\n",
    );
    assert_eq!(
        draft(&text).format("sessionid").map_err(drop),
        Ok(sha1.clone())
    );
    let staged = edited(&text, |draft| draft.accept("sessionid", &sha256, None));
    let promoted = edited(&staged, |draft| {
        draft.promote_format("sessionid", &sha256, Some(UNTIL))
    });
    let rule = &draft(&promoted).value()["cookies"][0];
    assert_eq!(rule["digest"], serde_json::Value::Null);
    assert_eq!(rule["origin"], sha1);
    assert_eq!(rule["accept"][0]["digest"], "sha1");
    assert_eq!(rule["accept"][0]["until"], UNTIL);
    assert!(promoted.contains("max_age    = 1209600 # two weeks\n"));
    let retired = edited(&promoted, |draft| draft.unaccept("sessionid", &sha1));
    assert_eq!(
        draft(&retired).value()["cookies"][0]["accept"],
        serde_json::json!([])
    );
    assert!(draft(&retired).policy().is_ok(), "{retired}");
}

#[test]
fn line_ends_of_windows_stay() {
    let text = RING.replace('\n', "\r\n");
    let staged = edited(&text, |draft| draft.stage(Ring::Shared, "KEY_2"));
    assert_eq!(
        staged,
        text.replace(
            r#"["DJANGO_SECRET_KEY"]"#,
            r#"["DJANGO_SECRET_KEY", "KEY_2"]"#
        )
    );
}

#[test]
fn what_is_not_edited_comes_out_as_it_was() {
    for text in [
        RING,
        &format!("{RING}# the end"),
        &format!("\u{feff}{RING}"),
    ] {
        assert_eq!(draft(text).text(), text);
    }
}

#[test]
fn a_fallback_that_only_one_rule_lists_is_one_of_the_ring() {
    let text = format!(
        "{RING}\n[[vars.COUNTERSIGN.cookies]]\nname = \"theme\"\nformat = \"django-signed-cookie\"\nupgrade = \"never\"\nkeys.fallbacks = [\"LEAKED\"]\nkeys.origin = {{ current = \"DJANGO_SECRET_KEY\", fallbacks = [\"LEAKED\"] }}\n"
    );
    let listed = draft(&text).fallbacks(Ring::Shared).map_err(drop).unwrap();
    let listed: Vec<&str> = listed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(listed, ["DJANGO_SECRET_KEY", "LEAKED"]);
    let gone = edited(&text, |draft| {
        draft.unlist(Ring::Shared, "LEAKED")?;
        draft.unlist_origin(Ring::Shared, "LEAKED")
    });
    assert!(!gone.contains("LEAKED"), "{gone}");
}

#[test]
fn there_is_no_shared_ring_to_edit_where_every_rule_has_its_own() {
    let ring = "keys = { current = \"OWN\", origin = \"DJANGO_SECRET_KEY\" }\n";
    let start = RING.find("[vars.COUNTERSIGN.keys]").unwrap();
    let end = RING.find("# sessions").unwrap();
    let text = format!("{}{}{ring}", &RING[..start], &RING[end..]);
    assert_eq!(draft(&text).rings(), [Some("sessionid".to_owned())]);
    assert!(draft(&text).policy().is_ok());
}
