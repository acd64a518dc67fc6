// Types addresses by hand in Chromium as one reader: what each answers, as a page and as files. One JSON document.
import { drive } from './reader.js';

const [browserName, address, token, paths] = process.argv.slice(2);

const asFile = (path) => `${path}${path.includes('?') ? '&' : '?'}as=csv`;

await drive(browserName, address, async (newReader) => {
  const reader = await newReader();
  await reader.signIn(token);
  const pages = [];
  for (const path of JSON.parse(paths)) {
    const status = await reader.open(path);
    pages.push({ path, status, text: await reader.page.content() });
  }
  // A browser saves files: what is in them is read by the page itself.
  for (const path of JSON.parse(paths)) reader.opened.add(asFile(`${address}${path}`));
  await reader.open('/');
  const files = await reader.page.evaluate(async (asked) => {
    const all = [];
    for (const { path, file } of asked) {
      const answer = await fetch(file);
      all.push({ path, status: answer.status, text: await answer.text() });
    }
    return all;
  }, JSON.parse(paths).map((path) => ({ path: `${path} as=csv`, file: asFile(path) })));
  return { answers: [...pages, ...files] };
});
