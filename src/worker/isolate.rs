//! What an isolate keeps between requests: the gate, made once from the bindings, and what was told.

use std::cell::{Cell, OnceCell, RefCell};

use wasm_bindgen::JsValue;
use worker::{
    AnalyticsEngineDataPointBuilder, AnalyticsEngineDataset, Env, console_error, console_log,
};
use zeroize::Zeroizing;

use super::{answer, bindings, js, now_ms, origin, typed_answer};
use countersign_core::config::Policy;
use countersign_core::config::written::Written;
use countersign_core::gate::{Event, Gate, Pending, RequestHead};
use countersign_core::operations::ledger::Tally;
use countersign_core::operations::ledger::tally::Outcome;
use countersign_core::operations::report::{Reporter, points};
use countersign_core::operations::status::{self, Status, Token};
use countersign_core::settings::{Fault, Problem, Topic};

pub struct Isolate {
    gate: Result<Gate, ConfigurationError>,
    token: Option<Token>,
    usage: Option<AnalyticsEngineDataset>,
    /// What goes to the ledger, where one is bound.
    tally: Option<RefCell<Tally>>,
    version: String,
    reporter: RefCell<Reporter>,
    spellings: Option<Vec<JsValue>>,
    /// Unix milliseconds of the last report of a status that cannot be written anew.
    told_status: Cell<u64>,
    /// Those of the last report of a ledger that fails.
    told_ledger: Cell<u64>,
}

/// A configuration that cannot be used.
struct ConfigurationError {
    problems: Vec<Problem>,
    /// Whether traffic passes all the same.
    passes: bool,
}

/// The name of the binding to the ledger.
pub const LEDGER: &str = "LEDGER";
/// How often the same trouble is told, in milliseconds.
const LOG_EVERY: u64 = 60_000;

thread_local! {
    static ISOLATE: OnceCell<Isolate> = const { OnceCell::new() };
    /// Unix milliseconds of the last report of a wrong configuration.
    static LAST_PROBLEM_LOG: Cell<u64> = const { Cell::new(0) };
}

/// Calls with the isolate's state, which is made from the bindings at the first call. It is kept, unless a store of
/// secrets did not answer: the next call may find its secrets.
pub fn isolate<T>(env: &Env, call: impl FnOnce(&Isolate) -> T) -> T {
    ISOLATE.with(|isolate| {
        if let Some(kept) = isolate.get() {
            return call(kept);
        }
        let made = Isolate::new(env);
        if stored_secrets(env).is_empty() {
            call(isolate.get_or_init(|| made))
        } else {
            call(&made)
        }
    })
}

/// The secrets by name that the configuration names, or the token, and of which no text is at hand: bindings that have
/// to be asked for it.
pub fn stored_secrets(env: &Env) -> Vec<String> {
    let variable = bindings::member(env, "COUNTERSIGN").map(|variable| bindings::json(&variable));
    let variable = variable.unwrap_or_default();
    let named = Written::of(&variable).secrets().into_iter();
    let names = named.map(|named| named.id.to_string());
    let names = names.chain([status::TOKEN.to_owned()]);
    names
        .filter(|name| bindings::is_asked_for(env, name))
        .collect()
}

/// Calls with the isolate's state, if it is made by now.
pub fn made<T>(call: impl FnOnce(&Isolate) -> T) -> Option<T> {
    ISOLATE.with(|isolate| isolate.get().map(call))
}

impl Isolate {
    fn new(env: &Env) -> Self {
        let gate = gate(env);
        let spellings = gate
            .as_ref()
            .ok()
            .map(|gate| origin::spellings(gate.policy()));
        let is_bound = bindings::member(env, LEDGER).is_some();
        let policy = gate.as_ref().ok().map(Gate::policy).filter(|_| is_bound);
        let tally = policy.map(|policy| Tally::new(policy, js::random, now_ms()));
        let isolate = Self {
            gate,
            token: token(env),
            usage: env.analytics_engine("USAGE").ok(),
            tally: tally.map(RefCell::new),
            version: version(env, "id").unwrap_or_default(),
            reporter: RefCell::default(),
            spellings: spellings.flatten(),
            told_status: Cell::default(),
            told_ledger: Cell::default(),
        };
        if let Some(gate) = isolate.gate() {
            for note in &gate.policy().notes {
                console_log!("countersign: note: {note}");
            }
        }
        isolate
    }

    /// The gate, unless the configuration is wrong.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref().ok()
    }

    /// Whether a header `Authorization` shows the token of the status.
    pub fn admits(&self, authorization: Option<&str>) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.admits(authorization))
    }

    /// Whether a header `Authorization` holds that token and nothing else.
    pub fn is_operators(&self, authorization: &str) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.is_in(authorization))
    }

    /// The headers that a visitor must not send, where they can be looked for one by one.
    pub fn spellings(&self) -> Option<&[JsValue]> {
        self.spellings.as_deref()
    }

    /// The answer to one who has shown the token.
    pub fn status(&self, env: &Env, method: &str, body: &str) -> Result<JsValue, JsValue> {
        let Some(token) = &self.token else {
            return refuse();
        };
        let wrong = self.gate.as_ref().err();
        // a wrong one may hold anything, a key in the wrong place among it
        let configuration = match wrong {
            None => {
                bindings::member(env, "COUNTERSIGN").and_then(|value| bindings::stringified(&value))
            }
            Some(_) => None,
        };
        let status = Status {
            token,
            policy: self.gate().map(Gate::policy),
            configuration: configuration.as_deref().unwrap_or("null"),
            problems: wrong.map_or(&[], |wrong| &wrong.problems),
            passes: wrong.is_some_and(|wrong| wrong.passes),
            version: ["id", "tag", "timestamp"]
                .into_iter()
                .filter_map(|field| Some((field, version(env, field)?)))
                .collect(),
            now: now_ms() / 1000,
        };
        let reply = status.reply(method, body);
        typed_answer(reply.status, "application/json", &reply.body, &[])
    }

    /// What a request gets where the configuration is wrong: 503, or nothing where it passes.
    pub fn misconfigured(&self) -> Result<Option<JsValue>, JsValue> {
        let Err(wrong) = &self.gate else {
            return Ok(None);
        };
        self.tell_wrong(&wrong.problems, wrong.passes);
        if wrong.passes {
            Ok(None)
        } else {
            refuse().map(Some)
        }
    }

    /// What a request gets where `origin_url` would send it back to this Worker.
    pub fn loops(&self) -> Result<JsValue, JsValue> {
        let problem = Problem::new(
            "COUNTERSIGN.origin_url",
            Fault::new("is a host that this Worker itself answers")
                .cure("name the origin's own, or leave it out on a zone's route"),
        );
        self.tell_wrong(&[problem], false);
        refuse()
    }

    /// Whether any of these verdicts is to be logged.
    pub fn should_log(&self, events: &[Event]) -> bool {
        self.gate().is_some_and(|gate| {
            events
                .iter()
                .any(|event| gate.policy().should_log(event.verdict))
        })
    }

    /// Logs the verdicts of one request, in one line.
    pub fn tell(&self, events: &[Event], ray: impl FnOnce() -> Option<String>) {
        if !self.should_log(events) {
            return;
        }
        let Some(gate) = self.gate() else { return };
        let mut reporter = self.reporter.borrow_mut();
        let line = reporter.line(gate.policy(), events, ray().as_deref(), now_ms() / 1000);
        match line {
            Some(line) if line.is_error => console_error!("{}", line.text),
            Some(line) => console_log!("{}", line.text),
            None => {}
        }
    }

    /// Counts the verdicts of one side of a request; `now_ms` in Unix milliseconds.
    pub fn count(&self, events: &[Event], now_ms: u64) {
        self.with_tally(|tally| tally.count(events, now_ms));
        self.write_points(events);
    }

    /// Calls with what goes to the ledger, where one is bound.
    pub fn with_tally<T>(&self, call: impl FnOnce(&mut Tally) -> T) -> Option<T> {
        let tally = self.tally.as_ref();
        tally.map(|tally| call(&mut tally.borrow_mut()))
    }

    /// What [`Gate::under_way`] says, where a ledger is bound to carry it.
    pub fn under_way(
        &self,
        gate: &Gate,
        pending: &Pending,
        head: &dyn RequestHead,
    ) -> Option<String> {
        self.tally.as_ref()?;
        gate.under_way(pending, head)
    }

    /// Writes the verdicts as data points. One that cannot be written is not worth a request.
    fn write_points(&self, events: &[Event]) {
        let (Some(usage), Some(gate)) = (&self.usage, self.gate()) else {
            return;
        };
        for point in points(gate.policy(), events) {
            let _ = AnalyticsEngineDataPointBuilder::new()
                .indexes([point.index.as_str()])
                .add_blob(point.verdict.as_str())
                .add_blob(self.version.as_str())
                .add_double(point.weight)
                .write_to(usage);
        }
    }

    /// Logs that a response went back without the cookies that it should have had, for its status.
    pub fn tell_status(&self, status: u16) {
        if is_due(&self.told_status) {
            console_error!(
                "countersign: the origin answered with status {status}; the runtime can change a response only from 200 to 599, so it went back unchanged, and no cookie in it was sealed or upgraded: answer with another status there"
            );
        }
    }

    /// Logs that the ledger did not take a batch; `status` is zero where it did not answer, for a `reason`.
    pub fn tell_ledger(&self, outcome: Outcome, status: u16, reason: Option<&str>) {
        if !is_due(&self.told_ledger) {
            return;
        }
        let what = if outcome == Outcome::Refused {
            "refused counts of this isolate, which are lost"
        } else {
            "did not take the counts of this isolate, which are kept and sent again"
        };
        console_error!(
            "countersign: the ledger {what}; requests go on as before: {status} {}",
            reason.unwrap_or_default()
        );
    }

    fn tell_wrong(&self, problems: &[Problem], passes: bool) {
        if !LAST_PROBLEM_LOG.with(is_due) {
            return;
        }
        let what = if passes {
            "so traffic passes unchecked (observe)"
        } else {
            "so every request gets 503"
        };
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("\n  {problem}"))
            .collect();
        console_error!(
            "countersign: the configuration is wrong, {what}{}",
            lines.concat()
        );
    }
}

/// What the Worker's version says of itself, where the binding is there and what it should be.
fn version(env: &Env, field: &str) -> Option<String> {
    bindings::text(&bindings::member(env, "CF_VERSION_METADATA")?, field)
}

/// The token of the status, where it is set and long enough.
fn token(env: &Env) -> Option<Token> {
    if bindings::is_asked_for(env, status::TOKEN) && LAST_PROBLEM_LOG.with(is_due) {
        console_error!(
            "countersign: {} could not be read from its Secrets Store, so the status is not answered; the next request tries again",
            status::TOKEN
        );
    }
    let text = Zeroizing::new(bindings::text(env, status::TOKEN)?);
    let token = Token::new(&text);
    if token.is_none() {
        console_log!("countersign: note: {}", status::SHORT_TOKEN);
    }
    token
}

fn gate(env: &Env) -> Result<Gate, ConfigurationError> {
    let variable = bindings::member(env, "COUNTERSIGN").ok_or_else(|| ConfigurationError {
        problems: vec![Problem::new(
            "COUNTERSIGN",
            Fault::new("not set as a table")
                .cure("write [vars.COUNTERSIGN] in wrangler.toml, and [env.X.vars.COUNTERSIGN] for an environment X, which inherits no vars"),
        )],
        passes: false,
    })?;
    let value = bindings::json(&variable);
    let wrong = |problems: Vec<Problem>| ConfigurationError {
        passes: Policy::passes_when_wrong(&value, &problems),
        problems: problems
            .into_iter()
            .map(|problem| told_of_store(env, problem))
            .collect(),
    };
    let secret = |name: &str| bindings::text(env, name);
    let policy = Policy::parse(&value, &secret).map_err(wrong)?;
    if policy.origin_url.is_some() && bindings::member(env, "ORIGIN").is_some() {
        return Err(wrong(vec![Problem::new(
            "COUNTERSIGN.origin_url",
            Fault::new("there is a service binding ORIGIN as well").cure("keep one of the two"),
        )]));
    }
    Ok(Gate::new(policy, js::random))
}

/// A missing secret as what it is where a store should have it.
fn told_of_store(env: &Env, problem: Problem) -> Problem {
    let Topic::MissingSecret(id) = &problem.about else {
        return problem;
    };
    if !bindings::is_asked_for(env, id.as_str()) {
        return problem;
    }
    let fault = Fault::new(format!("the secret {id} could not be read from its Secrets Store"))
        .cure("the next request tries again; if it lasts, compare its entry in `secrets_store_secrets` with `npx wrangler secrets-store secret list STORE_ID --remote`")
        .about(problem.about.clone());
    Problem::new(problem.path, fault)
}

/// Whether the last report was long enough ago; if so, there is one now.
fn is_due(last_log: &Cell<u64>) -> bool {
    let now = now_ms();
    let is_due = now.saturating_sub(last_log.get()) >= LOG_EVERY;
    if is_due {
        last_log.set(now);
    }
    is_due
}

fn refuse() -> Result<JsValue, JsValue> {
    answer(503, "Countersign is misconfigured", &[])
}
