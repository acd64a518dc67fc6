// Types into a form in Chromium until its session has almost ended, stays, and lets it end. One JSON document.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { drive } from './reader.js';

const [browserName, address, token] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

await drive(browserName, address, async (newReader) => {
  const found = {};
  const reader = await newReader();
  await reader.signIn(token);
  await reader.open('/digests/subscriptions');
  const { page } = reader;
  const minutes = (ahead) => page.evaluate((ahead) => {
    window.now ??= Date.now;
    Date.now = () => window.now() + ahead * 60000;
  }, ahead);
  const told = async () => (await reader.texts('#ends'))[0] ?? '';
  const waitFor = (selector) => page.waitForFunction((selector) => document.querySelector(selector), {}, selector);

  await minutes(26);
  await new Promise((done) => setTimeout(done, 1500));
  found.early = await told();
  await page.$$eval('details', (all) => all.forEach((one) => { one.open = true; }));
  await page.focus('#add-address');
  await page.keyboard.type('not-sent@example.org');
  await minutes(27.5);
  await waitFor('#stay');
  found.notice = await told();
  found.role = await page.$eval('#ends', (notice) => notice.getAttribute('role'));
  await page.evaluate(axe);
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const checked = await page.evaluate((rules) => axe.run(document, { runOnly: rules }), rules);
  found.violations = checked.violations.map((violation) => violation.id);
  await reader.click(await reader.one('button', 'Tiếp tục đăng nhập'));
  await page.waitForFunction(() => document.getElementById('ends').children.length === 0);
  found.stayed = await page.evaluate(() => [document.activeElement.id, document.activeElement.value]);
  await minutes(60);
  await waitFor('#ends a');
  found.ended = await page.$eval('#ends a', (link) => link.getAttribute('href'));
  found.typed = await page.$eval('#add-address', (field) => field.value);
  return found;
});
