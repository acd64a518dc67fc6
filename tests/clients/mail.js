// Draws mails in Chromium, each as an archive of the web (MHTML), whose pictures are other parts of the same message.
// Light and dark, at the width of a telephone and of a desk: what is drawn of each picture, and whether something is
// wider than the window. One JSON document.
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const [browserName, ...files] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: execFileSync('which', [browserName], { encoding: 'utf8' }).trim(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
});
const elsewhere = [];
const mails = [];
try {
  const page = await browser.newPage();
  page.on('request', (request) => {
    if (!/^(file|cid):/.test(request.url())) elsewhere.push(request.url());
  });
  for (const file of files) {
    const views = [];
    for (const scheme of ['light', 'dark']) {
      for (const width of [390, 1280]) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        await page.setViewport({ width, height: 900 });
        await page.goto(pathToFileURL(file).href);
        const drawn = await page.evaluate(() => ({
          pictures: [...document.images].map((image) => ({
            source: image.getAttribute('src'),
            alt: image.alt,
            natural: [image.naturalWidth, image.naturalHeight],
            right: image.getBoundingClientRect().right,
          })),
          ground: getComputedStyle(document.body).backgroundColor,
          wide: document.documentElement.scrollWidth,
          text: document.body.innerText.length,
        }));
        views.push({ scheme, width, ...drawn });
      }
    }
    mails.push(views);
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ elsewhere, mails }));
