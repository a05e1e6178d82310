//! The core natively: open, seal and the gate (`cargo bench`, and `npm run bench` for figures beside the peers').
//!
//! `each_format` opens and seals a value of each format that the real framework made, about 230 bytes long where there is
//! one. `ledger` counts a verdict. `gate` judges a request under a growing number of keys, of cookies beside the managed one, and of bytes. `worst`
//! judges, for each format, the slowest header of 128 KiB that is known, with 20 rules: 5 ms are the most that any may
//! take, beside six slow derivations where values ask for such (R6).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_core::config::Policy;
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Content, Keyed, PAIR};
use countersign_core::gate::{Exchange, Gate, Pending, RequestHead};
use countersign_core::operations::ledger::Tally;
use countersign_core::settings::{Problems, Table};
use countersign_core::wire::encoding::{from_hex, from_pasted_base64};
use divan::Bencher;
use serde_json::{Value, json};

mod worst;

fn main() {
    divan::main();
}

mod each_format {
    use super::*;

    #[divan::bench(args = samples())]
    fn open(bencher: Bencher, sample: &Sample) {
        bencher.bench_local(|| sample.keyed.open(&sample.value).is_ok());
    }

    #[divan::bench(args = samples())]
    fn seal(bencher: Bencher, sample: &Sample) {
        bencher.bench_local(|| sample.keyed.seal(&sample.content, random));
    }

    /// What a request costs: open under one key, seal under another.
    #[divan::bench(args = samples())]
    fn both(bencher: Bencher, sample: &Sample) {
        bencher.bench_local(|| {
            let content = sample.keyed.open(&sample.value).ok()?;
            sample.other.seal(&content, random).ok()
        });
    }
}

mod gate {
    use super::*;

    /// A cookie of 230 bytes under the last of so many fallbacks.
    #[divan::bench(args = [0, 1, 2, 4, 8, 16])]
    fn fallbacks(bencher: Bencher, number: usize) {
        request(bencher, number, 1, 230);
    }

    /// A cookie of 230 bytes and so many others that nothing manages.
    #[divan::bench(args = [0, 1, 5, 10, 20, 50])]
    fn unmanaged(bencher: Bencher, number: usize) {
        request(bencher, 0, number, 230);
    }

    /// A cookie of so many bytes.
    #[divan::bench(args = [100, 230, 500, 1000, 2000, 4000])]
    fn bytes(bencher: Bencher, number: usize) {
        request(bencher, 0, 1, number);
    }

    fn request(bencher: Bencher, fallbacks: usize, unmanaged: usize, bytes: usize) {
        let site = Site::new(fallbacks);
        let header = site.header(unmanaged, bytes);
        let decision = site
            .gate
            .request(Some(&header), &Unasked, NOW * 1000)
            .unwrap();
        assert_eq!(decision.pending.events.len(), 1);
        assert!(decision.pending.events[0].key.is_some(), "it must verify");
        bencher.bench_local(|| site.gate.request(Some(&header), &Unasked, NOW * 1000));
    }
}

mod ledger {
    use super::*;

    /// Counts the verdict on a cookie under the last of so many fallbacks.
    #[divan::bench(args = [0, 1, 4, 16])]
    fn count(bencher: Bencher, fallbacks: usize) {
        let site = Site::new(fallbacks);
        let header = site.header(0, 230);
        let decision = site
            .gate
            .request(Some(&header), &Unasked, NOW * 1000)
            .unwrap();
        let mut tally = Tally::new(site.gate.policy(), random, NOW * 1000);
        let mut now = NOW * 1000;
        bencher.bench_local(|| {
            now += 1;
            tally.count(&decision.pending.events, now);
            tally.wait(now)
        });
    }
}

/// A request of which nothing is asked.
struct Unasked;

impl RequestHead for Unasked {
    fn method(&self) -> String {
        unreachable!("the usual request is not asked for more than its cookies")
    }

    fn request_header(&self, _: &'static str) -> Option<String> {
        unreachable!("the usual request is not asked for more than its cookies")
    }
}

mod worst_headers {
    use super::*;

    /// The slowest of a site's headers.
    struct Worst {
        site: String,
        label: String,
        header: String,
    }

    impl fmt::Display for Worst {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}: {}", self.site, self.label)
        }
    }

    impl Worst {
        fn of(site: &worst::Site) -> Self {
            let headers = site.kinds.iter().map(|(label, kind)| Worst {
                site: site.name.clone(),
                label: label.clone(),
                header: kind.header(128 << 10),
            });
            let slowest = headers.max_by_key(|worst| least(site, &worst.header));
            slowest.unwrap()
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark has a clock")]
    fn least(site: &worst::Site, header: &str) -> Duration {
        let time = |_| {
            let began = Instant::now();
            let _ = site.gate.request(Some(header), &Sent, site.now * 1000);
            began.elapsed()
        };
        (0..4).map(time).min().unwrap()
    }

    fn sites() -> Vec<worst::Site> {
        let mut sites = worst::sites(&[1_000, 16_000]);
        sites.push(worst::slow());
        sites
    }

    fn named(name: &str) -> worst::Site {
        sites().into_iter().find(|site| site.name == name).unwrap()
    }

    fn all() -> Vec<Worst> {
        sites().iter().map(Worst::of).collect()
    }

    #[divan::bench(args = all(), sample_count = 20)]
    fn request(bencher: Bencher, worst: &Worst) {
        let site = named(&worst.site);
        bencher.bench_local(|| {
            site.gate
                .request(Some(&worst.header), &Sent, site.now * 1000)
                .is_ok()
        });
    }

    /// So many Set-Cookie headers, each second one with the signature of the one before it.
    #[divan::bench(args = [40, 400, 4_000])]
    fn response(bencher: Bencher, number: usize) {
        let site = named("keygrip, three digests");
        let signature = format!("k0.sig={}; Path=/", "a".repeat(27));
        let lines = ["k0=v; Path=/", &signature].repeat(number / 2);
        bencher.bench_local(|| {
            site.gate
                .response(&lines, &Pending::default(), &NoPage, NOW * 1000)
        });
    }

    /// Nothing is asked of it where no upgrade is due.
    struct NoPage;

    /// A request that opens no page.
    struct Sent;

    impl RequestHead for Sent {
        fn method(&self) -> String {
            "POST".to_owned()
        }

        fn request_header(&self, _: &'static str) -> Option<String> {
            None
        }
    }

    impl RequestHead for NoPage {
        fn method(&self) -> String {
            String::new()
        }

        fn request_header(&self, _: &'static str) -> Option<String> {
            None
        }
    }

    impl Exchange for NoPage {
        fn status(&self) -> u16 {
            200
        }

        fn response_header(&self, _: &'static str) -> Option<String> {
            None
        }
    }
}

const NOW: u64 = 1_800_000_000;
/// About as long as a session of Django's with a user and a few settings.
const USUAL: usize = 230;

/// A value of the real framework's, and its format under two keys.
struct Sample {
    name: String,
    value: String,
    content: Content<'static>,
    keyed: Box<dyn Keyed>,
    other: Box<dyn Keyed>,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// One for each format that the vectors know: the value nearest to the usual length that can be signed anew.
fn samples() -> Vec<Sample> {
    let mut rows: Vec<Value> = Vec::new();
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        let text = fs::read_to_string(file).unwrap();
        rows.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
    }
    rows.sort_by_key(|row| {
        row["value"]
            .as_str()
            .map(|value| value.len().abs_diff(USUAL))
    });
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for row in &rows {
        let format = row["config"]["format"].as_str().unwrap();
        if !samples.contains_key(format)
            && let Some(sample) = sample(format, row)
        {
            samples.insert(format.to_owned(), sample);
        }
    }
    samples.into_values().collect()
}

fn sample(name: &str, row: &Value) -> Option<Sample> {
    let problems = Problems::default();
    let format = formats::read(&mut Table::new("config", &row["config"], &problems)?)?;
    let keyed = |field: &str| {
        let key = Key::new(KeyId::parse("KEY")?, key_bytes(row, field)?);
        format.keyed(row["cookie"].as_str()?, &key).ok()
    };
    let (keyed, other) = (keyed("key")?, keyed("other_key")?);
    let value = match row["sig_value"].as_str() {
        Some(signature) => format!("{}{PAIR}{signature}", row["value"].as_str()?),
        None => row["value"].as_str()?.to_owned(),
    };
    let content = keyed.open(&value).ok()?.into_owned();
    other.seal(&content, random).ok()?;
    Some(Sample {
        name: format!("{name}:{}", value.len()),
        value,
        content,
        keyed,
        other,
    })
}

fn key_bytes(row: &Value, field: &str) -> Option<Vec<u8>> {
    let key = row[field].as_str()?;
    match row["key_encoding"].as_str() {
        Some("base64") => from_pasted_base64(key),
        Some("hex") => from_hex(key),
        _ => Some(key.as_bytes().to_vec()),
    }
}

fn jsonl_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(jsonl_below(&path))
        } else {
            files.extend(
                path.extension()
                    .is_some_and(|it| it == "jsonl")
                    .then_some(path),
            )
        }
    }
    files.sort();
    files
}

/// A site with Django's sessions behind a ring of keys.
struct Site {
    gate: Gate,
    /// Signs as the last key of the ring.
    last: Box<dyn Keyed>,
}

impl Site {
    fn new(fallbacks: usize) -> Self {
        let ids: Vec<String> = (1..=fallbacks).map(|at| format!("FALLBACK_{at}")).collect();
        let config = json!({
            "keys": {"current": "CURRENT", "fallbacks": ids, "origin": "ORIGIN"},
            "cookies": [{"name": "sessionid", "format": "django-session", "upgrade": "never"}],
        });
        let policy = Policy::parse(&config, &secret).unwrap();
        let problems = Problems::default();
        let format = json!({"format": "django-session"});
        let format =
            Table::new("config", &format, &problems).and_then(|mut t| formats::read(&mut t));
        let id = ids.last().map_or("CURRENT", String::as_str);
        let key = Key::new(KeyId::parse(id).unwrap(), secret(id).unwrap().into_bytes());
        Self {
            gate: Gate::new(policy, random),
            last: format.unwrap().keyed("sessionid", &key).unwrap(),
        }
    }

    /// The managed cookie in the midst of others.
    fn header(&self, unmanaged: usize, bytes: usize) -> String {
        let payload = "eyJfYXV0aF91c2VyX2lkIjoiNDgyOTQxIn0".repeat(bytes / 35 + 1);
        let content = Content::of(&payload.as_bytes()[..bytes - 51]).signed_at(NOW - 86_400);
        let session = self.last.seal(&content, random).unwrap();
        assert_eq!(session.len(), bytes);
        let mut pairs: Vec<String> = (0..unmanaged)
            .map(|at| match at % 4 {
                0 => format!("_ga_K3XZ0QW{at}=GS2.1.s1763712840$o14$g1$t1763712901$j60$l0$h0"),
                1 => format!("csrftoken{at}=kZ3vX9qLw7RtY2uBn5MpE8sDf1GhJ4Kc"),
                2 => format!("consent{at}=hosts%3A1%2C2%26groups%3DC0001%3A1%2CC0002%3A0"),
                _ => format!("theme{at}=dark"),
            })
            .collect();
        pairs.insert(unmanaged / 2, format!("sessionid={session}"));
        pairs.join("; ")
    }
}

fn secret(name: &str) -> Option<String> {
    Some(format!(
        "{name}-0123456789-0123456789-0123456789-0123456789"
    ))
}

fn random(bytes: &mut [u8]) {
    bytes.fill(7);
}
