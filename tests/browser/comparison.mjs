// Opens each page of a comparison in Chromium, wide and narrow, light and dark, and looks at it.
// The last line is `N passed, M failed`.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.PICTURES;
if (pictures) mkdirSync(pictures, { recursive: true });
let passed = 0;
let failed = 0;

function check(what, good, seen) {
  if (good) return passed++;
  failed++;
  console.log(`FAILED ${what}${seen === undefined ? "" : ": " + JSON.stringify(seen)}`);
}

/** The sides whose colour is nowhere on the canvas of a chart. */
const missingSides = (box) => {
  const canvas = box.querySelector("canvas");
  if (!canvas) return ["no canvas"];
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const painted = new Set(new Uint32Array(data.buffer));
  const rgba = (css) => {
    const one = document.createElement("canvas").getContext("2d");
    one.fillStyle = css;
    one.fillRect(0, 0, 1, 1);
    return new Uint32Array(one.getImageData(0, 0, 1, 1).data.buffer)[0];
  };
  const style = getComputedStyle(document.documentElement);
  return ["baseline", "new"].filter((side) => !painted.has(rgba(style.getPropertyValue("--" + side).trim())));
};

const views = [
  { name: "wide light", width: 1280, height: 900, colorScheme: "light" },
  { name: "wide dark", width: 1280, height: 900, colorScheme: "dark" },
  { name: "phone light", width: 360, height: 740, colorScheme: "light" },
  { name: "phone dark", width: 360, height: 740, colorScheme: "dark" },
];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const file of process.argv.slice(2)) {
  const run = basename(file, ".html");
  for (const { name, width, height, colorScheme } of views) {
    const at = `comparison ${run}, ${name}`;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const said = [];
    const fetched = [];
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => fetched.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

    check(`${at}: the console is silent`, said.length === 0, said);
    check(`${at}: nothing is fetched`, fetched.every((url) => url.startsWith("data:") || url === pathToFileURL(file).href), fetched);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(`${at}: the page does not scroll sideways`, overflow <= 0, overflow);
    const paint = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = paint.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 200);
    check(`${at}: the page is ${colorScheme}`, light === (colorScheme === "light"), paint);
    if (run !== "short") {
      for (const chart of await page.locator(".chart").all()) {
        const missing = await chart.evaluate(missingSides);
        check(`${at}: both sides are in ${await chart.getAttribute("id")}`, missing.length === 0, missing);
      }
      await page.locator("#chart-p95").focus();
      await page.keyboard.press("Home");
      const reading = await page.locator("#reading").textContent();
      check(`${at}: the keyboard goes through time`, reading.includes("95th percentile, baseline") && reading.includes("95th percentile, new"), reading);
      await page.keyboard.press("Escape");
      check(`${at}: and leaves it`, (await page.locator("#reading").textContent()) === "");
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    check(`${at}: axe-core finds nothing serious`, grave.length === 0, grave.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => node.html)]));
    if (pictures) await page.screenshot({ path: join(pictures, `comparison-${run}-${name.replace(" ", "-")}.png`), fullPage: true });
    await context.close();
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
