// Changes filters of the complaints with the keyboard in Chromium: what is announced, and where the focus is then. One
// JSON document.
import { drive } from './reader.js';

const [browserName, address, token] = process.argv.slice(2);

await drive(browserName, address, async (newReader) => {
  const found = {};
  const reader = await newReader();
  await reader.signIn(token);
  await reader.go('Phản ánh');
  const { page } = reader;
  // Whether the page itself stays, and only its content is replaced.
  await page.evaluate(() => { window.stays = true; });
  await page.focus('#overdue');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.getElementById('announced').textContent !== '');
  Object.assign(found, await page.evaluate(() => ({
    announced: document.getElementById('announced').textContent,
    shown: document.querySelector('#results > p').textContent,
    focus: document.activeElement.id,
    stays: window.stays === true,
    search: location.search,
  })));
  // Month and day are alike, so that the order of the parts does not matter.
  await page.focus('#from');
  await page.keyboard.type('01012024', { delay: 100 });
  await new Promise((done) => setTimeout(done, 1000));
  Object.assign(found, await page.evaluate(() => ({
    typed: document.getElementById('from').value,
    focusWhileTyped: document.activeElement.id,
    searchWhileTyped: location.search,
  })));
  await page.focus('#until');
  await page.waitForFunction(() => location.search.includes('from=2024-01-01'), { timeout: 10000 });
  return found;
});
