#[path = "worst.rs"]
mod worst;
use std::time::Instant;
fn main() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for site in worst::sites().into_iter().filter(|site| only.is_empty() || only.split('|').any(|o| site.name.contains(o))) {
        let mut all = Vec::new();
        for (label, kind) in &site.kinds {
            let header = kind.header(128 << 10);
            let mut best = f64::MAX;
            let mut steps = 0;
            for _ in 0..12 {
                let t = Instant::now();
                let r = site.gate.request(Some(&header), site.now * 1000);
                best = best.min(t.elapsed().as_secs_f64() * 1000.0);
                steps = r.map(|r| r.passage.steps).unwrap_or(0);
            }
            all.push((best, label.clone(), steps));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        println!("{:<50} rules {}", &site.name.chars().take(110).collect::<String>(), site.gate.policy().rules.len());
        for (ms, label, steps) in all.iter().take(4) { println!("    {ms:7.2} ms {steps:9} steps  {label}"); }
    }
}
