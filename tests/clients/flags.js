// Decides about the gravest flag in Chromium as the Board does: from Today to the flag, its evidence, each step, a
// dismissal without grounds and one with grounds, and what the digest of the reader says of it. One JSON document.
import { drive } from './reader.js';

const [browserName, address, token, grounds, mail] = process.argv.slice(2);

await drive(browserName, address, async (newReader) => {
  const found = { done: [] };
  const board = await newReader({ width: 390 });
  await board.signIn(token);
  found.today = await board.texts('h1');
  await board.followTo('cảnh báo đề nghị xem xét đình chỉ hoặc kiểm tra', '.numbers a');
  found.listed = await board.texts('#table-flags tbody tr');
  await board.follow('Cảnh báo', await board.one('navigation', 'Điều hướng chính'));
  found.waiting = await board.texts('#table-flags tbody th');
  await board.leadsOn(async () => board.click(await board.page.$('#table-flags tbody a')));
  found.path = board.path();
  found.evidence = await board.texts('.evidence blockquote');
  found.pictures = (await board.texts('.picture-narrow svg')).length;
  for (const step of ['Tiếp nhận', 'Bắt đầu xem xét']) {
    await board.press(step);
    found.done.push(await board.done());
  }

  await board.press('Bỏ cảnh báo');
  found.problems = await board.problems();
  found.focused = await board.page.evaluate(() => document.activeElement.className);
  await board.click(await board.page.$('.problems a'));
  found.led = await board.page.evaluate(() => location.hash);
  await board.write('Lý do', grounds);
  await board.press('Bỏ cảnh báo');
  found.done.push(await board.done());
  found.decisions = await board.texts('#table-reviews tbody tr');

  await board.go('Đăng ký bản tin');
  await board.follow(mail);
  await board.follow('Xem bản tin sẽ gửi lúc này');
  found.digest = (await board.texts('pre.prose')).join('\n');
  await board.follow('Xem thư như người nhận sẽ thấy, có hình ảnh');
  found.message = (await board.texts('body')).join('\n');
  return found;
});
