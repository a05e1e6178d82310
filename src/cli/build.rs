//! Packs the Worker that the command line carries: the `index.js` and `countersign_bg.wasm` of the folder that
//! `COUNTERSIGN_WORKER` names, as `npm run build` makes it. Without the variable it carries none.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

const WORKER: &str = "COUNTERSIGN_WORKER";
const FILES: [&str; 2] = ["index.js", "countersign_bg.wasm"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={WORKER}");
    let target = PathBuf::from(required("OUT_DIR")?);
    // a relative name counts from the top of the checkout, where `npm run build` and cargo are typed
    let own = PathBuf::from(required("CARGO_MANIFEST_DIR")?);
    let top = own.ancestors().nth(2).unwrap_or(&own);
    let worker = env::var(WORKER).unwrap_or_default();
    let worker = (!worker.is_empty()).then(|| top.join(worker));
    for name in FILES {
        let bytes = match &worker {
            Some(folder) => packed(&folder.join(name))?,
            None => Vec::new(),
        };
        fs::write(target.join(format!("{name}.gz")), bytes)?;
    }
    Ok(())
}

fn packed(path: &Path) -> Result<Vec<u8>, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let unread = |error| format!("{WORKER}: {}: {error}", path.display());
    let bytes = fs::read(path).map_err(unread)?;
    // its header has neither a name nor a time: the same Worker makes the same bytes
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let encoded = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    encoded.map_err(unread)
}

fn required(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
