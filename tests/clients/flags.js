// Decides about the gravest flag in Chromium as a reader does: signs in, opens the list and the flag, tries to dismiss
// it without grounds, then dismisses it with grounds. One JSON document.
import { execFileSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';

const [browserName, address, token, grounds] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: execFileSync('which', [browserName], { encoding: 'utf8' }).trim(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
});
const found = { errors: [] };
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 390, height: 900 });
  await page.setExtraHTTPHeaders({ 'accept-language': 'vi' });
  page.on('pageerror', (error) => found.errors.push(String(error)));
  await page.goto(`${address}/sign-in?next=/flags`);
  await page.type('#token', token);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await Promise.all([page.waitForNavigation(), page.click('#table-flags tbody a')]);
  found.path = new URL(page.url()).pathname;
  found.evidence = await page.$$eval('.evidence blockquote', (texts) => texts.map((text) => text.textContent));
  found.pictures = await page.$$eval('.picture-narrow svg', (all) => all.filter((one) => one.checkVisibility()).length);
  const dismiss = () => Promise.all([page.waitForNavigation(), page.click('button[value="DISMISSED"]')]);
  await dismiss();
  found.refused = await page.$eval('.problems a', (link) => link.getAttribute('href'));
  await page.type('#reason', grounds);
  await dismiss();
  found.done = await page.$eval('.done', (notice) => notice.textContent);
  found.decisions = await page.$eval('#table-reviews', (table) => table.textContent);
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
