//! A year of `countersign rotate`, once a day: each step is taken once, and nobody is logged out.
//!
//! git is the real one. `year/wrangler` stands in for wrangler and Cloudflare, and the live Worker is the core with
//! what that has deployed.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_core::config::Policy;
use countersign_core::formats::Content;
use countersign_core::gate::inspection::inspect;
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::losses;
use countersign_core::operations::status::{Status, Token};
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item};

use crate::server::{Request, serve};

const DAY: u64 = 86_400;

/// 2026-11-21 03:17 UTC.
pub const START: u64 = 1_795_231_020;

/// How long a session may live, in days: `max_age` of the rule.
const SESSION: usize = 14;

const CONFIGURATION: &str = r#"name = "shop"

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
current   = "DJANGO_SECRET_KEY"   # signs what browsers get
fallbacks = []
origin    = "DJANGO_SECRET_KEY"

[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "Path=/; HttpOnly; Secure; SameSite=Lax"
"#;

/// The same, with a list of the secrets that wrangler asks for.
const IN_JSONC: &str = r#"{
  "name": "shop", // the shop
  "secrets": { "required": ["DJANGO_SECRET_KEY", "COUNTERSIGN_TOKEN"] },
  "vars": {
    "COUNTERSIGN": {
      "mode": "enforce",
      "keys": {
        "current": "DJANGO_SECRET_KEY", // signs what browsers get
        "fallbacks": [ // still open what they have
        ],
        "origin": "DJANGO_SECRET_KEY",
      },
      "cookies": [
        {
          "name": "sessionid",
          "format": "django-session",
          "max_age": 1209600,
          "attributes": "Path=/; HttpOnly; Secure; SameSite=Lax",
        },
      ],
    },
  },
}
"#;

#[cfg(unix)]
#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn a_year_of_rotation_takes_each_step_once_and_logs_nobody_out() {
    rotate_for_a_year(&World::new("year"));
}

#[cfg(unix)]
#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn a_year_of_rotation_in_jsonc_leaves_all_but_the_ring_as_it_was() {
    let world = World::with("year", "wrangler.jsonc", IN_JSONC);
    rotate_for_a_year(&world);
    let text = fs::read_to_string(world.root.join("repository/wrangler.jsonc")).unwrap();
    let required =
        r#"["DJANGO_SECRET_KEY", "COUNTERSIGN_TOKEN", "KEY_2027_08_20", "KEY_2027_11_19"]"#;
    let fallback = r#"[ // still open what they have
          { "secret": "KEY_2027_08_20", "until": "2027-12-04T04:00:00Z" }"#;
    let expected = IN_JSONC
        .replace(r#"["DJANGO_SECRET_KEY", "COUNTERSIGN_TOKEN"]"#, required)
        .replace(
            r#""current": "DJANGO_SECRET_KEY""#,
            r#""current": "KEY_2027_11_19""#,
        )
        .replace("[ // still open what they have", fallback);
    assert_eq!(text, expected);
}

#[cfg(unix)]
fn rotate_for_a_year(world: &World) {
    let mut steps = Vec::new();
    let mut sessions = VecDeque::new();
    let mut before = world.policy();
    for day in 0..=365 {
        // the job does not start in the same minute every day
        let now = START + day * DAY + day % 7 * 60;
        let said = world.rotate(now);
        if let Some(due) = said.strip_prefix("due: ") {
            let step = due.split(':').next().unwrap();
            steps.push((day, step.to_owned()));
            // what is done is not done again
            if !step.starts_with("retire") {
                assert!(world.rotate(now).starts_with("nothing is due"), "{day}");
            }
        } else {
            assert!(said.starts_with("nothing is due; next: "), "{day}: {said}");
        }
        let policy = world.policy();
        refuse_losses(&before, &policy, now);
        sessions.push_back(log_in(&policy, now));
        for session in &sessions {
            let found = inspect(&policy, "sessionid", session, now);
            let verdict = found.verdict.map(|verdict| verdict.as_str().to_owned());
            let opens = matches!(verdict.as_deref(), Some("current" | "fallback"));
            assert!(opens, "{day}: {verdict:?}");
        }
        if sessions.len() == SESSION {
            sessions.pop_front();
        }
        before = policy;
    }
    let expected = [
        (90, "stage KEY_2027_02_19"),
        (91, "promote KEY_2027_02_19"),
        // `until` is the next full hour, so the run of that day comes too early; the site's own secret stays
        (106, "retire DJANGO_SECRET_KEY"),
        (181, "stage KEY_2027_05_21"),
        (182, "promote KEY_2027_05_21"),
        (197, "retire KEY_2027_02_19"),
        (198, "clean up KEY_2027_02_19"),
        (272, "stage KEY_2027_08_20"),
        (273, "promote KEY_2027_08_20"),
        (288, "retire KEY_2027_05_21"),
        (289, "clean up KEY_2027_05_21"),
        (363, "stage KEY_2027_11_19"),
        (364, "promote KEY_2027_11_19"),
    ];
    assert_eq!(steps, expected.map(|(day, step)| (day, step.to_owned())));
    let secrets = [
        "COUNTERSIGN_TOKEN",
        "DJANGO_SECRET_KEY",
        "KEY_2027_08_20",
        "KEY_2027_11_19",
        "OTHER",
    ];
    assert_eq!(world.secrets(), secrets);
    assert_eq!(world.git(START, &["status", "--porcelain"]), "");
}

/// A repository, a Worker, and its site.
pub struct World {
    /// Holds the repository and what Cloudflare has.
    pub root: PathBuf,
    /// The folder of the stand-in for wrangler.
    wrangler: &'static str,
    site: String,
    now: Arc<AtomicU64>,
}

impl World {
    /// With a wrangler.toml; `wrangler` is the folder of its stand-in.
    pub fn new(wrangler: &'static str) -> Self {
        Self::with(wrangler, "wrangler.toml", CONFIGURATION)
    }

    /// With a configuration of this name; worlds of one stand-in in one process get numbers.
    fn with(wrangler: &'static str, file: &str, configuration: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("countersign-{wrangler}-{}-{count}", std::process::id());
        let root = env::temp_dir().join(name);
        fs::create_dir_all(root.join("repository")).unwrap();
        fs::create_dir_all(told(&root).join("secrets")).unwrap();
        for (secret, value) in [
            ("COUNTERSIGN_TOKEN", TOKEN),
            (
                "DJANGO_SECRET_KEY",
                "9f1cT7q#zLw0pV5e!xR2bK8dm4Yh6Gs3-9f1cT7q#zLw0pV5e!",
            ),
            ("OTHER", "not Countersign's"),
        ] {
            let text = json!({ secret: value }).to_string();
            fs::write(told(&root).join("secrets").join(secret), text).unwrap();
        }
        fs::write(root.join("repository").join(file), configuration).unwrap();
        fs::write(told(&root).join("live.text"), configuration).unwrap();
        fs::write(told(&root).join("live.id"), "version-0\n").unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let (folder, clock) = (told(&root), now.clone());
        let site = serve(move |request| reply(request, &folder, clock.load(Ordering::SeqCst)));
        let world = Self {
            root,
            wrangler,
            site,
            now,
        };
        world.git(START, &["init", "--quiet"]);
        world.git(START, &["add", file]);
        world.git(START, &["commit", "--quiet", "--message", "Enforce"]);
        world
    }

    /// Sets the site's clock.
    pub fn at(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// What a run prints.
    fn rotate(&self, now: u64) -> String {
        self.at(now);
        let mut command = self.command(env!("CARGO_BIN_EXE_countersign"), now);
        command.args(["rotate", "--every", "90d"]);
        let run = command.output().unwrap();
        let beside = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(0), "{now}: {beside}");
        String::from_utf8(run.stdout).unwrap()
    }

    pub fn git(&self, now: u64, words: &[&str]) -> String {
        let run = self.command("git", now).args(words).output().unwrap();
        assert!(run.status.success(), "git {words:?}: {run:?}");
        String::from_utf8(run.stdout).unwrap()
    }

    /// A command in the repository.
    pub fn command(&self, program: &str, now: u64) -> Command {
        let stand_in =
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/rotation");
        let stand_in = stand_in.join(self.wrangler);
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [stand_in].into_iter().chain(env::split_paths(&path));
        let mut command = Command::new(program);
        command
            .current_dir(self.root.join("repository"))
            .env("PATH", env::join_paths(path).unwrap())
            .env("TOLD", told(&self.root))
            .env("COUNTERSIGN_NOW", now.to_string())
            .env("COUNTERSIGN_URL", &self.site)
            .env("COUNTERSIGN_TOKEN", TOKEN)
            .env("COUNTERSIGN_TEST_NO_PAUSE", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        // a hook of git's that runs the tests sets these
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Rotation")
                .env(format!("GIT_{who}_EMAIL"), "rotation@example.com")
                .env(format!("GIT_{who}_DATE"), format!("{now} +0000"));
        }
        command
    }

    /// What the live Worker goes by.
    fn policy(&self) -> Policy {
        let told = told(&self.root);
        policy(&configuration(&told, "live"), &told)
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = fs::read_dir(told(&self.root).join("secrets")).unwrap();
        let names = secrets.map(|secret| secret.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

pub const TOKEN: &str = "0123456789012345678901234567890123456789";

/// What Cloudflare has.
pub fn told(root: &Path) -> PathBuf {
    root.join("told")
}

fn reply(request: &Request, told: &Path, now: u64) -> (u16, String) {
    if let Ok(slow) = fs::read_to_string(told.join("slow")) {
        wait_on(request, told, slow.trim());
    }
    let id = |name: &str| {
        let id = fs::read_to_string(told.join(format!("{name}.id"))).unwrap_or_default();
        id.trim().to_owned()
    };
    let is_new = request.version == format!("shop=\"{}\"", id("new"));
    let name = if is_new { "new" } else { "live" };
    let configuration = configuration(told, name);
    let policy = policy(&configuration, told);
    let token = Token::new(&request.bearer).unwrap();
    let status = Status {
        token: &token,
        policy: Some(&policy),
        configuration: &configuration.to_string(),
        problems: &[],
        passes: false,
        version: vec![("id", id(name))],
        now,
    };
    let reply = status.reply(&request.method, &request.body);
    (reply.status, reply.body)
}

/// Does not answer as long as a test waits for it to be asked: `site`, or `new version`.
fn wait_on(request: &Request, told: &Path, slow: &str) {
    let asked = if request.version.is_empty() {
        "site"
    } else {
        "new version"
    };
    if slow == asked {
        fs::write(told.join("waiting"), "").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(30));
    }
}

/// A secret that is not there is a fault: the Worker would answer 503.
fn policy(configuration: &Value, told: &Path) -> Policy {
    let secret = |name: &str| {
        let text = fs::read_to_string(told.join("secrets").join(name)).ok()?;
        let secret: Value = serde_json::from_str(&text).unwrap();
        secret[name].as_str().map(str::to_owned)
    };
    Policy::parse(configuration, &secret).unwrap()
}

fn configuration(told: &Path, name: &str) -> Value {
    let text = fs::read_to_string(told.join(format!("{name}.text"))).unwrap();
    if text.starts_with('{') {
        let read = jsonc_parser::parse_to_ast(&text, &Default::default(), &Default::default());
        let read: Value = read.unwrap().value.unwrap().into();
        return read["vars"]["COUNTERSIGN"].clone();
    }
    let document: DocumentMut = text.parse().unwrap();
    json_of(&document["vars"]["COUNTERSIGN"])
}

fn json_of(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        let fields = table.iter();
        return fields
            .map(|(name, field)| (name.to_owned(), json_of(field)))
            .collect();
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables
            .iter()
            .map(|table| json_of(&Item::Table(table.clone())))
            .collect();
    }
    if let Some(array) = item.as_array() {
        return array
            .iter()
            .map(|value| json_of(&Item::Value(value.clone())))
            .collect();
    }
    match (item.as_str(), item.as_integer()) {
        (Some(text), _) => json!(text),
        (_, number) => json!(number.unwrap()),
    }
}

/// A session that begins now, as a browser has it.
fn log_in(policy: &Policy, now: u64) -> String {
    let spec = &policy.rules[0].spec;
    let keyed = spec.format.keyed("sessionid", &spec.ring.current).unwrap();
    let content = Content::of(b"e30".as_slice()).signed_at(now);
    keyed.seal(&content, |_| {}).unwrap()
}

/// Both versions are live for a moment: each opens what the other seals.
fn refuse_losses(before: &Policy, after: &Policy, now: u64) {
    let [before, after] = [before, after].map(|policy| Capabilities::of(policy, &|_| None));
    assert_eq!(losses(&before, &after, now), []);
    assert_eq!(losses(&after, &before, now), []);
}
