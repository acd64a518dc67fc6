// Opens GraphiQL in Chromium as a reader who signed in by a token or by a one-time address: the query of a view, which
// runs there, and GraphiQL itself. Looks at the letters of the answer. One JSON document.
import { drive } from './reader.js';

const [browserName, address, entry, path] = process.argv.slice(2);

/// Runs what stands in GraphiQL, and returns its answer.
async function run(page) {
  await page.waitForSelector('.graphiql-execute-button');
  await page.click('.graphiql-execute-button');
  // An answer has data or errors; which of them it has is for the test to say.
  await page.waitForFunction(() => /"(data|errors)"/.test(document.querySelector('.result-window')?.textContent ?? ''));
  return page.$eval('.result-window', (result) => result.textContent);
}

await drive(browserName, address, async (newReader) => {
  const found = {};
  const reader = await newReader();
  const { page } = reader;
  if (entry.startsWith('/')) {
    await reader.open(entry);
    await page.waitForFunction(() => location.pathname === '/' && document.querySelector('#footer') !== null);
  } else {
    await reader.signIn(entry);
  }
  found.signedIn = await reader.texts('h1');
  found.notes = await reader.texts('.demonstration');
  found.status = await reader.open(path);
  await reader.click(await page.$('.queries summary'));
  await reader.leadsOn(async () => reader.click(await page.$('.queries a')));
  found.path = new URL(page.url()).pathname;
  found.asked = new URL(page.url()).searchParams.get('query');
  found.answer = await run(page);
  found.banner = await page.evaluate(() => document.body.innerText.includes('Demonstration data'));
  // GraphiQL opens again what it showed last. Its own query is what a reader finds who comes for the first time.
  await page.evaluate(() => localStorage.clear());
  await reader.open('/graphiql');
  found.own = await run(page);
  found.letters = await reader.borrowedLetters('.result-window');
  return found;
});
