// Opens the page in Firefox over WebDriver BiDi: the samples' verdict is there, and what is saved would be the same.
//
// usage: node firefox.mjs CHAINGAP.html (with puppeteer-core at hand, FIREFOX the browser's path)
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const address = pathToFileURL(resolve(process.argv[2])).href;
const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true });
let failed = 0;
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`${address}?sample`);
  await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("Done"), { timeout: 60_000 });
  // The frame is filled after that.
  await page.waitForSelector("#report:not([hidden])", { timeout: 20_000 });
  const frame = await page.waitForFrame((frame) => frame !== page.mainFrame(), { timeout: 20_000 });
  await frame.waitForSelector("h1", { timeout: 20_000 });
  const words = await frame.evaluate(() => document.body.textContent);
  if (!words.includes("TLS handshake fails") || !words.includes("proven")) failed += 1;
  if (errors.length) failed += 1;
  console.log(`Firefox ${await browser.version()}: ${failed ? "FAILED" : "the verdict is shown"} ${errors.join("; ")}`);
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
