//! What becomes of wrangler.toml where the disk is full.

use std::fs;
use std::path::Path;
use std::process::Command;

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_configuration_whole() {
    let name = format!("countersign-full-disk-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .join("tests/rotation/stage.in/wrangler.toml");
    let before = fs::read_to_string(source).unwrap();
    fs::write(folder.join("wrangler.toml"), &before).unwrap();
    // no file may grow: each write fails, as on a full disk
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec '{}' stage KEY_2 --offline",
        env!("CARGO_BIN_EXE_countersign")
    );
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    let after = fs::read_to_string(folder.join("wrangler.toml")).unwrap();
    let left = fs::read_dir(&folder).unwrap().count();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(after, before);
    assert_eq!(left, 1, "nothing is left beside it");
    assert!(said.contains("wrangler.toml cannot be written"), "{said}");
    assert_eq!(run.status.code(), Some(2));
}
