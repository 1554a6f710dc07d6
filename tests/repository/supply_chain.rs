//! What the program is made of: how many packages, where they come from, that none compiles C.
//!
//! In: the resolved tree, as `cargo tree` prints it. Out: failed tests where it outgrows its budget or needs a C
//! compiler. Left to others: licences and sources, which `cargo deny` checks by `deny.toml`.

use std::collections::BTreeSet;
use std::process::Command;

/// Packages of the library alone, with what builds them. Some 25 are the cryptography that proves who signed what, as many
/// read the formats (captures, packets, TLS, X.509, XML, three compressions), the rest are small parts of these. Each is
/// code that reads strangers' bytes or could be replaced by a stranger: a new one has to earn its place.
const LIBRARY: usize = 155;
/// Packages of the library and the program: arguments, colours, progress, the manual, and eight for the A-labels of host
/// names.
const PROGRAM: usize = 188;

/// What builds or binds C.
const C_BUILDERS: &[&str] =
    &["cc", "cmake", "bindgen", "pkg-config", "vcpkg", "nasm-rs", "autotools", "ring", "aws-lc-rs"];
/// Packages that are named like bindings and hold declarations alone, for system calls of some platforms.
const DECLARATIONS: &[&str] = &["linux-raw-sys", "windows-sys"];

/// Names and versions of what is built, by these arguments. Cargo may have to download the crates of other platforms, which
/// it needs for nothing else.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let base = ["tree", "--locked", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO")).args(base).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_tree_stays_within_its_budget() {
    let library = tree(&["--no-default-features", "-e", "normal,build", "--target", "x86_64-unknown-linux-gnu"]);
    let program = tree(&["-e", "normal,build", "--target", "x86_64-unknown-linux-gnu"]);
    println!("{} packages for the library, {} for the program", library.len(), program.len());
    assert!(library.len() > 50 && library.len() < program.len(), "unexpected output of cargo tree");
    assert!(library.len() <= LIBRARY, "{} packages: {library:#?}", library.len());
    assert!(program.len() <= PROGRAM, "{} packages: {program:#?}", program.len());
}

#[test]
fn nothing_compiles_or_binds_c() {
    for package in tree(&["-e", "normal,build,dev", "--target", "all"]) {
        let name = package.split(' ').next().unwrap();
        assert!(!C_BUILDERS.contains(&name), "{package}");
        assert!(!name.ends_with("-sys") || DECLARATIONS.contains(&name), "{package}");
    }
}
