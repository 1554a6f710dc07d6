// Opens the page (chaingap.html) from the disk in Chromium, and holds it to what its users rely on.
//
// usage: node web.mjs CHAINGAP.html CHAINGAP CAPTURES OUT_DIR [LARGE.pcap] (with playwright-core and axe-core at hand,
// CHROMIUM the browser's path; CHAINGAP is the command line, run in a folder with the same files)
//
// Files are dropped and chosen, and everything that can be saved is compared with what the command line writes, byte for
// byte. Nothing but the file itself is asked for. OUT_DIR gets screenshots: empty, working, verdict, compare, light and
// dark, wide and narrow. LARGE.pcap must take longer than a second to read.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [html, native, captures, out, large] = process.argv.slice(2).map((path) => resolve(path));
const address = pathToFileURL(html).href;
const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const sizes = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

let failed = 0, checked = 0;
const check = (holds, what) => {
  checked += 1;
  if (holds) return;
  failed += 1;
  console.log(`  FAILED: ${what}`);
};

// The folder in which the command line runs.
const folder = mkdtempSync(join(tmpdir(), "chaingap-web-"));
const here = (name) => join(folder, name);
const PIN = "pin-sign-in.pcapng", USB = "usb-sign-in.pcapng", ROOT = "root.pem";

function prepare() {
  for (const name of [PIN, USB]) copyFileSync(join(captures, name), here(name));
  for (const name of readdirSync(join(captures, "pki"))) if (name.endsWith(".pem")) copyFileSync(join(captures, "pki", name), here(name));
  writeFileSync(here("usb-sign-in.pcapng.gz"), gzipSync(readFileSync(here(USB))));
  copyFileSync(here(USB), here("cut.pcapng"));
  truncateSync(here("cut.pcapng"), 3000);
  writeFileSync(here("broken.pcapng"), "This is no capture.\n");
  mkdirSync(here("folder/inner"), { recursive: true });
  copyFileSync(here(PIN), here("folder/inner/b.pcapng"));
  copyFileSync(here(USB), here("folder/a.pcapng"));
  writeFileSync(here("folder/notes.txt"), "nothing to see\n");
}

// What the command line writes to these files, its outputs and its status.
function command(args, outputs = []) {
  outputs.forEach((name) => rmSync(here(name), { force: true }));
  const ended = spawnSync(native, args, { cwd: folder, maxBuffer: 1 << 30 });
  const files = Object.fromEntries(outputs.filter((name) => existsSync(here(name))).map((name) => [name, readFileSync(here(name))]));
  outputs.forEach((name) => rmSync(here(name), { force: true }));
  return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr.toString(), files };
}

/** A picture of the report: Chromium paints its frame only where it is in view, so not in a picture of the whole page. */
async function shootReport(page, path) {
  await page.locator("iframe").evaluate((frame) => frame.scrollIntoView());
  await page.waitForTimeout(500);
  const picture = await page.screenshot({ path });
  // An empty frame makes 10 KB.
  check(picture.length > 30_000, `${path}: the report is not painted`);
}

async function open(context, query = "") {
  const page = await context.newPage();
  const noted = { errors: [], requests: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && noted.errors.push(message.text()));
  page.on("pageerror", (error) => noted.errors.push(String(error)));
  page.on("request", (request) => !/^blob:/.test(request.url()) && request.url().split(/[?#]/)[0] !== address && noted.requests.push(request.url()));
  await page.goto(address + query);
  return { page, noted };
}

function clean(noted, what) {
  check(noted.errors.length === 0, `${what}: console: ${noted.errors.join("; ")}`);
  check(noted.requests.length === 0, `${what}: requests: ${noted.requests.join(", ")}`);
}

const chosen = (page, label, names) => page.getByLabel(label, { exact: true }).setInputFiles(names.map(here));
const finished = (page) => page.waitForFunction(() => document.querySelector("#work").hidden && /\S/.test(document.querySelector("#status").textContent), undefined, { timeout: 120_000 });
const task = (page, label) => page.getByLabel(label, { exact: true }).check();

async function press(page, name) {
  await page.getByRole("button", { name, exact: true }).click();
  await finished(page);
}

// Saves by a button, and compares with the command line's file.
async function saves(page, name, file, expected) {
  const press = async () => {
    const waiting = page.waitForEvent("download", { timeout: 30_000 });
    await page.getByRole("button", { name, exact: true }).click();
    return waiting.catch(() => undefined);
  };
  let download = await press();
  if (!download) {
    // Seen once in some ten runs; whoever saves presses again.
    console.log(`${name}: nothing was saved at first: ${await page.locator("#status").textContent()}`);
    download = await press();
  }
  if (!download) return check(false, `${name}: nothing was saved: ${await page.locator("#status").textContent()}`);
  check(download.suggestedFilename() === file, `${name} is saved as ${download.suggestedFilename()}, not ${file}`);
  const saved = readFileSync(await download.path());
  check(expected && saved.equals(expected), `${name}: ${saved.length} bytes differ from the ${expected?.length} of the command line's ${file}`);
}

// Whether the frame shows this report: it has the text that the report has by itself.
async function shows(page, html, what) {
  writeFileSync(here("shown.html"), html);
  const alone = await page.context().newPage();
  await alone.goto(pathToFileURL(here("shown.html")).href);
  const words = (root) => root.evaluate((body) => body.textContent);
  const theirs = await words(alone.locator("body"));
  await alone.close();
  let mine = await words(report(page).locator("body"));
  // The frame is a new one, which is empty at first.
  for (let tries = 0; mine !== theirs && tries < 50; tries++) {
    await page.waitForTimeout(100);
    mine = await words(report(page).locator("body"));
  }
  check(mine === theirs && mine.length > 1000, `${what}: the frame shows another report than the command line's`);
}

const report = (page) => page.frameLocator("#report");

async function drop(page, names) {
  const files = names.map((name) => ({ name, content: readFileSync(here(name)).toString("base64") }));
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, content } of files) transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
    return transfer;
  }, files);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

const ENDINGS = { HTML: "html", Text: "txt", JSON: "json", Markdown: "md", SARIF: "sarif", JUnit: "xml" };

// Two captures and a root are dropped: the verdict is there, and every format is the command line's.
async function dropping(page) {
  await drop(page, [PIN, USB, ROOT]);
  await finished(page);
  await report(page).getByText("TLS handshake fails").first().waitFor();
  check(await report(page).getByText("proven").count() > 0, "the verdict is not proven");
  const outputs = Object.values(ENDINGS).map((ending) => `report.${ending}`);
  const args = ["analyze", `--roots=${ROOT}`, ...outputs.map((name) => `-o=${name}`), PIN, USB];
  const expected = command(args, outputs);
  check(expected.status === 1, `the command line ends with ${expected.status}`);
  await shows(page, expected.files["report.html"], "analyze");
  for (const [name, ending] of Object.entries(ENDINGS)) await saves(page, name, `report.${ending}`, expected.files[`report.${ending}`]);
  await saves(page, "JSON Lines", "report.jsonl", command(["analyze", `--roots=${ROOT}`, "--format=jsonl", PIN, USB]).stdout);
  await saves(page, "Devices as CSV", "report.csv", command(["analyze", `--roots=${ROOT}`, "--csv-devices=report.csv", PIN, USB], ["report.csv"]).files["report.csv"]);
  for (const [name, ending] of [["Missing certificates (PEM)", "pem"], ["Missing certificates (PKCS#7 for Windows)", "p7b"]]) {
    const file = `report-missing.${ending}`;
    await saves(page, name, file, command(["certs", `--roots=${ROOT}`, "--missing", `-o=${file}`, PIN, USB], [file]).files[file]);
  }
  check((await page.locator("#command").textContent()) === `chaingap analyze --roots=${ROOT} ${PIN} ${USB}`, `another command line: ${await page.locator("#command").textContent()}`);
  await report(page).locator("nav.index a").first().click();
  check(await report(page).locator(":target").count() === 1, "a link in the report leads nowhere");
  check(page.url().split("#")[0] === address, "a link in the report leads the page away");
}

async function choosing(page) {
  await chosen(page, "Captures", [USB]);
  await press(page, "Analyze");
  const names = ["usb-sign-in.json", "usb-sign-in.annotated.pcapng"];
  const expected = command(["analyze", `--roots=${ROOT}`, `-o=${names[0]}`, USB], [names[0]]);
  await saves(page, "JSON", names[0], expected.files[names[0]]);
  await saves(page, "Marked up for Wireshark", names[1], command(["annotate", `--roots=${ROOT}`, `-o=${names[1]}`, USB], [names[1]]).files[names[1]]);
  // The devices found are offered, and one that is chosen is looked at alone.
  check((await page.locator("#devices option").count()) > 0, "no device is offered");
  await page.getByText("More to judge by").click();
  for (const [label, value] of [["Device", "10.20.30.50"], ["Time", "2045-01-01T00:00:00Z"], ["Kind of device", "generic-no-aia"]]) {
    const field = page.getByLabel(label, { exact: true });
    await (label === "Kind of device" ? field.selectOption(value) : field.fill(value));
  }
  await press(page, "Analyze");
  const judged = command(["analyze", "--profile=generic-no-aia", `--roots=${ROOT}`, "--at=2045-01-01T00:00:00Z", "--device=10.20.30.50", `-o=${names[0]}`, USB], [names[0]]);
  await saves(page, "JSON", names[0], judged.files[names[0]]);
  await page.getByLabel("Device", { exact: true }).fill("192.0.2.1");
  await press(page, "Analyze");
  check((await page.locator("#messages").textContent()).includes("no device fits --device 192.0.2.1; there are: 10.20.30.50"), "another device than those there");
  await page.getByLabel("Device", { exact: true }).fill("");
  await page.getByLabel("Time", { exact: true }).fill("");
  await page.getByLabel("Kind of device", { exact: true }).selectOption("auto");
  await chosen(page, "Captures", ["usb-sign-in.pcapng.gz"]);
  await press(page, "Analyze");
  const zipped = command(["analyze", `--roots=${ROOT}`, `-o=${names[0]}`, "usb-sign-in.pcapng.gz"], [names[0]]);
  await saves(page, "JSON", "usb-sign-in.json", zipped.files[names[0]]);
}

// A file that is no capture, and one that is cut, are told in the command line's words.
async function broken(page) {
  for (const name of ["broken.pcapng", "cut.pcapng"]) {
    await chosen(page, "Captures", [name]);
    await press(page, "Analyze");
    const expected = command(["analyze", `--roots=${ROOT}`, name]);
    check((await page.locator("#messages").textContent()) === expected.stderr.trimEnd(), `${name}: ${await page.locator("#messages").textContent()} instead of ${expected.stderr}`);
    check((await page.locator("#report").isVisible()) === (expected.status < 2), `${name}: a report shows where there is none, or none where there is`);
  }
}

async function aFolder(page) {
  const waiting = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a folder" }).click();
  await (await waiting).setFiles(here("folder"));
  await page.locator("#captures-chosen", { hasText: "folder" }).waitFor();
  await press(page, "Analyze");
  const expected = command(["analyze", `--roots=${ROOT}`, "-o=folder.json", "folder"], ["folder.json"]);
  await saves(page, "JSON", "folder.json", expected.files["folder.json"]);
}

async function comparing(page) {
  await task(page, "Set two side by side");
  await chosen(page, "Captures", [PIN, USB]);
  await press(page, "Compare");
  const formats = ["html", "txt", "json", "md"].map((ending) => `report.${ending}`);
  const expected = command(["compare", `--roots=${ROOT}`, ...formats.map((name) => `-o=${name}`), PIN, USB], formats);
  check(expected.status === 1 && (await page.locator("#status").textContent()).startsWith("Done: they part."), `compare: ${await page.locator("#status").textContent()}`);
  await shows(page, expected.files["report.html"], "compare");
  for (const [name, ending] of [["HTML", "html"], ["Text", "txt"], ["JSON", "json"], ["Markdown", "md"]]) await saves(page, name, `report.${ending}`, expected.files[`report.${ending}`]);
  await shootReport(page, join(out, "compare.png"));
  await page.getByRole("button", { name: "Swap the two" }).click();
  await press(page, "Compare");
  const swapped = command(["compare", `--roots=${ROOT}`, "-o=report.txt", USB, PIN], ["report.txt"]);
  await saves(page, "Text", "report.txt", swapped.files["report.txt"]);
}

async function others(page) {
  await task(page, "List certificates");
  await chosen(page, "Captures", [PIN, USB]);
  await press(page, "List");
  const files = ["report.pem", "report.p7b"];
  const listed = command(["certs", `--roots=${ROOT}`, "--missing", ...files.map((name) => `-o=${name}`), PIN, USB], files);
  check((await page.locator("#text").textContent()) === listed.stdout.toString(), "another list of certificates");
  await saves(page, "PEM", files[0], listed.files[files[0]]);
  await saves(page, "PKCS#7 for Windows", files[1], listed.files[files[1]]);
  await task(page, "Test a server's chain");
  await chosen(page, "Chain", ["server.pem"]);
  await page.getByLabel("Server name", { exact: true }).fill("https://lyncpool.contoso.test/");
  await page.getByLabel("Time", { exact: true }).fill("2026-12-01T00:00:00Z");
  await press(page, "Test");
  const tested = command(["preflight", `--roots=${ROOT}`, "--at=2026-12-01T00:00:00Z", "--host=https://lyncpool.contoso.test/", "-o=server.txt", "-o=server.json", "server.pem"], ["server.txt", "server.json"]);
  check(tested.status === 1 && (await page.locator("#text").textContent()) === tested.files["server.txt"].toString(), "another answer on the chain");
  await saves(page, "JSON", "server.json", tested.files["server.json"]);
  await page.getByLabel("Time", { exact: true }).fill("");
  await task(page, "Look up a finding");
  await page.getByLabel("Finding or alert", { exact: true }).fill("unknown_ca");
  await press(page, "Look up");
  check((await page.locator("#text").textContent()) === command(["explain", "unknown_ca"]).stdout.toString(), "another explanation");
  await page.evaluate(() => { location.hash = "#CG001"; });
  await page.locator("#text", { hasText: "CG001" }).waitFor();
  await task(page, "Explain captures");
}

async function keyLog(page) {
  const keys = readdirSync(captures).find((name) => name.endsWith(".keylog") || name.endsWith(".keys"));
  if (!keys) return check(false, "no sample has a key log");
  const capture = readdirSync(captures).find((name) => name.startsWith(basename(keys).replace(/\.[^.]*$/, "")) && /\.pcap(ng)?$/.test(name));
  copyFileSync(join(captures, keys), here(keys));
  copyFileSync(join(captures, capture), here(capture));
  await chosen(page, "Captures", [capture]);
  await chosen(page, "Key log", [keys]);
  await press(page, "Analyze");
  const name = `${capture.replace(/\.[^.]*$/, "")}.json`;
  const expected = command(["analyze", `--roots=${ROOT}`, `--keylog=${keys}`, `-o=${name}`, capture], [name]);
  await saves(page, "JSON", name, expected.files[name]);
  await page.getByLabel("Key log", { exact: true }).setInputFiles([]);
}

// Progress is seen, a run can be stopped, and one that is begun after that goes through.
async function working(page) {
  await page.getByLabel("Captures", { exact: true }).setInputFiles(large);
  await page.getByRole("button", { name: "Analyze", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("#progress").value > 0.05, undefined, { timeout: 60_000 });
  check(/^[\d.]+ of \d+ MiB, [\d.]+ MiB\/s$/.test(await page.locator("#rate").textContent()), `progress: ${await page.locator("#rate").textContent()}`);
  await press(page, "Stop");
  check((await page.locator("#status").textContent()) === "Stopped." && !(await page.locator("#result").isVisible()), "it was not stopped");
  await page.getByRole("button", { name: "Analyze", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("#progress").value > 0.05, undefined, { timeout: 60_000 });
  await page.screenshot({ path: join(out, "working.png") });
  await accessible(page, "working");
  await finished(page);
  const name = `${basename(large).replace(/\.[^.]*$/, "")}.json`;
  const expected = spawnSync(native, ["analyze", `--roots=${ROOT}`, "--format=json", large], { cwd: folder, maxBuffer: 1 << 30 });
  const asGiven = expected.stdout.toString().replaceAll(JSON.stringify(large), JSON.stringify(basename(large)));
  await saves(page, "JSON", name, Buffer.from(asGiven));
}

async function accessible(page, what) {
  // Added through the debugger, because the page's own policy would block it.
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run({ exclude: ["#report"] }, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"], iframes: false }));
  for (const { id, help, nodes } of result.violations) check(false, `axe, ${what}: ${id}: ${help}: ${nodes.length}, first ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`);
  check((await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)), `${what}: the page is wider than the screen`);
}

// By keyboard alone: the first stop skips to the files, the tasks are one group, Enter starts.
async function keyboard(page) {
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.className === "skip"), "the first stop of the keyboard does not skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.name === "task"), "the link that skips does not lead to the form");
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.type("CG003");
  await page.keyboard.press("Enter");
  await finished(page);
  check((await page.locator("#text").textContent()).includes("CG003"), "nothing is looked up by keyboard");
  check(await page.evaluate(() => document.activeElement.id === "result-title"), "the result does not get the keyboard");
}

async function samples(context) {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of sizes) {
      const what = `${viewport.width}-${colorScheme}`;
      const page = await context.newPage();
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.goto(address);
      await accessible(page, `empty, ${what}`);
      await page.screenshot({ path: join(out, `empty-${what}.png`), fullPage: true });
      await page.getByRole("link", { name: "Open the sample sign-ins" }).click();
      await finished(page);
      await report(page).getByText("TLS handshake fails").first().waitFor();
      await page.getByText("More to judge by").click();
      await accessible(page, `verdict, ${what}`);
      await shootReport(page, join(out, `verdict-${what}.png`));
      await page.close();
    }
  }
}

// Neither a script nor a style that somebody adds, nor a request, gets past the policy.
async function policyHolds(page) {
  const passed = await page.evaluate(async () => {
    const script = Object.assign(document.createElement("script"), { textContent: "window.ran = true" });
    const image = new Image();
    document.body.append(script, image);
    const loaded = await Promise.all([
      fetch("data:text/plain,x").then(() => true, () => false),
      new Promise((done) => { Object.assign(image, { onload: () => done(true), onerror: () => done(false), src: "data:image/gif;base64,R0lGODlhAQABAAAAACw=" }); }),
    ]);
    return { script: window.ran === true, loaded };
  });
  check(!passed.script && !passed.loaded.includes(true), `the policy lets through: ${JSON.stringify(passed)}`);
}

mkdirSync(out, { recursive: true });
prepare();
const home = mkdtempSync(join(tmpdir(), "chaingap-browser-"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags, env: { ...process.env, HOME: home } });
try {
  const context = await browser.newContext({ viewport: sizes[0], acceptDownloads: true });
  const { page, noted } = await open(context);
  for (const step of [dropping, choosing, broken, aFolder, comparing, others, keyLog, ...(large ? [working] : [])]) {
    console.log(step.name);
    await step(page);
    clean(noted, step.name);
  }
  await policyHolds(page);
  const second = await open(context);
  await keyboard(second.page);
  clean(second.noted, "keyboard");
  const third = await open(context, "#CG001");
  await third.page.locator("#text", { hasText: "CG001" }).waitFor();
  await samples(context);
} finally {
  await browser.close();
  for (const made of [home, folder]) rmSync(made, { recursive: true, force: true });
}
console.log(`${checked} checks, ${failed} failed`);
process.exit(failed ? 1 : 0);
