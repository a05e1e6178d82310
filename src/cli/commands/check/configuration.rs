//! Which configuration counts: another file or another environment that a plain `wrangler deploy` would take, and
//! fields that stand twice.

use super::finding::Finding;
use crate::project::chosen_environment::ChosenEnvironment;
use crate::project::config::Config;
use crate::project::lookup;

/// What is to be said of the file as a whole. `has_env` where an environment is named on the command line.
pub fn find(config: &Config, has_env: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(overruled(config));
    found.extend(ignored(config));
    found.extend(duplicates(config));
    if !has_env {
        found.extend(environment(config));
    }
    found
}

/// What wrangler takes in place of this file.
fn overruled(config: &Config) -> Option<Finding> {
    let choice = config.wranglers_choice()?;
    let file = choice.file().display().to_string();
    Some(Finding::error(file, choice.reason()).cure(choice.cure(&config.path)))
}

/// What stands beside this file, where this one counts.
fn ignored(config: &Config) -> Vec<Finding> {
    if config.is_named || config.wranglers_choice().is_some() {
        return Vec::new();
    }
    let file = config.file_name();
    let finding = |other: &str| {
        let reason = format!("stands beside {file}, which counts: wrangler does not read {other}");
        Finding::warning(other, reason).cure(format!("delete {other}"))
    };
    lookup::beside(&config.path)
        .into_iter()
        .map(finding)
        .collect()
}

fn duplicates(config: &Config) -> Vec<Finding> {
    let finding = |field: crate::project::config::DuplicateField| {
        let path = field.path.strip_prefix("vars.COUNTERSIGN");
        let path = path.map_or(field.path.clone(), |rest| format!("COUNTERSIGN{rest}"));
        let reason = format!(
            "set again in line {}: this line counts for nothing",
            field.last_line
        );
        Finding::error(path, reason)
            .cure("keep one of the two")
            .at(config.file_name(), Some(field.line))
    };
    config.duplicates().into_iter().map(finding).collect()
}

/// CLOUDFLARE_ENV, without a word on wrangler's standard output.
fn environment(config: &Config) -> Option<Finding> {
    let chosen = ChosenEnvironment::find()?;
    let (name, source) = (&chosen.name, &chosen.source);
    let of_top = "for the top level: npx wrangler deploy --env=";
    let path = "CLOUDFLARE_ENV";
    Some(match config.named(name) {
        Ok(environment) => {
            let title = environment.title();
            let reason = format!(
                "{name} ({source}): a plain `wrangler deploy` takes {title}, and not the top level"
            );
            Finding::warning(path, reason).cure(format!("always deploy with --env; {of_top}"))
        }
        Err(_) => {
            let reason = format!(
                "{name} ({source}): the configuration has no such environment, and a plain `wrangler deploy` does not take the top level"
            );
            Finding::error(path, reason).cure(format!("unset it, or write --env; {of_top}"))
        }
    })
}
