//! The Durable Object `Ledger`: its tables, and the SQL that fills, ages and reads them. What it is sent is read by the
//! core (`operations/ledger`).
//!
//! `entry.js` has the class, and calls one synchronous function here, as for a request: an instance of the wasm that a
//! panic has ended leaves nothing behind in the object. `#[durable_object]` of the crate `worker` would do the same with
//! an asynchronous function, whose panics nobody catches, and with 31 KiB more of gzipped code, rows by its deserializer
//! among them. So SQLite writes the JSON.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::now_ms;
use countersign_core::operations::ledger::batch::{Batch, RETRIED};
use countersign_core::operations::ledger::reply::{Account, Extent};
use countersign_core::operations::ledger::{DAY, DAYS_KEPT, HOURS_KEPT};
use countersign_core::wire::json::to_json;

#[wasm_bindgen]
extern "C" {
    /// A Durable Object's database.
    pub type Sql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Sql, query: &str, bindings: &Array) -> Result<Cursor, JsValue>;

    type Cursor;
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn rows(this: &Cursor) -> Result<Array, JsValue>;
}

/// Makes the tables where there are none, and ages what they hold: to be called for each instance of the object, and on
/// each day. This and [`ledger_object`] are called in a transaction, so that all of it is done or nothing.
///
/// # Errors
/// What the storage has thrown.
#[wasm_bindgen]
pub fn ledger_prepare(sql: &Sql) -> Result<(), JsValue> {
    Ledger { sql }.prepare(now_ms() / 1000)
}

/// Answers what is asked of the object: a `batch` is applied, and no batch asks for the account that `url` names.
///
/// # Errors
/// A text where the batch is refused; else what the storage has thrown.
#[wasm_bindgen]
pub fn ledger_object(sql: &Sql, url: &str, batch: Option<String>) -> Result<String, JsValue> {
    let now = now_ms() / 1000;
    let ledger = Ledger { sql };
    let Some(batch) = batch else {
        return Ok(ledger.account(Extent::of_url(url), now)?.to_text());
    };
    let batch = Batch::parse(&batch, now)?;
    ledger.apply(&batch, now)?;
    Ok(String::new())
}

/// Counts of a site's cookies, in SQLite.
struct Ledger<'s> {
    sql: &'s Sql,
}

impl Ledger<'_> {
    fn prepare(&self, now: u64) -> Result<(), JsValue> {
        self.run(TABLES, &[])?;
        self.run(BEGIN, &[now])?;
        let today = now - now % DAY;
        if self.time("aged")? < today {
            self.age(today)?;
        }
        Ok(())
    }

    /// Whole days only, so that no hour is counted beside its day.
    fn age(&self, today: u64) -> Result<(), JsValue> {
        let hours = today.saturating_sub(HOURS_KEPT);
        self.run(HOURS_TO_DAYS, &[hours])?;
        self.run(NO_HOURS, &[hours])?;
        let days = today.saturating_sub(DAYS_KEPT);
        self.run(DAYS_TO_USES, &[days])?;
        self.run(NO_DAYS, &[days])?;
        self.run(NO_BATCHES, &[today.saturating_sub(2 * RETRIED)])?;
        self.run(AGED, &[today])
    }

    /// Adds what a batch counted, unless it has been added before.
    fn apply(&self, batch: &Batch, now: u64) -> Result<(), JsValue> {
        let isolate = JsValue::from_str(&batch.isolate);
        let id = Array::of3(&isolate, &number(batch.batch), &number(now));
        let is_new = self.sql.exec(NEW_BATCH, &id)?.rows()?.length() > 0;
        if is_new {
            fault_on_demand(batch);
            let rows = JsValue::from_str(&to_json(&batch.rows));
            self.sql.exec(ADD, &Array::of1(&rows))?;
        }
        Ok(())
    }

    fn account(&self, extent: Option<Extent>, now: u64) -> Result<Account, JsValue> {
        let extent = extent.unwrap_or(Extent {
            hours: true,
            days: true,
        });
        let (mut hours, mut days) = (None, None);
        if extent.hours {
            hours = Some(self.texts(HOURS, &[now.saturating_sub(HOURS_KEPT), MOST_COUNTS])?);
        }
        if extent.days {
            let today = now - now % DAY;
            days = Some(self.texts(DAYS, &[today.saturating_sub(DAYS_KEPT), MOST_COUNTS])?);
        }
        Ok(Account {
            since: self.time("since")?,
            keys: self.texts(USES, &[])?,
            hours,
            days,
        })
    }

    fn time(&self, name: &str) -> Result<u64, JsValue> {
        let rows = self.sql.exec(TIME, &Array::of1(&name.into()))?.rows()?;
        let time = super::bindings::member(&rows.get(0), "at").and_then(|at| at.as_f64());
        Ok(time.unwrap_or_default() as u64) // Unix seconds
    }

    /// The texts that a query answers, one a row.
    fn texts(&self, query: &str, numbers: &[u64]) -> Result<Vec<String>, JsValue> {
        let rows = self.sql.exec(query, &array(numbers))?.rows()?;
        Ok(rows
            .iter()
            .filter_map(|row| super::bindings::text(&row, "text"))
            .collect())
    }

    fn run(&self, query: &str, numbers: &[u64]) -> Result<(), JsValue> {
        self.sql.exec(query, &array(numbers)).map(drop)
    }
}

fn array(numbers: &[u64]) -> Array {
    numbers.iter().map(|it| number(*it)).collect()
}

/// Times and numbers of batches, far below 2^53.
fn number(it: u64) -> JsValue {
    JsValue::from_f64(it as f64)
}

/// As of the Worker: the end-to-end tests build one whose ledger panics at the counts of a rule of this name.
#[cfg(feature = "fault")]
fn fault_on_demand(batch: &Batch) {
    if batch.rows.iter().any(|row| row.rule == "ledger-fault") {
        panic!("asked to panic in the ledger");
    }
}

#[cfg(not(feature = "fault"))]
fn fault_on_demand(_batch: &Batch) {}

/// The most counts by hour, or by day, that are told at once; the oldest are left out.
const MOST_COUNTS: u64 = 40_000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS hours (at INTEGER, rule TEXT, key TEXT, verdict TEXT, reason TEXT,
    count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (at, rule, key, verdict, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (at INTEGER, rule TEXT, key TEXT, verdict TEXT, reason TEXT,
    count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (at, rule, key, verdict, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (rule TEXT, key TEXT, sealed INTEGER,
    first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (rule, key, sealed)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (isolate TEXT PRIMARY KEY, batch INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS times (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
";
const BEGIN: &str = "INSERT OR IGNORE INTO times (name, at) VALUES ('since', ?), ('aged', 0)";
const TIME: &str = "SELECT at FROM times WHERE name = ?";

/// Answers a row where the batch is new.
const NEW_BATCH: &str = "INSERT INTO batches (isolate, batch, at) VALUES (?, ?, ?)
ON CONFLICT (isolate) DO UPDATE SET batch = excluded.batch, at = excluded.at WHERE excluded.batch > batch
RETURNING batch";
const ADD: &str = "INSERT INTO hours (at, rule, key, verdict, reason, count, first, last)
SELECT value ->> 'at', value ->> 'rule', coalesce(value ->> 'key', ''), value ->> 'verdict',
    coalesce(value ->> 'reason', ''), value ->> 'count', value ->> 'first', value ->> 'last'
FROM json_each(?) WHERE true
ON CONFLICT (at, rule, key, verdict, reason) DO UPDATE SET
    count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)";

const HOURS_TO_DAYS: &str = "INSERT INTO days (at, rule, key, verdict, reason, count, first, last)
SELECT at - at % 86400, rule, key, verdict, reason, sum(count), min(first), max(last)
FROM hours WHERE at < ? GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (at, rule, key, verdict, reason) DO UPDATE SET
    count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)";
const NO_HOURS: &str = "DELETE FROM hours WHERE at < ?";
const DAYS_TO_USES: &str = "INSERT INTO uses (rule, key, sealed, first, last)
SELECT rule, key, verdict IN ('sealed', 'upgraded'), min(first), max(last)
FROM days WHERE at < ? AND key <> '' AND verdict IN ('current', 'fallback', 'accepted-format', 'sealed', 'upgraded')
GROUP BY 1, 2, 3
ON CONFLICT (rule, key, sealed) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)";
const NO_DAYS: &str = "DELETE FROM days WHERE at < ?";
const NO_BATCHES: &str = "DELETE FROM batches WHERE at < ?";
const AGED: &str = "UPDATE times SET at = ? WHERE name = 'aged'";

/// One entry for each key of a rule. `json_patch` leaves out what is null.
const USES: &str = "SELECT json_patch('{}', json_object('rule', rule, 'key', key,
    'first_opened', min(first) FILTER (WHERE NOT sealed), 'last_opened', max(last) FILTER (WHERE NOT sealed),
    'first_sealed', min(first) FILTER (WHERE sealed), 'last_sealed', max(last) FILTER (WHERE sealed))) AS text
FROM (
    SELECT rule, key, verdict IN ('sealed', 'upgraded') AS sealed, first, last FROM (
        SELECT rule, key, verdict, first, last FROM hours
        UNION ALL
        SELECT rule, key, verdict, first, last FROM days
    ) WHERE key <> '' AND verdict IN ('current', 'fallback', 'accepted-format', 'sealed', 'upgraded')
    UNION ALL
    SELECT rule, key, sealed, first, last FROM uses
) GROUP BY rule, key ORDER BY rule, key";
/// All of an hour in one row, the newest hour first.
const HOURS: &str = "SELECT group_concat(json_patch('{}', json_object('at', at, 'rule', rule, 'key', nullif(key, ''),
    'verdict', verdict, 'reason', nullif(reason, ''), 'count', count))) AS text
FROM (SELECT * FROM hours WHERE at >= ? ORDER BY at DESC, rule, key, verdict, reason LIMIT ?)
GROUP BY at ORDER BY at DESC";
/// The same of a day.
const DAYS: &str = "SELECT group_concat(json_patch('{}', json_object('at', at, 'rule', rule, 'key', nullif(key, ''),
    'verdict', verdict, 'reason', nullif(reason, ''), 'count', count))) AS text
FROM (
    SELECT at, rule, key, verdict, reason, sum(count) AS count FROM (
        SELECT at - at % 86400 AS at, rule, key, verdict, reason, count FROM hours
        UNION ALL
        SELECT at, rule, key, verdict, reason, count FROM days
    ) WHERE at >= ? GROUP BY 1, 2, 3, 4, 5 ORDER BY at DESC, rule, key, verdict, reason LIMIT ?
)
GROUP BY at ORDER BY at DESC";
