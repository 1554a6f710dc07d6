// Opens HTML reports in Chromium and holds them to what a reader relies on.
//
// usage: node page.mjs OUT_DIR REPORT.html… (with playwright-core and axe-core at hand, CHROMIUM the browser's path)
//
// For each report: no error on the console and no breach of its content security policy; no request for anything but the
// file; no script of a stranger has run; links lead to something, and unfold it; the filter shows what it says; commands
// are copied; axe finds no breach of WCAG 2 A and AA, light and dark; nothing is wider than the screen; without a script
// all is still there. OUT_DIR gets screenshots at 1280 and 390 pixels, light and dark, and the page as printed.
import { readFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [out, ...reports] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const sizes = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

let failed = 0;
let checked = 0;
const check = (holds, what) => {
  checked += 1;
  if (holds) return;
  failed += 1;
  console.log(`  FAILED: ${what}`);
};

// Opens a page and records its requests and complaints.
async function open(context, report) {
  const page = await context.newPage();
  const noted = { errors: [], requests: [], dialogs: [] };
  const url = pathToFileURL(resolve(report)).href;
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && noted.errors.push(message.text()));
  page.on("pageerror", (error) => noted.errors.push(String(error)));
  page.on("dialog", (dialog) => { noted.dialogs.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => request.url().split("#")[0] !== url && noted.requests.push(request.url()));
  await page.goto(url);
  return { page, noted };
}

function clean(noted, what) {
  check(noted.errors.length === 0, `${what}: console: ${noted.errors.join("; ")}`);
  check(noted.requests.length === 0, `${what}: requests: ${noted.requests.join(", ")}`);
  check(noted.dialogs.length === 0, `${what}: a stranger's script ran: ${noted.dialogs.join(", ")}`);
}

async function structure(page) {
  const found = await page.evaluate(() => {
    const every = (selector) => [...document.querySelectorAll(selector)];
    const ids = every("[id]").map((element) => element.id);
    const targets = every("a").map((link) => link.getAttribute("href"));
    return {
      h1: every("h1").length,
      twice: ids.filter((id, index) => ids.indexOf(id) !== index),
      outward: targets.filter((target) => !/^#[a-z0-9-]+$/.test(target)),
      dangling: targets.filter((target) => !document.getElementById(target.slice(1))),
      inline: every("*").filter((e) => [...e.attributes].some((a) => a.name === "style" || a.name.startsWith("on"))).length,
      foreign: every("script[src], link, img, iframe, object, embed, base, form[action], video, audio").length,
      scripts: every("script").length,
      policy: document.querySelector("meta[http-equiv]").content,
      wide: document.documentElement.scrollWidth > innerWidth,
    };
  });
  check(found.h1 === 1, `${found.h1} main headings`);
  check(found.twice.length === 0, `ids that are there twice: ${found.twice}`);
  check(found.outward.length === 0, `links that lead elsewhere: ${found.outward}`);
  check(found.dangling.length === 0, `links that lead nowhere: ${found.dangling}`);
  check(found.inline === 0 && found.foreign === 0 && found.scripts === 1, `inline or foreign parts: ${JSON.stringify(found)}`);
  check(found.policy.startsWith("default-src 'none';") && !/unsafe|\*|http/.test(found.policy), found.policy);
  check(!found.wide, "the page is wider than the screen");
}

// Scripts added to the page later do not run: the content security policy is in force, and not only written.
async function policyHolds(page) {
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const style = document.createElement("style");
    style.textContent = "h1 { color: rgb(1, 2, 3) }";
    document.body.append(style);
    const fetched = await fetch("data:text/plain,x").then(() => true, () => false);
    const color = getComputedStyle(document.querySelector("h1")).color;
    script.remove();
    style.remove();
    return { script: window.ran === true, style: color === "rgb(1, 2, 3)", fetched };
  });
  check(!ran.script && !ran.style && !ran.fetched, `the policy lets through: ${JSON.stringify(ran)}`);
}

async function filter(page) {
  const rows = page.locator("nav.index tbody tr");
  const total = await rows.count();
  const form = page.locator("form.filter");
  if (!(await form.count())) return check(total < 5, "no filter");
  check(await form.isVisible(), "the filter is hidden");
  const shown = async () => ({
    rows: await page.locator("nav.index tbody tr:visible").count(),
    sections: await page.locator("details.device:visible").count(),
    said: await page.locator("[role=status]").textContent(),
  });
  const expect = async (count, what) => {
    const now = await shown();
    check(now.rows === count && now.sections === count && now.said === `${count} of ${total} devices shown`, `${what}: ${JSON.stringify(now)} instead of ${count}`);
  };
  await expect(total, "at first");
  const name = (await rows.nth(total - 1).locator("a").textContent()).trim();
  const same = await rows.evaluateAll((all, name) => all.filter((row) => row.textContent.toLowerCase().includes(name.toLowerCase())).length, name);
  await page.locator("#words").fill(name);
  await expect(same, `with ${name}`);
  await page.locator("#words").fill("no device has these words");
  await expect(0, "with words that none has");
  await page.locator("#words").fill("");
  for (const box of await page.locator("form.filter input[type=checkbox]").all()) {
    const status = await box.getAttribute("value");
    const having = await page.locator(`nav.index tr[data-status="${status}"]`).count();
    await box.uncheck();
    await expect(total - having, `without ${status}`);
    await box.check();
  }
  await expect(total, "in the end");
}

async function links(page) {
  const all = await page.locator("main a[href]").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  for (const target of [...new Set(all)].slice(0, 12)) {
    await page.evaluate((target) => { location.hash = target; }, target);
    await page.waitForFunction((id) => document.getElementById(id).checkVisibility(), target.slice(1), { timeout: 3000 })
      .catch(() => check(false, `${target} stays folded`));
  }
  check(true, "links");
  await page.evaluate(() => { location.hash = ""; scrollTo(0, 0); });
}

async function copying(page) {
  const blocks = page.locator("details[open] .copied:visible, section[aria-labelledby=advice] .copied:visible");
  if (!(await blocks.count())) return;
  const text = await blocks.first().locator("code").textContent();
  await blocks.first().locator("button").click();
  await page.waitForFunction(() => [...document.querySelectorAll(".copied button")].some((button) => button.textContent === "Copied"), undefined, { timeout: 3000 })
    .catch(() => check(false, "nothing was copied"));
  const pasted = await page.evaluate(() => navigator.clipboard.readText());
  check(pasted === text, `copied ${JSON.stringify(pasted)} instead of ${JSON.stringify(text)}`);
}

async function keyboard(page) {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.className);
  check(first === "skip", `the first stop of the keyboard is ${first}, not the link that skips`);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const inside = await page.evaluate(() => !!document.activeElement.closest("main"));
  check(inside, "the link that skips does not lead to the content");
}

async function accessible(page, what) {
  // Added through the debugger, because the page's own policy would block it.
  await page.evaluate(axe);
  // The first of many devices stand for all, because one template makes them. The list of all of them stays.
  await page.evaluate(() => [...document.querySelectorAll("details.device")].slice(8).forEach((device) => device.remove()));
  const result = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] }));
  for (const { id, help, nodes } of result.violations) check(false, `axe, ${what}: ${id}: ${help}: ${nodes.length}, first ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`);
  check(true, "axe");
}

async function unfold(page, howMany) {
  await page.evaluate((howMany) => [...document.querySelectorAll("details")].slice(0, howMany).forEach((box) => { box.open = true; }), howMany);
}

async function one(browser, report, permissions) {
  const name = basename(report, ".html");
  console.log(`${name}: ${statSync(report).size} bytes`);
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of sizes) {
      const what = `${name}-${viewport.width}-${colorScheme}`;
      const context = await browser.newContext({ viewport, colorScheme, permissions });
      const { page, noted } = await open(context, report);
      await structure(page);
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({ path: join(out, `${what}.png`), fullPage: height < 16000 });
      if (viewport.width === 1280 && colorScheme === "light") {
        await keyboard(page);
        await filter(page);
        await links(page);
        await copying(page);
        await page.emulateMedia({ media: "print" });
        await page.pdf({ path: join(out, `${name}.pdf`), format: "A4", printBackground: true });
        await page.emulateMedia({ media: "screen" });
      }
      clean(noted, what);
      await unfold(page, 40);
      await accessible(page, what);
      if (colorScheme === "light") await policyHolds(page);
      await context.close();
    }
  }
  const context = await browser.newContext({ viewport: sizes[0], javaScriptEnabled: false });
  const { page, noted } = await open(context, report);
  clean(noted, "without a script");
  check((await page.locator("form.filter:visible, .copied button:visible").count()) === 0, "controls that need a script show without one");
  const folded = page.locator("details.device:not([open])").first();
  if (await folded.count()) {
    await folded.locator("summary").first().click();
    check(await page.locator("details.device[open] .body").first().isVisible(), "no device can be unfolded without a script");
  }
  await context.close();
}

mkdirSync(out, { recursive: true });
const home = mkdtempSync(join(tmpdir(), "chaingap-browser-"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags, env: { ...process.env, HOME: home } });
try {
  for (const report of reports) await one(browser, report, ["clipboard-read", "clipboard-write"]);
} finally {
  await browser.close();
  rmSync(home, { recursive: true, force: true });
}
console.log(`${reports.length} reports, ${checked} checks, ${failed} failed`);
process.exit(failed || !reports.length ? 1 : 0);
