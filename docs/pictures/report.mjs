// Makes the pictures of reports: parts of the pages that are made of recorded runs whose cause is known.
// Arguments: the folder with a folder of results for each run, the folder that the pictures go to.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

// Of the tests in the browser: `npm ci --prefix tests/browser`.
const { chromium } = createRequire(resolve("tests/browser/package.json"))("playwright-core");
const [results, pictures] = process.argv.slice(2);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Opens the report of a run, lets `prepare` work on it, and takes what `part` gives of it. */
async function shoot(run, picture, height, prepare) {
  const context = await browser.newContext({ viewport: { width: 1200, height }, colorScheme: "light" });
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(resolve(results), run, "report.html")).href);
  const settled = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await settled();
  const part = await prepare(page);
  await settled();
  await (part ?? page).screenshot({ path: join(pictures, picture), animations: "disabled" });
  await context.close();
}

await shoot("timeouts_at_load", "report-findings.png", 700, () => {});
await shoot("knee_stairs", "report-charts.png", 1600, (page) => page.locator('section[aria-labelledby="h-charts"]'));
await shoot("one_name_slow", "report-name.png", 1600, async (page) => {
  await page.locator("#names tbody button", { hasText: "/search" }).first().click();
  return page.locator('section[aria-labelledby="h-names"]');
});
await browser.close();
