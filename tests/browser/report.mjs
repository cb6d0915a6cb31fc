// Opens each report in Chromium, wide and narrow, light and dark, and looks at it as a person would.
// The last line is `N passed, M failed`.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import * as looks from "./report_looks.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const files = process.argv.slice(2);
const pictures = process.env.PICTURES;
if (pictures) mkdirSync(pictures, { recursive: true });
let passed = 0;
let failed = 0;

function check(what, good, seen) {
  if (good) return passed++;
  failed++;
  console.log(`FAILED ${what}${seen === undefined ? "" : ": " + JSON.stringify(seen)}`);
}

/** How often the colour changes along a line across the left fifth of a chart, and across its right fifth. */
const changes = (box) => {
  const canvas = box.querySelector("canvas");
  const over = box.querySelector(".u-over").getBoundingClientRect();
  const ratio = canvas.width / canvas.getBoundingClientRect().width;
  const left = (over.left - canvas.getBoundingClientRect().left) * ratio;
  const width = over.width * ratio;
  const top = (over.top - canvas.getBoundingClientRect().top + over.height / 2) * ratio;
  const count = (from, to) => {
    const { data } = canvas.getContext("2d").getImageData(from, top, to - from, 1);
    const pixels = [...new Uint32Array(data.buffer)];
    return pixels.filter((pixel, i) => i > 0 && pixel !== pixels[i - 1]).length;
  };
  return { warmup: count(left, left + width / 5), after: count(left + (width * 4) / 5, left + width - 2) };
};

/** What is in a page that no report has: other elements, attributes that act, elements where only text is. */
const foreign = () => {
  const tags = "HTML HEAD META TITLE LINK STYLE BODY HEADER P SPAN H1 H2 H3 H4 UL LI DL DIV DT DD MAIN SECTION SMALL STRONG TIME TABLE THEAD TBODY TFOOT TR TH TD CODE FIGURE FIGCAPTION NOSCRIPT DETAILS SUMMARY PRE FOOTER SCRIPT BUTTON CANVAS NAV OL A I B KBD LABEL INPUT".split(" ");
  const all = [...document.querySelectorAll("*")];
  const odd = all.filter((one) => !tags.includes(one.tagName));
  const acting = all.filter((one) => [...one.attributes].some(({ name }) => name.startsWith("on") || ["src", "srcdoc", "action"].includes(name)) || !(one.getAttribute("href") ?? "#").match(/^(#|data:,$)/));
  const within = [...document.querySelectorAll("code *, summary small *, .what *, h1 *")];
  const ids = all.map((one) => one.id).filter((id) => id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  return [...[...odd, ...acting, ...within].map((one) => one.outerHTML.slice(0, 100)), ...twice];
};

const views = [
  { name: "wide light", width: 1280, height: 900, colorScheme: "light", axe: true },
  { name: "phone dark", width: 360, height: 740, colorScheme: "dark", axe: true },
  { name: "wide dark", width: 1280, height: 900, colorScheme: "dark" },
  { name: "phone light", width: 360, height: 740, colorScheme: "light" },
];
/** All views of one, two of most, one of those that are large or alike: a browser takes its time. */
function viewsOf(run) {
  const alike = /^hostile_answers_(\d)/.exec(run);
  if (alike) return [views[Number(alike[1]) % 2]];
  return views.slice(0, ["large", "many_names"].includes(run) ? 1 : run === "mixed" ? 4 : 2);
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const file of files) {
  const run = basename(file, ".html");
  for (const view of viewsOf(run)) {
    const at = `${run}, ${view.name}`;
    const { width, height, colorScheme } = view;
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
    check(`${at}: no markup of others ran`, (await page.title()).endsWith(" · Throng"), await page.title());
    // Of runs with all kinds of evidence, and of real ones against servers that send markup wherever they can.
    const isHostile = run.startsWith("hostile_answers");
    if (isHostile || run === "evidence") {
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
      const made = await page.evaluate(foreign);
      check(`${at}: nothing is made of what a server sent`, made.length === 0, made.slice(0, 5));
      const lines = await page.locator(".curl").count();
      const buttons = await page.locator("button.copy:not(.figures *)").count();
      check(`${at}: each command can be copied`, lines === buttons && (lines > 0 || run.endsWith("said")), [lines, buttons]);
      if (run === "evidence") {
        await context.grantPermissions(["clipboard-read", "clipboard-write"]);
        await page.locator(".exchange button.copy").first().click();
        const said = await page.waitForFunction(() => document.querySelector(".exchange button.copy").textContent === "Copied", null, { timeout: 5000 }).then(() => true, () => false);
        const line = await page.locator(".exchange .curl code").first().textContent();
        const copied = await page.evaluate(() => navigator.clipboard.readText());
        check(`${at}: a command is copied as it stands`, said && copied === line && line.startsWith("curl "), [said, copied]);
      }
    }
    const empty = run === "empty";
    const charts = await page.locator(".charts > figure > .chart").all();
    check(`${at}: charts, or none without data`, empty ? charts.length === 0 : charts.length >= 3, charts.length);
    const look = (what, good, seen) => check(`${at}: ${what}`, good, seen);
    const isReal = isHostile || run === "a_real_run";
    await looks.drawn(page, look, { width, isReal, allFailed: run === "all_failed" || isHostile, points: await page.evaluate("run.history.time_s.length") });
    if (run === "flows") {
      // At the middle height of a chart no line runs, but for those of its grid.
      const seen = await page.locator("#chart-users").evaluate(changes);
      check(`${at}: the warm-up is hatched, and nothing else is`, seen.warmup > 2 * seen.after + 6, seen);
      const map = await page.locator("#chart-heat").evaluate(changes);
      check(`${at}: the warm-up is hatched in the heat map`, map.warmup > 6 && map.after === 0, map);
      for (const name of ["groups", "failures", "before", "after"]) {
        const heading = page.locator(`section[aria-labelledby="h-${name}"] h2`);
        check(`${at}: there is a section of ${name}`, await heading.isVisible());
      }
      const cut = await page.evaluate(() => [...document.querySelectorAll("td, th, dd")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent));
      check(`${at}: no figure is cut`, cut.length === 0, cut);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(`${at}: the page does not scroll sideways`, overflow <= 0, overflow);
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = dark.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 200);
    check(`${at}: the page is ${colorScheme}`, light === (colorScheme === "light"), dark);
    if (charts.length) await looks.cursor(page, look, run);
    if (run === "few_failures") await looks.few(page, look);
    if (run === "kinds") await looks.kinds(page, look);
    if (run === "rare") await looks.rare(page, look);
    if (run === "mixed") await looks.clock(page, look);
    if (run === "mixed") await looks.others(page, look);
    if (run === "part") await looks.part(page, look, { from: 170, to: 290 });
    if (["mixed", "part", "steps"].includes(run) && view.axe) await looks.zoom(page, look);
    if (["mixed", "steps"].includes(run) && view.axe) {
      await looks.figures(page, look);
      await looks.heatAndCurve(page, look);
    }
    if (["mixed", "steps", "large"].includes(run) && view.axe) await looks.names(page, look, run);
    if (run === "steps") {
      await looks.back(page, look);
      await looks.links(page, look);
      if (view === views[0]) {
        const other = join(dirname(file), "day.html");
        const second = await context.newPage();
        await looks.again(second, look, { file, other });
        await second.close();
      }
    }
    if (run === "large") {
      const spent = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domComplete);
      const rows = await page.locator("#names tbody tr:visible").count();
      check(`${at}: a thousand names are there soon`, rows < 50, [rows, spent]);
    }
    if (view.axe) await page.evaluate(axe);
    const { violations } = view.axe ? await page.evaluate(() => axe.run({ resultTypes: ["violations"] })) : { violations: [] };
    check(`${at}: axe-core finds nothing`, violations.length === 0, violations.map(({ id, impact, nodes }) => [id, impact, nodes.slice(0, 3).map((node) => node.html)]));
    if (view.axe) {
      await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
      await page.emulateMedia({ media: "print", colorScheme });
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      check(`${at}: paper is white`, paper === "rgb(255, 255, 255)", paper);
      await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
      await page.emulateMedia({ media: "screen", colorScheme });
    }
    if (pictures) await page.screenshot({ path: join(pictures, `${run}-${view.name.replace(" ", "-")}.png`), fullPage: run !== "many_names" });
    await context.close();
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
