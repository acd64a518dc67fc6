// Walks through views in Chromium as one reader after another: whether each answers as it must, what axe-core finds in
// themes and widths, whether anything is lost at 200 %, and which letters the page lacks. One JSON document.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { drive } from './reader.js';

const [browserName, address, given] = process.argv.slice(2);
// `looks`: the themes and widths in which each page is looked at, all four unless it is given. `strangers`: pages of
// nobody. `readers`: each with a token, its pages, the forms that it sends, and whether the letters of its pages are
// looked at. A page is a path with its status.
const plan = JSON.parse(given);
const looks = plan.looks ?? [['light', 390], ['dark', 390], ['light', 1280], ['dark', 1280]];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const other = (theme) => (theme === 'dark' ? 'light' : 'dark');

await drive(browserName, address, async (newReader) => {
  const found = { violations: [], unexpected: [], letters: 0 };

  async function look(page, path, view) {
    const { violations } = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), RULES);
    for (const { id, nodes } of violations) {
      found.violations.push({ path, ...view, id, nodes: nodes.map((node) => node.html) });
    }
    await fits(page, path, view);
  }

  /// What does not fit is neither scrolled to sideways nor cut.
  async function fits(page, path, view) {
    const [wide, cut] = await page.evaluate(() => {
      const hides = (element) => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
      const isCut = (element) => hides(element) && element.checkVisibility() && element.clientWidth > 1
        && element.scrollWidth > element.clientWidth + 1 && !element.matches('input, select, textarea, option');
      const all = [...document.querySelectorAll('body *')].filter((one) => one instanceof HTMLElement);
      return [document.documentElement.scrollWidth, all.filter(isCut).map((one) => one.outerHTML.slice(0, 200))];
    });
    if (wide > view.width) found.violations.push({ path, ...view, id: 'scrolls sideways', nodes: [String(wide)] });
    if (cut.length > 0) found.violations.push({ path, ...view, id: 'cut', nodes: cut });
  }

  /// Looks at the page that is open. Themes are style sheets alone, without transitions: it need not be loaded again.
  async function check(page, path) {
    await page.evaluate(axe);
    const hasSwitch = await page.evaluate(() => document.documentElement.dataset.theme !== undefined);
    for (const [theme, width] of looks) {
      await page.setViewport({ width, height: 900 });
      // The theme is the browser's on a telephone, and elsewhere what the reader chose against the browser's.
      const isChosen = hasSwitch && width === 1280;
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: isChosen ? other(theme) : theme },
      ]);
      if (hasSwitch) {
        await page.evaluate((chosen) => { document.documentElement.dataset.theme = chosen; }, isChosen ? theme : 'auto');
      }
      await look(page, path, { theme, width });
    }
    // A window of 1,280 px at 200 %.
    await page.setViewport({ width: 640, height: 450, deviceScaleFactor: 2 });
    await fits(page, path, { zoom: 2, width: 640 });
    await page.emulateMediaFeatures([]);
    await page.setViewport({ width: 1280, height: 900 });
  }

  async function visit(reader, [path, status], hasLetters) {
    const answer = await reader.page.goto(`${address}${path}`);
    if (answer.status() !== status) found.unexpected.push({ path, status: answer.status() });
    if ((answer.headers()['content-security-policy'] ?? '').endsWith('sandbox')) {
      // The policy of a message lets no script run, not even axe-core: its document is looked at without it.
      const message = await reader.context.newPage();
      await message.setContent(await answer.text());
      await check(message, path);
      await message.close();
      return;
    }
    const headings = await reader.texts('h1');
    if (headings.length !== 1) found.unexpected.push({ path, headings });
    await check(reader.page, path);
    if (hasLetters) {
      const { looked, borrowed } = await reader.borrowedLetters();
      found.letters += looked;
      if (borrowed.length > 0) found.violations.push({ path, id: 'letters of the machine', nodes: borrowed });
    }
  }

  const stranger = await newReader();
  for (const page of plan.strangers ?? []) await visit(stranger, page, true);
  await stranger.open('/');
  await stranger.page.keyboard.press('Tab');
  found.focus = await stranger.page.evaluate(() => document.activeElement.className);
  await stranger.write('Mã truy cập', 'pa_nobody');
  await stranger.leadsOn(() => stranger.page.keyboard.press('Enter'));
  found.refused = (await stranger.problems()).length;
  await check(stranger.page, 'a refused sign-in');

  found.signedIn = [];
  for (const { token, pages, forms = [], letters = false } of plan.readers) {
    const reader = await newReader();
    await reader.signIn(token);
    found.signedIn.push(...(await reader.texts('h1')));
    for (const page of pages) await visit(reader, page, letters);
    for (const { path, step, fields, shows } of forms) {
      await reader.open(path);
      const form = await reader.unfold(step);
      for (const [label, text] of Object.entries(fields)) await reader.write(label, text, form);
      await reader.press(step, form);
      if ((await reader.page.$(shows)) === null) found.unexpected.push({ path, step, lacks: shows });
      await check(reader.page, `${path} after “${step}”`);
    }
  }

  // What the reader chooses holds for the next pages, too, against what the browser prefers.
  await stranger.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  await stranger.open('/sign-in');
  await stranger.follow('Tối');
  await stranger.open('/sign-in');
  found.chosen = await stranger.page.evaluate(() =>
    [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
  return found;
});
