//! A deployment that nobody watches closely: what is refused before anything is done, what a hook refuses, and what
//! is left and said where somebody ends the command.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::year::{START, World, told};

const NOW: u64 = START + 5 * 86_400;

const STAGE: [&str; 3] = ["stage", "KEY_2", "--deploy"];

/// A world in which the command is run, and what it was like before.
struct Night {
    world: World,
    before: State,
}

/// What must not change without a word.
#[derive(Debug, PartialEq)]
struct State {
    toml: String,
    head: String,
    status: String,
    /// What wrangler was told that changes something.
    changes: Vec<String>,
}

impl Night {
    fn new() -> Self {
        let world = World::new("night");
        world.at(NOW);
        let before = state(&world);
        Self { world, before }
    }

    fn told(&self, name: &str) -> PathBuf {
        told(&self.world.root).join(name)
    }

    /// Has the stand-ins go wrong.
    fn set(&self, name: &str, text: &str) {
        fs::write(self.told(name), text).unwrap();
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.world.root.join("repository").join(name)
    }

    fn hook(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.repository(".git/hooks/pre-commit");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_countersign"), NOW);
        command.args(words);
        command
    }

    fn git(&self, words: &[&str]) -> String {
        self.world.git(NOW, words)
    }

    /// Ends the command by a signal as soon as what is slow has begun; answers what it said.
    fn interrupted(&self, words: &[&str], slow: &str, signal: &str) -> String {
        self.set("slow", slow);
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        self.wait_for("waiting");
        kill(&child, signal);
        let run = child.wait_with_output().unwrap();
        let said = printed(&run);
        assert_eq!(run.status.code(), Some(130), "{slow}: {said}");
        let asleep = fs::read_to_string(self.told("waiting")).unwrap();
        // whoever is told to end does so by himself, a little later
        let ends = || (0..500).any(|_| !is_running(asleep.trim()) || nap());
        assert!(ends(), "{slow}: wrangler goes on");
        fs::remove_file(self.told("slow")).unwrap();
        fs::remove_file(self.told("waiting")).unwrap();
        said
    }

    fn wait_for(&self, name: &str) {
        for _ in 0..2_000 {
            if self.told(name).exists() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{name} did not come");
    }
}

fn state(world: &World) -> State {
    let recorded = fs::read_to_string(told(&world.root).join("recorded")).unwrap_or_default();
    let is_change = |line: &&str| !line.contains(" list ") && !line.contains(" status ");
    State {
        toml: fs::read_to_string(world.root.join("repository/wrangler.toml")).unwrap(),
        head: world.git(NOW, &["rev-parse", "HEAD"]),
        status: world.git(NOW, &["status", "--porcelain"]),
        changes: recorded
            .lines()
            .filter(is_change)
            .map(str::to_owned)
            .collect(),
    }
}

/// Lets 10 ms pass; never the last word.
fn nap() -> bool {
    thread::sleep(Duration::from_millis(10));
    false
}

fn kill(child: &Child, signal: &str) {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, &child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

fn is_running(pid: &str) -> bool {
    // one that has ended may wait for its parent to take note
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !pid.is_empty() && !status.is_empty() && !status.contains(") Z ")
}

fn printed(run: &Output) -> String {
    let text = [&run.stderr, &run.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    text.concat()
}

#[track_caller]
fn assert_said(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn what_this_machine_can_tell_is_refused_before_anybody_is_asked() {
    /// What is wrong, and how the command's environment shows it.
    type Fault = (&'static str, fn(&Night, &mut Command), i32, &'static str);
    let faults: [Fault; 8] = [
        (
            "no token",
            |_, command| {
                command.env_remove("COUNTERSIGN_TOKEN");
            },
            2,
            "COUNTERSIGN_TOKEN is not set",
        ),
        (
            "no wrangler",
            |night, command| {
                let folder = night.told("bin");
                fs::create_dir(&folder).unwrap();
                for program in ["git", "sh"] {
                    let found = Command::new("sh")
                        .args(["-c", &format!("command -v {program}")])
                        .output()
                        .unwrap();
                    std::os::unix::fs::symlink(
                        String::from_utf8(found.stdout).unwrap().trim(),
                        folder.join(program),
                    )
                    .unwrap();
                }
                command.env("PATH", folder);
            },
            3,
            "wrangler is not installed",
        ),
        (
            "changes",
            |night, _| fs::write(night.repository("notes"), "").unwrap(),
            1,
            "the working tree has changes",
        ),
        (
            "no identity",
            |_, command| {
                for who in ["AUTHOR", "COMMITTER"] {
                    for what in ["NAME", "EMAIL"] {
                        command.env_remove(format!("GIT_{who}_{what}"));
                    }
                }
                command.env("HOME", "/nonexistent").env("EMAIL", "");
                command
                    .args(["--config", "wrangler.toml"])
                    .env("GIT_CONFIG_COUNT", "1");
                command
                    .env("GIT_CONFIG_KEY_0", "user.useConfigOnly")
                    .env("GIT_CONFIG_VALUE_0", "true");
            },
            1,
            "git does not know who makes it",
        ),
        (
            "no branch",
            |night, _| drop(night.git(&["checkout", "--quiet", "--detach"])),
            1,
            "no branch is checked out",
        ),
        (
            "a merge",
            |night, _| {
                fs::write(
                    night.repository(".git/MERGE_HEAD"),
                    night.git(&["rev-parse", "HEAD"]),
                )
                .unwrap()
            },
            1,
            "a merge is under way",
        ),
        (
            "a rebase",
            |night, _| fs::create_dir(night.repository(".git/rebase-merge")).unwrap(),
            1,
            "a rebase is under way",
        ),
        (
            "not tracked",
            |night, command| {
                fs::write(night.repository(".git/info/exclude"), "own.toml\n").unwrap();
                fs::copy(
                    night.repository("wrangler.toml"),
                    night.repository("own.toml"),
                )
                .unwrap();
                command.args(["--config", "own.toml"]);
            },
            1,
            "git does not track the configuration",
        ),
    ];
    for (name, spoil, code, text) in faults {
        let night = Night::new();
        night.set("slow", "site"); // whoever asks it waits for long
        let mut command = night.command(&STAGE);
        spoil(&night, &mut command);
        let spoiled = state(&night.world);
        let run = command.output().unwrap();
        let said = printed(&run);
        assert_eq!(run.status.code(), Some(code), "{name}: {said}");
        assert_said(&said, &[text]);
        assert!(
            !night.told("waiting").exists(),
            "{name}: the live Worker was asked"
        );
        assert!(!night.told("recorded").exists(), "{name}: wrangler was run");
        assert_eq!(state(&night.world), spoiled, "{name}");
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn a_hook_that_refuses_leaves_no_edit_behind() {
    for hook in [
        "echo 'prettier: wrangler.toml'; echo 'fix it' >&2; exit 1",
        "echo '# formatted' >> wrangler.toml; git add wrangler.toml; echo 'prettier: wrangler.toml' >&2; echo 'fix it' >&2; exit 1",
    ] {
        let night = Night::new();
        night.hook(hook);
        let run = night.command(&STAGE).output().unwrap();
        let said = printed(&run);
        assert_eq!(run.status.code(), Some(3), "{said}");
        let parts = [
            "git did not commit wrangler.toml:",
            "fix it",
            "wrangler.toml is as it was before, and nothing is uploaded",
        ];
        assert_said(&said, &parts);
        assert_eq!(state(&night.world), night.before, "{hook}");
        assert_eq!(night.git(&["diff", "--cached", "--name-only"]), "");
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn whoever_ends_it_before_the_commit_changes_nothing() {
    let night = Night::new();
    for (signal, slow, text) in [
        ("INT", "site", "was asked"),
        (
            "TERM",
            "deployments status",
            "while `npx wrangler deployments status --json",
        ),
        ("HUP", "secret list", "while `npx wrangler secret list"),
    ] {
        let said = night.interrupted(&STAGE, slow, signal);
        assert_said(&said, &["error: interrupted while ", text]);
        assert_eq!(state(&night.world), night.before, "{slow}");
    }
    night.hook("touch \"$TOLD/waiting\"; sleep 20");
    let said = night.interrupted(&STAGE, "the hook", "INT");
    let parts = [
        "interrupted while git made the commit",
        "wrangler.toml is as it was before, and nothing is uploaded",
    ];
    assert_said(&said, &parts);
    assert_eq!(state(&night.world), night.before);
    fs::remove_file(night.repository(".git/hooks/pre-commit")).unwrap();
    let run = night.command(&STAGE).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", printed(&run));
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn whoever_ends_it_after_the_commit_is_told_how_far_it_has_come() {
    let committed = "the commit \"Stage KEY_2\" is made and not live: run the command again, or take it back with git revert";
    let secret = "npx wrangler versions secret delete KEY_2";
    for (signal, slow, parts) in [
        (
            "INT",
            "versions upload",
            vec![
                "interrupted while `npx wrangler versions upload",
                "whether the version has been uploaded is not known; it has no traffic: npx wrangler versions list",
                committed,
            ],
        ),
        (
            "TERM",
            "versions deploy version-0@100",
            vec![
                "interrupted while `npx wrangler versions deploy version-0@100 version-",
                "is uploaded, and has no traffic",
                secret,
                committed,
            ],
        ),
        (
            "INT",
            "new version",
            vec![
                "was asked",
                "may still be part of the deployment, at 0 %; take it out: npx wrangler versions deploy version-0@100",
                secret,
                committed,
            ],
        ),
        (
            "INT",
            "full",
            vec![
                "interrupted while `npx wrangler versions deploy version-",
                "has all traffic by now is not known: countersign status",
                "the commit \"Stage KEY_2\" is made: run the command again",
            ],
        ),
    ] {
        let night = Night::new();
        let said = night.interrupted(&STAGE, slow, signal);
        assert_said(&said, &parts);
        let after = state(&night.world);
        assert_eq!(
            night.git(&["rev-parse", "HEAD^"]),
            night.before.head,
            "{slow}"
        );
        assert_eq!(after.status, "", "{slow}");
        // and so it goes on
        let run = night.command(&STAGE).output().unwrap();
        assert_eq!(run.status.code(), Some(0), "{slow}: {}", printed(&run));
        assert_eq!(state(&night.world).head, after.head, "{slow}");
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn whoever_ends_it_before_it_is_seen_is_told_that_it_is_deployed() {
    let night = Night::new();
    night.set("stale", "");
    let mut command = night.command(&STAGE);
    command.env_remove("COUNTERSIGN_TEST_NO_PAUSE");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    // it is said once it has been waited for over a second
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap() + "\n";
        if line.contains("answer with it … ") {
            kill(&child, "INT");
        }
        said += &line;
    }
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(130), "{said}");
    let parts = [
        "interrupted while the live Worker was waited for",
        "is deployed; whether http://",
        "answers with it has not been seen: countersign status",
        "the commit \"Stage KEY_2\" is made and deployed: keep it",
        "answer with it … ",
    ];
    assert_said(&said, &parts);
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn whoever_ends_new_bytes_is_told_that_they_may_be_there() {
    let night = Night::new();
    let run = night.command(&STAGE).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", printed(&run));
    let said = night.interrupted(&["revoke", "KEY_2", "--now"], "secret put", "INT");
    let parts = [
        "logs in again: nobody",
        "interrupted while `npx wrangler secret put KEY_2",
        "whether KEY_2 got new bytes is not known",
    ];
    assert_said(&said, &parts);
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn what_wrangler_prints_beside_its_answers_changes_nothing() {
    for noise in ["noisy", "written"] {
        let night = Night::new();
        night.set(noise, "");
        let run = night
            .command(&STAGE)
            .env("WRANGLER_LOG", "error")
            .output()
            .unwrap();
        let said = printed(&run);
        assert_eq!(run.status.code(), Some(0), "{noise}: {said}");
        assert_said(&said, &["deployed version-"]);
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn the_secret_of_a_version_that_is_refused_is_named() {
    let night = Night::new();
    night.set("other", "");
    let run = night.command(&STAGE).output().unwrap();
    let said = printed(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    let parts = [
        "the new version does not have this configuration",
        "the secret KEY_2 came with that version",
        "npx wrangler versions secret delete KEY_2 --config wrangler.toml --env=",
    ];
    assert_said(&said, &parts);
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn a_rotation_goes_on_once_an_unseen_step_is_live() {
    let night = Night::new();
    let late = START + 100 * 86_400;
    night.set("stale", "");
    let rotate = || {
        night.world.at(late);
        let mut command = night.world.command(env!("CARGO_BIN_EXE_countersign"), late);
        let run = command.arg("rotate").output().unwrap();
        (run.status.code(), printed(&run))
    };
    let (code, said) = rotate();
    assert_eq!(code, Some(3), "{said}");
    assert_said(
        &said,
        &["is deployed, and http://", "is made and deployed: keep it"],
    );
    // until it is there, a person has to look
    let (code, said) = rotate();
    assert_eq!(code, Some(1), "{said}");
    assert_said(&said, &["what is live is not what is committed"]);
    for name in ["text", "id"] {
        fs::copy(
            night.told(&format!("new.{name}")),
            night.told(&format!("live.{name}")),
        )
        .unwrap();
    }
    let (code, said) = rotate();
    assert_eq!(code, Some(0), "{said}");
    assert_said(&said, &["nothing is due; next: promote KEY_2027_"]);
}
