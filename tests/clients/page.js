// Drives the web page in Chromium: signs in by the form, walks through views in both themes and two widths, runs
// axe-core on each, and notes every request that leaves the server. One JSON document.
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const [chromium, address, token, paths] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
});
const violations = [];
const elsewhere = [];
const errors = [];
let focus = '';
let signedIn = '';
try {
  const page = await browser.newPage();
  // axe-core is put into the page, which its policy forbids to everyone else.
  await page.setBypassCSP(true);
  page.on('request', (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${address}/`);
  await page.keyboard.press('Tab');
  focus = await page.evaluate(() => document.activeElement.className);
  await page.type('#token', token);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  signedIn = await page.$eval('h1', (heading) => heading.textContent);
  for (const path of paths.split(',')) {
    for (const theme of ['light', 'dark']) {
      for (const width of [390, 1280]) {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
        await page.goto(`${address}${path}`);
        await page.addScriptTag({ path: axe });
        const found = await page.evaluate(
          () => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
        for (const violation of found.violations) {
          violations.push({ path, theme, width, id: violation.id, nodes: violation.nodes.map((node) => node.html) });
        }
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) violations.push({ path, theme, width, id: 'scrolls sideways', nodes: [String(wide)] });
      }
    }
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ violations, elsewhere, errors, focus, signedIn }));
