//! Bytes that once did harm, and sound ones: every file of `tests/regressions/ENTRY/` goes through its entry, and so do
//! the seeds that the repository's captures give.
//!
//! In: the files. Out: failed tests where an entry panics. With `CHAINGAP_SEEDS` naming a folder, the seeds are written
//! there for the fuzzers instead. Bounded: every seventh seed. Left to others: every seed
//! (`benches/bin/hostile.rs`), finding new ones.

use std::fs;
use std::path::Path;

use support::entries::{self, ENTRIES};
use support::seeds;

#[test]
fn what_once_did_harm_does_none() {
    let mut count = 0;
    for folder in fs::read_dir("tests/regressions").unwrap().map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            println!("{}", file.display());
            entries::run(&name, &fs::read(&file).unwrap());
            count += 1;
        }
    }
    assert!(count > 0, "no file");
}

#[test]
fn the_seeds_do_no_harm() {
    let seeds = seeds::all();
    for (name, _) in ENTRIES {
        assert!(seeds.get(name).is_some_and(|seeds| !seeds.is_empty()), "no seed for {name}");
    }
    if let Some(folder) = std::env::var_os("CHAINGAP_SEEDS") {
        return seeds::write(Path::new(&folder), &seeds);
    }
    for (name, seeds) in &seeds {
        for seed in seeds.iter().step_by(if support::everything() { 7 } else { 37 }) {
            entries::run(name, seed);
        }
    }
}
