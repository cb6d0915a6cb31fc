// What a person does with a report, one look each: each is given the page, and says what it found by `check`.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const shown = (page) => page.evaluate("({ ...time.shown, begin: time.begin, until: time.until })");
const text = (page, selector) => page.locator(selector).first().textContent();

// In the middle nothing that stays at the top lies over it.
const centred = (one) => one.evaluate((element) => element.scrollIntoView({ block: "center" }));

/** The colours of the page, by these names, that are nowhere on a canvas, but for the words around its lines. */
const unpainted = (box, names) => {
  const canvas = box.querySelector("canvas");
  if (!canvas) return ["no canvas"];
  const [all, over] = [canvas, box.querySelector(".u-over")].map((one) => one.getBoundingClientRect());
  const ratio = canvas.width / all.width;
  // A line at an edge is painted across it.
  const [left, top, width, height] = [over.left - all.left, over.top - all.top - 2, over.width, over.height + 4].map((one) => Math.round(one * ratio));
  const { data } = canvas.getContext("2d").getImageData(left, top, width, height);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue("--" + name).trim().split(/\s+/).at(-1);
  return names.filter((name) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour(name).slice(at, at + 2), 16));
    // Thin lines are nowhere of their full colour.
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 200 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 60) return false;
    }
    return true;
  });
};

/**
 * Each chart is there, drawn in its colours, and within the window. Where lines of a real run lie depends on
 * the machine, and some may hide others.
 */
export async function drawn(page, check, { width, allFailed, points, isReal }) {
  const colours = {
    "chart-response": allFailed ? ["p99"] : ["p50", "p99"],
    "chart-requests": allFailed ? ["failed"] : ["requests"],
    "chart-users": ["users"],
    "chart-heat": ["heat"],
    "chart-curve": ["p50"],
    "chart-load": ["requests"],
    "chart-bytes": ["bytes"],
    "chart-generator": ["machine", "users"],
  };
  const others = { "chart-response": ["p90", "p95"], "chart-requests": ["failed"], "chart-generator": ["p95"] };
  for (const chart of await page.locator(".chart").all()) {
    const id = await chart.getAttribute("id");
    // A single point is too small to be of its full colour; the map and the curve have none.
    const named = points > 1 || id === "chart-heat" || id === "chart-curve" ? colours[id] ?? [] : [];
    const wanted = isReal && named.length ? [...named, ...(others[id] ?? [])] : named;
    const missing = await chart.evaluate(unpainted, wanted);
    check(`${id} is drawn`, missing.length === 0 || (isReal && missing.length < wanted.length), missing);
    const box = await chart.boundingBox();
    const tables = await chart.evaluate((box) => box.closest("figure").querySelectorAll("details.figures").length);
    check(`${id} has its figures as a table`, tables === 1, tables);
    check(`${id} fits its window`, box.x >= 0 && box.x + box.width <= width, box);
  }
}

/** Times are rounded before they are split into minutes and seconds. */
export async function clock(page, check) {
  const said = await page.evaluate(() => [0, 59.96, 87.9852, 87.25, 3599.98, 3725.4].map(charting.clock));
  check("a time is told as a clock does", said.join() === "0:00,1:00,1:28,1:27.3,1:00:00,1:02:05", said);
}

/** One failure among thousands is in the chart and its key; a name that is met once is in its small charts. */
export async function few(page, check) {
  const chart = page.locator("#chart-requests");
  const missing = await chart.evaluate(unpainted, ["failed", "requests"]);
  check("a single failure is seen", missing.length === 0, missing);
  const failed = page.locator("#chart-requests + .key-list .key-one", { hasText: "failed" });
  check("and named", (await failed.count()) === 1);
  await failed.click();
  check("it is switched off by its name", (await chart.evaluate(unpainted, ["failed"])).length === 1);
  await failed.click();
  const row = page.locator("#names tbody > tr[id^=name-]").nth(1);
  await centred(row);
  await settled(page);
  const painted = await row.locator("canvas").evaluateAll((all) => all.map((one) => one.getContext("2d").getImageData(0, 0, one.width, one.height).data.some((part) => part > 0)));
  check("what is met once has a point in its row", painted.length === 2 && painted.every((one) => one), painted);
}

/** Of failures each kind is named and seen, however seldom it was met. */
export async function kinds(page, check) {
  const named = await page.locator("#chart-failures + .key-list .key-one").allTextContents();
  check("each kind of failure is in the key", named.map((one) => one.trim()).join() === "server errors,connection,rules of the plan", named);
  const missing = await page.locator("#chart-failures").evaluate(unpainted, ["kind-server_error", "kind-connection", "kind-rule"]);
  check("and in the chart", missing.length === 0, missing);
}

/** An answer with none in the seconds beside it is seen, in areas too. */
export async function rare(page, check) {
  const missing = await page.locator("#chart-timings").evaluate(unpainted, ["part-tls", "part-first_byte"]);
  check("what answers took is seen where they are rare", missing.length === 0, missing);
  const part = page.locator("#chart-timings + .key-list .key-one", { hasText: "first byte" });
  await part.click();
  check("and switched off by its name", (await page.locator("#chart-timings").evaluate(unpainted, ["part-first_byte"])).length === 1);
  await part.click();
}

/** Keys that are the browser's own are left to it. */
export async function others(page, check) {
  const taken = await page.locator(".chart").evaluateAll((all) => {
    const keys = ["ArrowLeft", "ArrowRight", "Home", "End"].flatMap((key) => ["altKey", "ctrlKey", "metaKey"].map((held) => ({ key, [held]: true })));
    const isTaken = (box, key) => !box.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true, cancelable: true }));
    return all.filter((box) => keys.some((key) => isTaken(box, key))).map((box) => box.id);
  });
  check("no chart takes keys of the browser", taken.length === 0, taken);
}

/** The charts of a part of a run begin where it does. */
export async function part(page, check, { from, to }) {
  const scales = await page.evaluate("[...time.drawn].map(({ plot }) => [plot.scales.x.min, plot.scales.x.max])");
  check("the charts show the part, and no more", scales.length > 5 && scales.every(([a, b]) => a === from && b === to), scales);
  check("which is the whole of the page", await page.locator("#zoom").isHidden());
}

/** Pointing at one chart tells the figures of all; keys go through time, and say what they meet. */
export async function cursor(page, check, run) {
  const over = page.locator("#chart-response .u-over");
  await centred(over);
  const box = await over.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await settled(page);
  const silent = await page.evaluate(() => [...document.querySelectorAll("[aria-labelledby=h-charts] .key-at")].filter((at) => !at.textContent.startsWith("at ")).length);
  check("pointing at a chart tells the figures of all", silent === 0, silent);
  const moved = (await over.boundingBox()).y - box.y;
  check("and nothing moves away from the pointer", moved === 0, moved);
  await page.mouse.move(0, 0);
  const reading = () => text(page, "#reading");
  await page.locator("#chart-users").focus();
  await page.keyboard.press("Home");
  const first = await reading();
  await page.keyboard.press("End");
  const last = await reading();
  check("the keyboard goes through time", first.includes("users") && last.includes("users") && (first !== last || run !== "mixed"), [first, last]);
  await page.keyboard.press("Escape");
  check("and leaves it", (await reading()) === "");
}

/** Dragging over a chart looks closer in all of them; a double click, a button and Escape lead back. */
export async function zoom(page, check) {
  const over = page.locator("#chart-requests .u-over");
  await centred(over);
  const box = await over.boundingBox();
  const y = box.y + box.height / 2;
  const drag = async () => {
    await page.mouse.move(box.x + box.width * 0.3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, y, { steps: 3 });
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 3 });
    await page.mouse.up();
    await settled(page);
  };
  await drag();
  const { from, to, begin, until } = await shown(page);
  const span = until - begin;
  check("dragging looks closer", Math.abs((from - begin) / span - 0.3) < 0.02 && Math.abs((to - begin) / span - 0.6) < 0.02, { from, to, begin, until });
  check("the contents say which part is shown", /\d – \d/.test(await text(page, "#zoom")), await text(page, "#zoom"));
  const scales = await page.evaluate("[...time.drawn].map(({ plot }) => [plot.scales.x.min, plot.scales.x.max])");
  check("all charts show the same part", scales.length > 5 && scales.every(([a, b]) => a === from && b === to), scales);
  await page.mouse.dblclick(box.x + box.width / 2, y);
  await settled(page);
  check("a double click shows the whole run", (await shown(page)).to === until && (await page.locator("#zoom").isHidden()));
  await drag();
  await page.locator("#zoom button").click();
  check("a button does", (await shown(page)).to === until);
  await page.locator("#chart-requests").focus();
  await page.keyboard.press("+");
  const closer = await shown(page);
  check("the keyboard looks closer", closer.to - closer.from < 0.6 * span, closer);
  await page.keyboard.press("-");
  check("and wider", (await shown(page)).to - (await shown(page)).from > 0.9 * span);
  await page.keyboard.press("+");
  await page.keyboard.press("Escape");
  check("Escape shows the whole run", (await shown(page)).to === until && (await shown(page)).from === begin);
}

/** The figures behind a chart, and its lines by name. */
export async function figures(page, check) {
  const figure = page.locator("figure", { has: page.locator("#chart-response") });
  await figure.locator("summary").click();
  await figure.locator("table.data").waitFor({ timeout: 5000 });
  const rows = await figure.locator("table.data tbody tr").count();
  const points = await page.evaluate("run.history.time_s.length");
  check("a table has each point of a chart", rows === points && points > 10, [rows, points]);
  const head = await figure.locator("table.data thead th").allTextContents();
  check("its columns are the lines", head.join() === "At,p50,p90,p95,p99,max", head);
  await figure.locator("summary").click();
  const line = figure.locator(".key-one", { hasText: "p99" });
  await line.click();
  const isShown = () => page.evaluate("[...time.drawn][0].plot.series[4].show");
  check("a line is hidden by its name", !(await isShown()) && (await line.getAttribute("aria-pressed")) === "false");
  await line.click();
  check("and shown again", (await isShown()) && (await page.locator("#chart-response").evaluate(unpainted, ["p99"])).length === 0);
}

/** The words on a canvas, and where they begin and end. */
const spoken = async (box) => {
  const canvas = box.querySelector("canvas");
  const { prototype } = CanvasRenderingContext2D;
  const { fillText } = prototype;
  const said = new Map();
  prototype.fillText = function (text, x, ...rest) {
    const half = this.measureText(text).width / 2;
    if (this.canvas === canvas) said.set(text, { text, left: x - half, right: x + half });
    fillText.call(this, text, x, ...rest);
  };
  ["beforeprint", "afterprint"].forEach((event) => window.dispatchEvent(new Event(event)));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  prototype.fillText = fillText;
  return [...said.values()].sort((a, b) => a.left - b.left);
};

/** The map tells of the cell that is pointed at, the curve of the percentile that is chosen. */
export async function heatAndCurve(page, check) {
  const over = page.locator("#chart-heat .u-over");
  await centred(over);
  const box = await over.boundingBox();
  const said = page.locator("#chart-heat + .key-list .key-cell");
  const told = [];
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await settled(page);
  for (const part of [0.2, 0.4, 0.6, 0.8]) {
    await page.mouse.move(box.x + box.width / 2, box.y + box.height * part);
    await settled(page);
    told.push(await said.textContent());
  }
  check("the heat map tells of its cells", told.every((one) => /s to .*: [\d,]+ of [\d,]+ requests$/.test(one)) && new Set(told).size === 4, told);
  // The pointer stays where no column has most: keys do not mind it.
  await page.locator("#chart-heat").focus();
  await centred(over);
  const top = await over.boundingBox();
  await page.mouse.move(top.x + top.width / 2, top.y + 2);
  await settled(page);
  for (const key of ["Home", "ArrowRight", "ArrowRight"]) {
    await page.keyboard.press(key);
    const [spoken, shown] = [await text(page, "#reading"), await said.textContent()];
    check("and by keyboard where most lay", /most in .* requests/.test(spoken) && spoken.endsWith(shown), [spoken, shown]);
  }
  await page.mouse.move(top.x + top.width / 2 + 3, top.y + 3);
  await settled(page);
  check("until the pointer moves again", !(await text(page, "#reading")).endsWith(await said.textContent()), await said.textContent());
  await page.mouse.move(0, 0);
  await page.keyboard.press("Escape");
  await page.locator("#chart-curve").focus();
  await page.keyboard.press("End");
  const longest = await text(page, "#reading");
  const max = await page.locator(".quantiles tbody tr:last-child td").textContent();
  const behind = page.locator("figure", { has: page.locator("#chart-curve") }).locator("details.figures");
  await behind.locator("summary").click();
  await behind.locator("table.data").waitFor({ timeout: 5000 });
  const shares = await behind.locator("tbody th").allTextContents();
  const ends = await behind.locator("tbody tr:last-child td").first().textContent();
  const parts = shares.slice(0, -1).map(parseFloat);
  check("its table goes from none to all", shares[0] === "0%" && shares.at(-1) === "all" && ["25%", "50%", "75%", "93.75%"].every((share) => shares.includes(share)) && parts.every((part, i) => !i || part > parts[i - 1]) && parseFloat(ends) === parseFloat(max), [ends, max, shares]);
  await behind.locator("summary").click();
  const words = await page.locator("#chart-curve").evaluate(spoken);
  const marks = words.filter(({ text }) => text.endsWith("%"));
  const close = marks.filter((one, i) => i && one.left - marks[i - 1].right < 6);
  check("the words below the curve do not touch", close.length === 0 && ["50%", "90%"].every((want) => marks.some(({ text }) => text === want)), marks);
  check("the curve ends at the longest", longest.startsWith("the longest: response time") && Math.abs(parseFloat(longest.split("response time ")[1]) - parseFloat(max)) < 0.1, [longest, max]);
}

/** Names are sorted, searched and opened. */
export async function names(page, check, run) {
  const visible = () => page.locator("#names tbody > tr[id^=name-]:visible");
  const column = (title) => page.locator("#names thead th", { hasText: new RegExp(`^${title}$`) }).last();
  const all = await page.evaluate("run.names.map(({ figures }) => figures[5])");
  const order = async () => {
    const ids = await visible().evaluateAll((rows) => rows.map((row) => Number(row.id.slice(5))));
    return ids.map((i) => all[i]);
  };
  await column("p95").getByRole("button").click();
  const falling = await order();
  check("a click sorts by a column, the greatest first", falling.every((one, i) => !i || falling[i - 1] >= one) && falling[0] === Math.max(...all), falling.slice(0, 9));
  check("which is said", (await column("p95").getAttribute("aria-sort")) === "descending");
  await column("p95").getByRole("button").press("Enter");
  const rising = await order();
  check("the keyboard turns it round", rising.every((one, i) => !i || rising[i - 1] <= one) && (await column("p95").getAttribute("aria-sort")) === "ascending", rising.slice(0, 9));
  if (all.length > 5) {
    const search = page.getByRole("searchbox");
    const word = run === "steps" ? "prod" : "pages/99";
    await search.fill(word);
    const found = await visible().allTextContents();
    check("a search leaves what is searched for", found.length > 0 && found.every((row) => row.includes(word)), found.length);
    const counted = await text(page, "#names-tools [role=status]");
    check("and counts it", counted.startsWith(`${found.length} of `), counted);
    await search.fill("");
  }
  const first = visible().first();
  await first.getByRole("button").press("Enter");
  const detail = page.locator("#names tr.detail");
  const button = first.getByRole("button");
  check("a name opens", (await button.getAttribute("aria-expanded")) === "true" && (await detail.isVisible()));
  const words = await detail.textContent();
  check("and tells where its time goes", /On average it takes .*: .*(byte|body|rest)/.test(words), words.slice(0, 200));
  for (const chart of await detail.locator(".chart").all()) {
    const missing = await chart.evaluate(unpainted, [(await chart.getAttribute("aria-label")).includes("requests per second") ? "requests" : "p95"]);
    check("with its own charts", missing.length === 0, missing);
  }
  const sparks = await first.locator("canvas").evaluateAll((all) => all.map((one) => one.getContext("2d").getImageData(0, 0, one.width, one.height).data.some((part) => part > 0)));
  check("and small ones in its row", sparks.length === 2 && sparks.every((one) => one), sparks);
  await button.press("Enter");
  check("and closes", (await detail.count()) === 0 && (await button.getAttribute("aria-expanded")) === "false");
}

/** What a link shows and opens is a step that the browser's Back undoes. */
export async function back(page, check) {
  const whole = await shown(page);
  const open = () => page.locator("#names tr.opened th").allTextContents();
  const link = (words) => page.locator(".findings").getByRole("link", { name: words }).first();
  const first = link(/^See the response times/);
  await centred(first);
  const top = await page.evaluate(() => window.scrollY);
  await first.click();
  const part = await shown(page);
  await link("Open GET /search").click();
  const [opened, closer] = [await open(), await shown(page)];
  check("two links are two steps", opened.length === 1 && part.from !== closer.from && part.from > whole.from, { whole, part, closer });
  await page.goBack();
  await settled(page);
  const once = await shown(page);
  check("Back closes the name and shows the part before", (await open()).length === 0 && once.from === part.from && once.to === part.to, [await open(), once]);
  await page.goBack();
  await settled(page);
  const twice = await shown(page);
  check("and then the whole run", twice.from === whole.from && twice.to === whole.to && (await page.locator("#zoom").isHidden()), twice);
  const place = await page.evaluate(() => [window.scrollY, document.activeElement.textContent]);
  check("where the link stands", Math.abs(place[0] - top) < 2 && place[1].startsWith("See the response times"), [top, ...place]);
  await page.goForward();
  await page.goForward();
  await settled(page);
  check("Forward goes there again", (await open()).join() === opened.join() && (await shown(page)).from === closer.from, [await open(), await shown(page)]);
  await page.reload();
  await settled(page);
  check("and so does the same address", (await open()).join() === opened.join() && (await shown(page)).from === closer.from, [await open(), await shown(page)]);
  await page.goBack();
  await page.goBack();
  await settled(page);
}

/** What is looked at is seen again when the page is loaded again, until it is the page of another run. */
export async function again(page, check, { file, other }) {
  const folder = mkdtempSync(join(tmpdir(), "throng-report-"));
  const address = join(folder, "report.html");
  copyFileSync(file, address);
  await page.goto(pathToFileURL(address).href);
  const open = () => page.locator("#names tr.opened th").allTextContents();
  const kept = (what) => page.waitForFunction(what, null, { timeout: 5000 }).catch(() => {});
  const link = () => page.locator(".findings").getByRole("link", { name: "Open GET /search" }).first();
  await link().click();
  const closer = await shown(page);
  await page.reload();
  await settled(page);
  check("a part that a link led to is seen again", (await shown(page)).to === closer.to && closer.to < closer.until && (await open()).length === 1, [closer, await shown(page)]);
  await page.locator("#zoom button").click();
  await kept(() => history.state.part === null);
  await page.reload();
  await settled(page);
  check("the whole run after it stays whole", (await page.locator("#zoom").isHidden()) && (await shown(page)).to === closer.until, await shown(page));
  await page.locator("#names tr.opened").getByRole("button").click();
  await kept(() => history.state.open.length === 0);
  await page.reload();
  await settled(page);
  check("a name that was closed stays closed", (await open()).length === 0, await open());
  await link().click();
  await page.locator(".contents").getByRole("link", { name: /^Names/ }).click();
  for (const hash of ["#h-names", "#name-0"]) {
    await page.evaluate((hash) => history.replaceState(history.state, "", hash), hash);
    copyFileSync(other, address);
    await page.reload();
    await settled(page);
    const { from, to, begin, until } = await shown(page);
    check("nothing of one run is seen again in another", until !== closer.until && from === begin && to === until && (await page.locator("#zoom").isHidden()) && (await open()).length === 0, [await shown(page), await open()]);
  }
  await page.locator("#names tbody button").first().click();
  await kept(() => history.state.run === run.id);
  await page.reload();
  await settled(page);
  check("but of the other it is", (await open()).length === 1, await open());
  rmSync(folder, { recursive: true });
}

/** Findings, thresholds and failures lead to what shows them. */
export async function links(page, check) {
  const link = (within, words) => page.locator(within).getByRole("link", { name: words }).first();
  await link(".findings", /^See the response times/).click();
  const part = await shown(page);
  check("a finding leads to its time", part.from < 180 && part.from > 60 && part.to === 300, part);
  check("and to its chart", await page.evaluate(() => document.activeElement.id === "chart-response"));
  await link(".findings", "Open GET /search").click();
  const search = page.locator("#names tr.opened th");
  check("a finding opens its name", (await search.textContent()).includes("/search") && (await search.isVisible()));
  const failed = page.locator("#names tr.detail").getByRole("link", { name: "status 503" });
  await failed.click();
  check("a name leads to how it failed", await page.evaluate(() => document.querySelector(location.hash)?.closest("#h-failures, section").querySelector("#h-failures") !== null));
  await page.locator("#names tr.detail").getByRole("link", { name: /^one of the slowest/ }).click();
  check("and to its exchanges, which open", await page.evaluate(() => document.querySelector(location.hash).open));
  await page.locator("#names tr.opened").getByRole("button").click();
  await link(".thresholds", "See the failures").click();
  check("a broken threshold leads to its chart", await page.evaluate(() => document.activeElement.id === "chart-failures"));
  await link(".kinds", "an exchange").click();
  check("a failure leads to its exchange", await page.evaluate(() => document.querySelector(location.hash).open));
  await link(".kinds", "/checkout").click();
  check("a failure opens its name", (await page.locator("#names tr.opened th").textContent()).includes("/checkout"));
}
