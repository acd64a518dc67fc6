// Drives the web page in Chromium: signs in by the form, walks through views in both themes and two widths, runs
// axe-core on each, and notes every request that leaves the server. One JSON document.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const [browserName, address, token, paths] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const browser = await puppeteer.launch({
  executablePath: execFileSync('which', [browserName], { encoding: 'utf8' }).trim(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
});
const violations = [];
const elsewhere = [];
const errors = [];
let focus = '';
let signedIn = '';
const note = (request) => {
  if (!request.url().startsWith(address) && !request.url().startsWith('data:')) elsewhere.push(request.url());
};
try {
  const strict = await browser.newPage();
  await strict.setExtraHTTPHeaders({ 'accept-language': 'vi' });
  strict.on('request', note);
  strict.on('pageerror', (error) => errors.push(String(error)));
  strict.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) errors.push(message.text());
  });
  await strict.goto(`${address}/`);
  await strict.keyboard.press('Tab');
  focus = await strict.evaluate(() => document.activeElement.className);
  await strict.type('#token', token);
  await Promise.all([strict.waitForNavigation(), strict.keyboard.press('Enter')]);
  signedIn = await strict.$eval('h1', (heading) => heading.textContent);
  for (const path of paths.split(',')) await strict.goto(`${address}${path}`);

  const page = await browser.newPage();
  await page.setExtraHTTPHeaders({ 'accept-language': 'vi' });
  // axe-core is put into the page, which its policy forbids to everyone else.
  await page.setBypassCSP(true);
  page.on('request', note);
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
