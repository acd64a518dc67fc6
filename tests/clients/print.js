// Prints pages in Chromium as a browser set to dark colours does: what is hidden, which colours there are, whether
// something is wider than the sheet, and how many sheets each takes. One JSON document.
import { execFileSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';

const [browserName, address, token, paths] = process.argv.slice(2);
// The width of A4 in CSS pixels, without the margins of 14 mm.
const WIDTH = 688;
const browser = await puppeteer.launch({
  executablePath: execFileSync('which', [browserName], { encoding: 'utf8' }).trim(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
});
const found = {};
try {
  const page = await browser.newPage();
  // A message runs no script of its own; this looks at it from outside.
  await page.setBypassCSP(true);
  await page.setExtraHTTPHeaders({ 'accept-language': 'vi' });
  await page.goto(`${address}/sign-in`);
  await page.type('#token', token);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.setViewport({ width: WIDTH, height: 1000 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.emulateMediaType('print');
  for (const path of paths.split(',')) {
    await page.goto(`${address}${path}`);
    found[path] = await page.evaluate(() => {
      const shows = (selector) => [...document.querySelectorAll(selector)].some((one) => one.getClientRects().length > 0);
      const color = (element) => getComputedStyle(element).color;
      const link = document.querySelector('main a, .inside a');
      return {
        shows: ['nav', 'form', '.queries', '.own'].filter(shows),
        ground: getComputedStyle(document.body).backgroundColor,
        text: color(document.querySelector('main, .inside')),
        link: link && [color(link), getComputedStyle(link, '::after').content],
        wide: document.documentElement.scrollWidth,
        rows: [...document.querySelectorAll('tr')].every((row) => getComputedStyle(row).breakInside.startsWith('avoid') || row.closest('[role=presentation]') !== null && row.closest('.rows') === null),
      };
    });
    const pdf = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    const box = pdf.match(/\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)/);
    found[path].sheet = box && [Math.round(Number(box[1])), Math.round(Number(box[2]))];
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
