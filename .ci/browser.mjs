// Opens the pages of a settlement in a headless Chromium and looks at them as a reader would: they sort and filter,
// fit a phone, can be read in light and dark, print, log no error and load nothing from anywhere.
//
//     node .ci/browser.mjs OUTDIR [FOLDER FOR PICTURES]
//
// Chromium is spoken to over a pipe, so nothing but Node itself is needed.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const out = resolve(process.argv[2]);
const pictures = process.argv[3] && resolve(process.argv[3]);
const home = mkdtempSync(join(tmpdir(), "jiayi-browser-"));
const chromium = spawn(process.env.CHROMIUM || "chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
  `--user-data-dir=${home}`, "about:blank",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });

let next = 0;
const waiting = new Map();
const heard = [];
let left = Buffer.alloc(0);
chromium.stdio[4].on("data", (data) => {
  left = Buffer.concat([left, data]);
  for (let end; (end = left.indexOf(0)) >= 0; left = left.subarray(end + 1)) {
    const told = JSON.parse(left.subarray(0, end).toString());
    if (told.id === undefined) { heard.push(told); continue; }
    const { good, bad } = waiting.get(told.id);
    waiting.delete(told.id);
    if (told.error) bad(new Error(told.error.message)); else good(told.result);
  }
});
function send(method, params = {}, sessionId) {
  next += 1;
  const id = next;
  chromium.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  return new Promise((good, bad) => waiting.set(id, { good, bad }));
}

const faults = [];
function must(right, what) { if (!right) faults.push(what); }

async function open(url) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const tab = (method, params) => send(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await tab(`${domain}.enable`);
  await tab("Page.navigate", { url });
  const value = async (expression) => {
    const told = await tab("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (told.exceptionDetails) throw new Error(told.exceptionDetails.exception?.description ?? expression);
    return told.result.value;
  };
  await value("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))");
  return { tab, value, sessionId, url };
}

// The text of a page against what stands behind it, at its worst.
const CONTRAST = `(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = (at) => {
    for (; at; at = at.parentElement) {
      const [r, g, b, a] = parse(getComputedStyle(at).backgroundColor);
      if (a === undefined || a > 0) return [r, g, b];
    }
    return parse(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '0,0,0' : '255,255,255');
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let worst = [99, ''];
  for (const at of document.querySelectorAll('body *')) {
    const own = [...at.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!own || at.closest('script,style,title,option')) continue;
    const style = getComputedStyle(at);
    const ink = parse(at instanceof SVGElement ? style.fill : style.color).slice(0, 3);
    const [a, b] = [light(ink), light(behind(at))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, at.tagName + '.' + (at.getAttribute('class') || '') + ' ' + at.textContent.slice(0, 30)];
  }
  return worst;
})()`;

async function look(page, name) {
  const { tab, value } = page;
  for (const scheme of ["light", "dark"]) {
    await tab("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    const [ratio, where] = await value(CONTRAST);
    must(ratio >= 4.5, `${name}, ${scheme}: contrast ${ratio.toFixed(2)} of ${where}`);
    for (const [kind, width] of [["wide", 1200], ["phone", 375]]) {
      await tab("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 });
      const widest = await value("document.documentElement.scrollWidth");
      must(widest <= width, `${name}, ${kind}: ${widest} px wide`);
      if (pictures) {
        const { data } = await tab("Page.captureScreenshot", { captureBeyondViewport: true });
        writeFileSync(join(pictures, `${name}-${kind}-${scheme}.png`), Buffer.from(data, "base64"));
      }
    }
    await tab("Emulation.clearDeviceMetricsOverride");
  }
  await tab("Emulation.setEmulatedMedia", { features: [] });
  // A chart in several parts says all that it shows at its first.
  const svgs = await value("[...document.querySelectorAll('svg')].filter((one) => one.getAttribute('aria-hidden') === 'true' ? one.previousElementSibling?.tagName !== 'svg' : one.getAttribute('role') !== 'img' || !one.getAttribute('aria-label')).length");
  must(svgs === 0, `${name}: a chart without a text`);
  const { data } = await tab("Page.printToPDF", { preferCSSPageSize: true, printBackground: true });
  const pdf = Buffer.from(data, "base64");
  must(pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 10_000, `${name}: no PDF`);
  if (pictures) writeFileSync(join(pictures, `${name}.pdf`), pdf);
}

async function report() {
  const page = await open(pathToFileURL(join(out, "report.html")).href);
  const { value } = page;
  const column = (at) => `[...document.querySelectorAll('#all tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[${at}].textContent)`;
  const count = await value(`${column(0)}.length`);
  must(count > 0, "report: no institution");
  const last = await value("document.querySelectorAll('#all thead th').length - 1");
  const number = (text) => parseFloat(text.replace(/,/g, "")) || 0;
  const sorted = (all, way) => all.every((one, at) => at === 0 || way(all[at - 1], one));
  await value(`document.querySelectorAll('#all thead button')[${last}].click()`);
  must(sorted((await value(column(last))).map(number), (a, b) => a >= b), "report: largest first");
  must(await value(`document.querySelectorAll('#all thead th')[${last}].getAttribute('aria-sort')`) === "descending", "report: says how it is sorted");
  await value(`document.querySelectorAll('#all thead button')[${last}].click()`);
  must(sorted((await value(column(last))).map(number), (a, b) => a <= b), "report: smallest first");
  await value("document.querySelectorAll('#all thead button')[0].click()");
  must(sorted(await value(column(0)), (a, b) => a <= b), "report: by id");
  const type = (id, set) => value(`(() => { const at = document.getElementById('${id}'); ${set}; at.dispatchEvent(new Event('${id === "find" ? "input" : "change"}')); })()`);
  const first = (await value(column(0)))[0];
  await type("find", `at.value = ${JSON.stringify(first)}`);
  const found = await value(column(0));
  must(found.length > 0 && found.every((one) => one.includes(first)), "report: finds by id");
  must((await value("document.getElementById('shown').textContent")).startsWith(`${found.length} /`), "report: says how many");
  await type("find", "at.value = 'no such institution'");
  must((await value(column(0))).length === 0, "report: finds nothing");
  await type("find", "at.value = ''");
  await type("back", "at.checked = true");
  must((await value(column(last))).every((one) => number(one) > 0), "report: only those that pay back");
  await type("back", "at.checked = false");
  must((await value(`${column(0)}.length`)) === count, "report: all again");
  await look(page, "report");
  const links = await value("[...document.querySelectorAll('#all a')].map((one) => one.href.split('#')[0])");
  for (const link of links) must(existsSync(new URL(link)), `report: ${link} is not there`);
  return page;
}

let ended = 0;
try {
  const pages = [await report()];
  const folder = join(out, "statements");
  const names = existsSync(folder) ? readdirSync(folder).sort().map((name) => join("statements", name)) : ["statements.html"];
  for (const name of pictures ? names : names.slice(0, 6)) {
    const page = await open(pathToFileURL(join(out, name)).href);
    await look(page, name.replace(/[/.]/g, "-"));
    pages.push(page);
  }
  const own = new Set(pages.map((page) => page.url));
  for (const { method, params } of heard) {
    if (method === "Runtime.exceptionThrown") faults.push(`error: ${params.exceptionDetails.text}`);
    if (method === "Runtime.consoleAPICalled") faults.push(`console: ${params.type}`);
    if (method === "Log.entryAdded") faults.push(`log: ${params.entry.text}`);
    if (method === "Network.requestWillBeSent" && !own.has(params.request.url)) faults.push(`loads ${params.request.url}`);
    if (method === "Page.javascriptDialogOpening") faults.push(`dialog: ${params.message}`);
  }
  console.log(faults.length === 0 ? `browser: ${pages.length} pages are as they should be` : faults.join("\n"));
  ended = faults.length === 0 ? 0 : 1;
} catch (error) {
  console.log(`browser: ${error.message}`);
  ended = 1;
} finally {
  chromium.kill();
  await new Promise((done) => chromium.on("exit", done));
  rmSync(home, { recursive: true, force: true });
}
process.exit(ended);
