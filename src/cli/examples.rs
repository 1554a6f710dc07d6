//! Two examples for the help of each command.
//!
//! In: nothing. Out: text behind the options of `--help`, which the manual pages have too. Left to others: the options,
//! by which a test parses every example.

pub(super) const ANALYZE: &str = "Examples:
  chaingap analyze phone.pcapng --roots root.pem
  chaingap analyze traces/ --roots roots/ -o report.html";

pub(super) const COMPARE: &str = "Examples:
  chaingap compare works.pcapng fails.pcapng --roots root.pem
  chaingap compare both.pcapng --good 192.0.2.7 --bad 192.0.2.8";

pub(super) const CHECK: &str = "Examples:
  chaingap check --init captures/phone.pcapng
  chaingap check captures --format junit -o check.xml";

pub(super) const ANNOTATE: &str = "Examples:
  chaingap annotate phone.pcapng -o evidence.pcapng --roots root.pem
  chaingap annotate server.pcapng -o evidence.pcapng --device 192.0.2.8";

pub(super) const CERTS: &str = "Examples:
  chaingap certs phone.pcapng
  chaingap certs works.pcapng fails.pcapng --missing -o missing/";

pub(super) const PREFLIGHT: &str = "Examples:
  chaingap preflight fullchain.pem --host pool.example.com --roots root.pem
  chaingap preflight fullchain.pem --all-profiles";

#[cfg(not(target_family = "wasm"))]
pub(super) const MERGE: &str = "Examples:
  chaingap merge monday.jsonl tuesday.jsonl
  chaingap merge reports.jsonl --format json -o summary.json";

pub(super) const PROFILES: &str = "Examples:
  chaingap profiles lync-phone-edition
  chaingap profiles --template";

pub(super) const STACKS: &str = "Examples:
  chaingap stacks mbedtls
  chaingap stacks --format json";

pub(super) const EXPLAIN: &str = "Examples:
  chaingap explain CG001
  chaingap explain unknown_ca";

#[cfg(not(target_family = "wasm"))]
pub(super) const COMPLETIONS: &str = "Examples:
  chaingap completions bash
  chaingap completions powershell";

#[cfg(not(target_family = "wasm"))]
pub(super) const MAN: &str = "Examples:
  chaingap man analyze
  chaingap man -o man/";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::Arguments;

    #[test]
    fn every_command_has_two_examples_that_parse() {
        let program = Arguments::command();
        for command in program.get_subcommands() {
            let help = command.get_after_help().unwrap_or_else(|| panic!("{}: no examples", command.get_name()));
            let help = help.to_string();
            let examples: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
            assert_eq!(examples.len(), 2, "{}", command.get_name());
            for example in examples {
                let words: Vec<_> = example.split(' ').collect();
                assert_eq!(words.get(..2), Some(&["chaingap", command.get_name()][..]), "{example}");
                Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
        }
    }
}
