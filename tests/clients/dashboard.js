// Visits each view that the navigation offers to a reader who changes nothing. One JSON document.
import { drive } from './reader.js';

const [browserName, address, token] = process.argv.slice(2);

await drive(browserName, address, async (newReader) => {
  const reader = await newReader();
  await reader.signIn(token);
  const views = [];
  for (const name of await reader.texts('nav[aria-label="Điều hướng chính"] a')) {
    await reader.go(name);
    const changes = await reader.page.$$eval('form:not([method="get"])', (all) =>
      all.map((form) => form.getAttribute('action')));
    views.push({ path: reader.path(), changes, text: await reader.page.evaluate(() => document.body.innerText) });
  }
  return { views };
});
