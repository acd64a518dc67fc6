// Takes pictures of views in Chromium as a reader who signs in by a one-time address. One JSON document.
import { drive } from './reader.js';

const [browserName, address, entry, given] = process.argv.slice(2);
// Each has the file that it becomes, the path of the view, a theme, a width, and the greatest height.
const pictures = JSON.parse(given);

await drive(browserName, address, async (newReader) => {
  const found = { unexpected: [] };
  const reader = await newReader();
  const { page } = reader;
  await page.setExtraHTTPHeaders({ 'accept-language': 'en' });
  await reader.open(entry);
  await page.waitForFunction(() => location.pathname === '/' && document.querySelector('#footer') !== null);
  for (const { file, path, theme, width, height } of pictures) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    const status = await reader.open(path);
    const headings = await reader.texts('h1');
    if (status !== 200 || headings.length !== 1) {
      found.unexpected.push({ path, status, headings });
      continue;
    }
    const whole = await page.evaluate(async () => {
      await document.fonts.ready;
      return document.documentElement.scrollHeight;
    });
    await page.screenshot({ path: file, clip: { x: 0, y: 0, width, height: Math.min(whole, height) } });
  }
  return found;
});
