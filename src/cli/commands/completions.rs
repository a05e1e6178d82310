//! `countersign completions`: what a shell needs to complete commands, options and values that are known.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, ValueHint};
use clap_complete::Shell;
use countersign_core::config::written::Written;
use countersign_core::formats;

use crate::project::config::Config;
use crate::project::options::ConfigOption;
use crate::terminal::answer::{Answer, Failure};

/// Print the completions for a shell
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct CompletionsArguments {
    /// The shell
    shell: Shell,

    #[command(flatten)]
    file: ConfigOption,
}

const AFTER_HELP: &str = "\
With --config, the names of that file's keys, cookies and environments are completed as well; print them anew \
when they change.

Where it goes:
  countersign completions bash > ~/.local/share/bash-completion/completions/countersign
  countersign completions zsh > ~/.zfunc/_countersign
      with fpath+=~/.zfunc in ~/.zshrc, before compinit
  countersign completions fish > ~/.config/fish/completions/countersign.fish
  countersign completions powershell >> $PROFILE
  countersign completions elvish >> ~/.config/elvish/rc.elv

Exit codes:
  0  printed
  2  the command line is wrong, or a file cannot be read";

impl CompletionsArguments {
    /// Prints them for the whole command line.
    pub fn run(self, whole: Command) -> Result<Answer, Failure> {
        let names = if self.file.is_named() {
            Names::of(&self.file.read()?)
        } else {
            Names::default()
        };
        let mut command = names.into_command(whole);
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "countersign", &mut script);
        Ok(Answer::success(String::from_utf8_lossy(&script)))
    }
}

/// The names of a configuration.
#[derive(Default)]
struct Names {
    keys: Vec<String>,
    rules: Vec<String>,
    environments: Vec<String>,
}

impl Names {
    fn of(config: &Config) -> Self {
        let mut names = Self::default();
        for environment in config.environments() {
            names
                .environments
                .extend(environment.name.map(str::to_owned));
            let Some(value) = environment.countersign() else {
                continue;
            };
            let written = Written::of(&value);
            let keys = written.each_keys().flat_map(|keys| keys.all());
            names.keys.extend(keys.map(|key| key.id.to_string()));
            let rules = written.rules.iter().filter_map(|rule| rule.name());
            names.rules.extend(rules.map(str::to_owned));
        }
        for list in [&mut names.keys, &mut names.rules, &mut names.environments] {
            list.sort();
            list.dedup();
        }
        names
    }

    /// The same command, whose arguments say what they may be.
    fn into_command(self, command: Command) -> Command {
        let subcommands: Vec<String> = command
            .get_subcommands()
            .map(|subcommand| subcommand.get_name().to_owned())
            .collect();
        subcommands.iter().fold(command, |command, name| {
            command.mut_subcommand(name, |subcommand| {
                subcommand.mut_args(|argument| self.completed(argument, name))
            })
        })
    }

    fn completed(&self, argument: Arg, command: &str) -> Arg {
        let value = argument.get_value_names().and_then(<[_]>::first);
        let formats: Vec<String> = formats::names().map(str::to_owned).collect();
        match (value.map(|name| name.as_str()), command) {
            (Some("FILE"), _) => argument.value_hint(ValueHint::FilePath),
            (Some("FOLDER"), _) => argument.value_hint(ValueHint::DirPath),
            (Some("URL"), _) => argument.value_hint(ValueHint::Url),
            (Some("FORMAT"), "keygen") => one_of(argument, &formats),
            (Some("KEY"), _) => one_of(argument, &self.keys),
            (Some("COOKIE"), "stage" | "promote") => one_of(argument, &self.rules),
            (Some("ENV"), _) => one_of(argument, &self.environments),
            _ => argument,
        }
    }
}

fn one_of(argument: Arg, names: &[String]) -> Arg {
    if names.is_empty() {
        return argument;
    }
    argument.value_parser(PossibleValuesParser::new(names.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(shell: Shell, names: Names) -> String {
        let argument =
            |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
        let stage = Command::new("stage")
            .arg(Arg::new("key").value_name("KEY"))
            .args([argument("rule", "COOKIE"), argument("env", "ENV")]);
        let keygen = Command::new("keygen").arg(argument("format", "FORMAT"));
        let whole = Command::new("countersign").subcommands([stage, keygen]);
        let mut script = Vec::new();
        let mut command = names.into_command(whole);
        clap_complete::generate(shell, &mut command, "countersign", &mut script);
        String::from_utf8(script).unwrap()
    }

    #[test]
    fn formats_are_completed_and_the_names_of_a_configuration() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let names = Names {
                keys: vec!["KEY_2026_11".to_owned()],
                rules: vec!["sessionid".to_owned()],
                environments: vec!["staging".to_owned()],
            };
            let script = script(shell, names);
            // fish completes the values of options alone
            let words = ["sessionid", "staging", "rails-encrypted", "KEY_2026_11"];
            let known = if shell == Shell::Fish {
                &words[..3]
            } else {
                &words
            };
            for word in known {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Elvish,
        ] {
            assert!(
                script(shell, Names::default()).contains("keygen"),
                "{shell}"
            );
        }
    }
}
