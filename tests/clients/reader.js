// A reader of the page in Chromium, who uses what a person can use: visible links, buttons and fields, by the names
// that the browser tells assistive technology. Notes what must never happen, whatever the reader does.
import { execFileSync } from 'node:child_process';
import puppeteer from 'puppeteer-core';

// A machine that runs other tests beside may be slow.
const TIME = 60_000;

/// Opens a browser, lets `use` drive it, and prints what `use` found with what was noted as one JSON document.
export async function drive(browserName, address, use) {
  const browser = await puppeteer.launch({
    executablePath: execFileSync('which', [browserName], { encoding: 'utf8' }).trim(),
    protocolTimeout: 2 * TIME,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
  });
  const noted = { elsewhere: [], errors: [] };
  let found;
  try {
    found = await use((options) => Reader.in(browser, address, noted, options));
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify({ ...noted, ...found }));
}

export class Reader {
  /// A reader with a context of its own: cookies are not shared.
  static async in(browser, address, noted, options = {}) {
    const context = await browser.createBrowserContext();
    return Reader.of(context, address, noted, options);
  }

  static async of(context, address, noted, options) {
    const page = await context.newPage();
    await page.setViewport({ width: options.width ?? 1280, height: 900 });
    await page.setExtraHTTPHeaders({ 'accept-language': 'vi' });
    if (options.scripts === false) await page.setJavaScriptEnabled(false);
    page.setDefaultTimeout(TIME);
    // The addresses that the reader opened, whose status is an answer and no error of the page.
    const opened = new Set();
    page.on('request', (request) => {
      const url = request.url();
      if (request.isNavigationRequest()) opened.add(url);
      if (!url.startsWith(`${address}/`) && !/^(data|blob):/.test(url)) noted.elsewhere.push(url);
    });
    page.on('pageerror', (error) => noted.errors.push(`${page.url()}: ${error}`));
    page.on('console', (message) => {
      const refused = message.text().startsWith('Failed to load resource') && opened.has(message.location().url);
      if (message.type() === 'error' && !refused) noted.errors.push(`${page.url()}: ${message.text()}`);
    });
    return new Reader({ context, page, address, noted, options, opened });
  }

  constructor(parts) {
    Object.assign(this, parts);
  }

  /// Another tab of the same reader, at the address of this one.
  async tab() {
    const other = await Reader.of(this.context, this.address, this.noted, this.options);
    await other.open(this.path());
    return other;
  }

  /// Looks at this tab: Chromium gives the mouse and the names of controls to the tab in front only.
  async front() {
    await this.page.bringToFront();
  }

  path() {
    const url = new URL(this.page.url());
    return url.pathname + url.search;
  }

  /// Types an address; returns the status of the answer.
  async open(path) {
    const answer = await this.page.goto(`${this.address}${path}`);
    return answer.status();
  }

  async signIn(token) {
    await this.open('/');
    await this.write('Mã truy cập', token);
    await this.press('Đăng nhập');
  }

  /// The controls of a role with a name, within a part of the page; what is hidden has no role.
  async all(role, name, within = this.page) {
    const quoted = name.replaceAll('"', '\\"');
    return within.$$(`::-p-aria([name="${quoted}"][role="${role}"])`);
  }

  async one(role, name, within = this.page) {
    const found = await this.all(role, name, within);
    if (found.length === 0) {
      const seen = await this.page.evaluate(() => document.body.innerText);
      throw new Error(`${this.path()} has no ${role} "${name}":\n${seen.slice(0, 2000)}`);
    }
    return found[0];
  }

  /// Clicks at the middle of a control, which nothing may cover.
  async click(control) {
    const { x, y, free } = await control.evaluate((element) => {
      element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      const { left, top, width, height } = element.getClientRects()[0] ?? element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const there = document.elementFromPoint(x, y);
      return { x, y, free: width > 0 && (element.contains(there) || (there?.contains(element) ?? false)) };
    });
    if (!free) throw new Error(`${this.path()}: ${await control.evaluate((element) => element.outerHTML)} is covered`);
    await this.page.mouse.click(x, y);
  }

  async leadsOn(act) {
    await Promise.all([this.page.waitForNavigation(), act()]);
  }

  async follow(name, within) {
    const link = await this.one('link', name, within);
    await this.leadsOn(() => this.click(link));
  }

  /// Follows the link whose name ends with a text, such as a tile of Today, which begins with its number.
  async followTo(text, selector = 'a') {
    for (const link of await this.page.$$(selector)) {
      const name = await link.evaluate((element) => (element.checkVisibility() ? element.textContent.trim() : ''));
      if (name.endsWith(text)) {
        await this.leadsOn(() => this.click(link));
        return;
      }
    }
    throw new Error(`${this.path()} has no link to "${text}"`);
  }

  /// Goes to a view by the navigation.
  async go(name) {
    const navigation = await this.one('navigation', 'Điều hướng chính');
    await this.follow(name, navigation);
  }

  async press(name, within) {
    const button = await this.one('button', name, within);
    await this.leadsOn(() => this.click(button));
  }

  /// Unfolds the form of a step, and returns it.
  async unfold(name) {
    const step = await this.step(name);
    if (!(await step.evaluate((details) => details.open))) await this.click(await step.$('summary'));
    return step.$('form');
  }

  async step(name) {
    for (const step of await this.page.$$('details.step')) {
      if ((await step.$eval('summary', (summary) => summary.textContent.trim())) === name) return step;
    }
    const steps = await this.page.$$eval('details.step > summary', (all) => all.map((one) => one.textContent));
    throw new Error(`${this.path()} offers no step "${name}", but ${JSON.stringify(steps)}`);
  }

  /// The field that a visible label names.
  async field(label, within = this.page) {
    for (const one of await within.$$('label')) {
      const name = await one.evaluate((element) => {
        if (!element.checkVisibility()) return '';
        const copy = element.cloneNode(true);
        for (const hidden of copy.querySelectorAll('[aria-hidden="true"], .quiet')) hidden.remove();
        return copy.textContent.trim();
      });
      if (name === label) return (await one.evaluateHandle((element) => element.control)).asElement();
    }
    throw new Error(`${this.path()} has no field "${label}"`);
  }

  /// Replaces the text of a field by typing.
  async write(label, text, within) {
    const field = await this.field(label, within);
    await this.click(field);
    await field.evaluate((element) => element.select());
    await this.page.keyboard.press('Backspace');
    await this.page.keyboard.type(text);
  }

  /// Chooses what a list offers by its words.
  async choose(label, words, within) {
    const field = await this.field(label, within);
    const value = await field.evaluate((list, words) => {
      const option = [...list.options].find((option) => option.label.trim() === words);
      return option ? option.value : null;
    }, words);
    if (value === null) throw new Error(`${this.path()}: "${label}" does not offer "${words}"`);
    await field.focus();
    await field.select(value);
  }

  /// Changes a filter that shows its results at once, and waits for them.
  async filter(label, words) {
    const before = this.path();
    await this.choose(label, words);
    await this.page.waitForFunction((before) => location.pathname + location.search !== before, {}, before);
    await this.settle();
  }

  /// Waits until the page has shown what a filter finds.
  async settle() {
    await this.page.waitForNetworkIdle({ idleTime: 200 });
    await this.page.waitForFunction(() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling'));
  }

  /// Presses Tab until a control with this name has the focus.
  async tabTo(name) {
    for (let presses = 0; presses < 300; presses += 1) {
      await this.page.keyboard.press('Tab');
      const focused = await this.page.evaluate(() => {
        const element = document.activeElement;
        const copy = (element.labels?.[0] ?? element).cloneNode(true);
        for (const hidden of copy.querySelectorAll('[aria-hidden="true"], .quiet')) hidden.remove();
        return copy.textContent.trim();
      });
      if (focused === name) return;
    }
    throw new Error(`the keyboard does not reach "${name}" on ${this.path()}`);
  }

  /// The visible texts of all elements that a selector finds.
  async texts(selector) {
    return this.page.$$eval(selector, (all) =>
      all.filter((one) => one.checkVisibility()).map((one) => (one.innerText ?? one.textContent).trim()));
  }

  /// The Vietnamese texts within a part of the page that are drawn by a font which the server did not send: another
  /// machine may lack it.
  async borrowedLetters(selector = 'body') {
    const texts = await this.page.evaluate(async (selector) => {
      await document.fonts.ready;
      const marked = new Set();
      for (const part of document.querySelectorAll(selector)) {
        const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const parent = node.parentElement;
          const texts = [...parent.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE);
          const all = texts.map((one) => one.data).join('');
          // Signs such as arrows are no letters, and a font may lack them.
          const isText = /[\u00c0-\u1ef9]/.test(all) && /^[\u0000-\u024f\u1e00-\u1eff\u2010-\u2026\u20ab]*$/.test(all);
          if (isText && parent.checkVisibility() && parent.closest('option, title, desc, template') === null) {
            marked.add(parent);
          }
        }
      }
      return [...marked].map((element, place) => {
        element.setAttribute('data-letters', place);
        return element.textContent;
      });
    }, selector);
    const session = await this.page.createCDPSession();
    await session.send('DOM.enable');
    await session.send('CSS.enable');
    const { root } = await session.send('DOM.getDocument');
    const borrowed = [];
    const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: '[data-letters]' });
    for (const [place, nodeId] of nodeIds.entries()) {
      const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId });
      const own = fonts.filter((font) => !font.isCustomFont).map((font) => font.familyName);
      if (own.length > 0) borrowed.push(`${texts[place].trim().slice(0, 80)}: ${own.join(', ')}`);
    }
    await session.detach();
    return { looked: nodeIds.length, borrowed: [...new Set(borrowed)] };
  }

  /// What the page says of a change that was done.
  async done() {
    const [done] = await this.texts('.done');
    if (done === undefined) throw new Error(`${this.path()}: not done: ${await this.texts('.problems')}`);
    return done;
  }

  problems() {
    return this.texts('.problems li');
  }
}
