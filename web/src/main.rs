//! Builds `chaingap.html`: the program for WebAssembly, and the page that runs it, in one file that loads nothing else.
//!
//! In: this repository, or with `--module` a program that is built already. Out: the file, the same bytes from the same
//! sources and compiler. Left to others: a compiler for the target (release/toolchain.sh), and the page itself (page/).

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lzma_rust2::{LzmaOptions, LzmaWriter};
use sha2::{Digest as _, Sha256};

/// The program's target: with files, arguments and an exit status, so that it is the command line's own (D-PROJECT-03).
const TARGET: &str = "wasm32-wasip1";
/// Cargo's profile for it.
const PROFILE: &str = "page";

/// The page with a mark for each of the parts below.
const PAGE: &str = include_str!("../page/index.html");
/// The look of the reports, which is the page's too.
const REPORT_STYLE: &str = include_str!("../../src/render/html/style.css");
const STYLE: &str = include_str!("../page/page.css");
/// What reports run: the frame that shows one obeys the page's policy too.
const REPORT_SCRIPT: &str = include_str!("../../src/render/html/script.js");
const SCRIPT: &str = include_str!("../page/page.js");
const WASI: &str = include_str!("../page/wasi.mjs");
const LZMA: &str = include_str!("../page/lzma.mjs");
/// How both end: what makes modules of them, for Node.js.
const EXPORT: &str = "\nexport {";
const WORKER: &str = include_str!("../page/worker.js");

/// What `?sample` opens: a sign-in that works, one that fails, and the root that the phone trusts.
const SAMPLES: [(&str, &[u8]); 3] = [
    ("pin-sign-in.pcapng", include_bytes!("../../captures/pin-sign-in.pcapng")),
    ("usb-sign-in.pcapng", include_bytes!("../../captures/usb-sign-in.pcapng")),
    ("root.pem", include_bytes!("../../captures/pki/root.pem")),
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut module = None;
    let mut output = PathBuf::from("chaingap.html");
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--module") => module = arguments.next().map(PathBuf::from),
            Some(option) if option.starts_with('-') => {
                return Err(format!("usage: chaingap-web [--module PROGRAM.wasm] [OUT.html], not {option}").into());
            }
            _ => output = argument.into(),
        }
    }
    let module = match module {
        Some(module) => module,
        None => build()?,
    };
    let page = page(&fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))?)?;
    fs::write(&output, &page).map_err(|error| format!("{}: {error}", output.display()))?;
    println!("{}: {} bytes", output.display(), page.len());
    Ok(())
}

/// Compiles the program and returns its path.
fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(cargo)
        .current_dir(&root)
        .env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags(&root)?)
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--locked", "--profile", PROFILE, "--target", TARGET, "--bin", "chaingap"])
        .status()?;
    if !status.success() {
        return Err(format!("cargo cannot build for {TARGET}: rustup target add {TARGET}, or use web/build.sh").into());
    }
    Ok(target.join(TARGET).join(PROFILE).join("chaingap.wasm"))
}

/// What the compiler is told: to use the vector instructions that every browser has had since 2023, to leave a main
/// thread's room for the stack, and not to write down where this machine keeps sources, which would make each machine's
/// file another one.
fn flags(root: &Path) -> Result<OsString> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(compiler).args(["--print", "sysroot"]).output()?.stdout;
    let sysroot = String::from_utf8(sysroot)?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).unwrap_or_default();
    let mut flags = OsString::from("-Ctarget-feature=+simd128 -Clink-arg=-zstack-size=8388608");
    for (folder, name) in [(home.as_path(), "cargo"), (Path::new(sysroot.trim()), "rust"), (root, "chaingap")] {
        flags.push(" --remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

/// The page with everything in it.
fn page(module: &[u8]) -> Result<String> {
    let program = STANDARD.encode(compressed(module)?);
    let samples: Vec<String> =
        SAMPLES.iter().map(|(name, bytes)| format!("{name} {}", STANDARD.encode(bytes))).collect();
    // Browsers take no module for a worker of a page that comes from a disk: there all is one plain script.
    let plain =
        |module: &'static str| module.rsplit_once(EXPORT).map(|(script, _)| script).ok_or("a module without an export");
    let worker = format!("{}\n{}\n{WORKER}", plain(LZMA)?, plain(WASI)?);
    let policy = policy();
    let parts = [
        ("POLICY", policy.as_str()),
        ("REPORT-STYLE", REPORT_STYLE),
        ("STYLE", STYLE),
        ("WORKER", &worker),
        ("SAMPLES", &samples.join("\n")),
        ("PROGRAM", &program),
        ("SCRIPT", SCRIPT),
    ];
    let mut page = PAGE.to_owned();
    for (name, part) in parts {
        let mark = format!("{{{{{name}}}}}");
        if page.matches(&mark).count() != 1 {
            return Err(format!("page/index.html must have {mark} once").into());
        }
        page = page.replace(&mark, part);
    }
    Ok(page)
}

/// The program as `page/lzma.mjs` unpacks it. WebAssembly has no alignment, hence no position bits.
fn compressed(module: &[u8]) -> Result<Vec<u8>> {
    let mut options = LzmaOptions::with_preset(9);
    options.pb = 0;
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, Some(u64::try_from(module.len())?))?;
    writer.write_all(module)?;
    Ok(writer.finish()?)
}

/// Nothing but the blocks of the page and of the reports that it shows, workers made of the page's own text, and
/// WebAssembly. Frames have the policy of the page that made them.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src 'wasm-unsafe-eval' {} {}; style-src {} {}; worker-src blob:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(REPORT_SCRIPT),
        hash(REPORT_STYLE),
        hash(STYLE),
    )
}
