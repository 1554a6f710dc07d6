// Runs the page's program under Node and holds it to the command line's: the same reports, byte for byte.
//
// usage: node module.mjs PROGRAM.wasm CHAINGAP CAPTURES (CHAINGAP the native program, CAPTURES the folder of samples)
//
// First all expectations are checked at once by both. Then each expectation's captures are analyzed with its options, in
// every format of one report, and JSON Lines; what both say on standard error and their exit status must be the same too.
import { spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, readSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";

const [module, native, captures] = process.argv.slice(2).map((path) => resolve(path));
const { run } = await import(new URL("../../web/page/wasi.mjs", import.meta.url));
const program = new WebAssembly.Module(readFileSync(module));
process.chdir(captures);

class OnDisk {
  constructor(path) {
    this.path = path;
    this.size = statSync(path).size;
  }
  read(offset, length) {
    this.fd ??= openSync(this.path);
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(this.fd, bytes, 0, length, offset));
  }
}

const every = readdirSync(".", { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const paths = every.map((entry) => relative(".", join(entry.parentPath, entry.name)));
const files = paths.map((path) => ({ path, source: new OnDisk(path) }));

let failed = 0, compared = 0;
const same = (what, mine, theirs) => {
  compared += 1;
  if (Buffer.from(mine).equals(Buffer.from(theirs))) return;
  failed += 1;
  console.log(`  FAILED: ${what} differs from the command line's`);
};

// Runs both, and compares outputs, files and exit status. `outputs` are files that both write.
const written = mkdtempSync(join(tmpdir(), "chaingap-module-"));
function both(args, outputs = []) {
  const mine = run(program, [...args, ...outputs.map((name) => `-o=${name}`)], files);
  const theirs = spawnSync(native, [...args, ...outputs.map((name) => `-o=${join(written, name)}`), "--force"].filter((arg) => outputs.length || arg !== "--force"), { maxBuffer: 1 << 30 });
  const what = args.join(" ");
  same(`${what}: standard output`, mine.stdout, theirs.stdout);
  same(`${what}: standard error`, mine.stderr, theirs.stderr);
  same(`${what}: exit status ${mine.status}`, `${mine.status}`, `${theirs.status}`);
  for (const name of outputs) {
    const { bytes } = mine.files.find(({ path }) => path === name) ?? { bytes: "nothing" };
    same(`${what}: ${name}`, bytes, readFileSync(join(written, name)));
  }
  return mine;
}

// The strings of a list or a single string in a TOML file, as expectations have them.
function values(toml, key) {
  const line = new RegExp(`^${key} = (.*)$`, "m").exec(toml)?.[1] ?? "";
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, value]) => value);
}

try {
  const checked = both(["check", ".", "--require-all"]);
  console.log(new TextDecoder().decode(checked.stdout).trim().split("\n").at(-1));
  const expectations = paths.filter((path) => path.endsWith(".expect.toml")).sort();
  const formats = ["json", "html", "txt", "md", "sarif", "xml"].map((ending) => `report.${ending}`);
  for (const path of expectations) {
    const toml = readFileSync(path, "utf8");
    const [, options = ""] = toml.split(/^\[options\]$/m);
    const own = options.split(/^\[/m)[0];
    const folder = dirname(path);
    const args = ["roots", "installed", "bundle", "keylog"].flatMap((key) => values(own, key).map((file) => `--${key}=${join(folder, file)}`));
    for (const key of ["profile", "device", "at", "sign_in"]) {
      for (const value of values(own, key)) args.push(`--${key.replace("_", "-")}=${value.endsWith(".toml") ? join(folder, value) : value}`);
    }
    const from = values(toml.split(/^\[/m)[0], "captures").map((name) => join(folder, name));
    both(["analyze", ...args, ...from], formats);
    both(["analyze", ...args, "--format=jsonl", ...from]);
  }
  console.log(`${expectations.length} expectations, ${compared} outputs compared, ${failed} differ`);
  if (expectations.length < 278) throw new Error("too few expectations");
} finally {
  rmSync(written, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
