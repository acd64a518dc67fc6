// Works in a Chromium that runs no scripts: filters, sends forms, reads why one is refused, subscribes to digests, and
// signs out. One JSON document.
import { drive } from './reader.js';

const [browserName, address, token, reference] = process.argv.slice(2);

await drive(browserName, address, async (newReader) => {
  const found = { done: [] };
  const board = await newReader({ scripts: false });
  await board.signIn(token);
  found.scripts = await board.page.evaluate(() => typeof htmx);
  await board.go('Phản ánh');
  await board.choose('Trạng thái', 'Đã nhận');
  await board.click(await board.field('Chỉ phản ánh quá hạn'));
  await board.press('Lọc');
  found.late = board.path();
  found.overdue = await board.texts('#table-complaints tbody th');
  await board.click(await board.field('Chỉ phản ánh quá hạn'));
  await board.write('Tìm trong nội dung, hoặc số phản ánh', reference);
  await board.press('Lọc');
  found.listed = await board.texts('#table-complaints tbody th');
  await board.follow(reference);

  const unknown = await board.unfold('Chuyển đơn vị khác');
  await board.write('Mã đơn vị', '99', unknown);
  await board.write('Lý do', 'Đúng chức năng hơn.', unknown);
  await board.press('Chuyển đơn vị khác', unknown);
  found.problems = await board.problems();
  const again = await board.unfold('Chuyển đơn vị khác');
  found.kept = await (await board.field('Lý do', again)).evaluate((field) => field.value);
  await board.write('Mã đơn vị', '03TG', again);
  await board.press('Chuyển đơn vị khác', again);
  found.done.push(await board.done());

  await board.go('Đăng ký bản tin');
  const add = await board.unfold('Đăng ký nhận bản tin');
  await board.write('Địa chỉ thư điện tử', 'chair@example.org', add);
  await board.press('Đăng ký nhận bản tin', add);
  found.done.push(await board.done());
  await board.follow('chair@example.org');
  await board.follow('Xem bản tin sẽ gửi lúc này');
  found.digest = (await board.texts('pre.prose')).join('\n');
  await board.go('Khám phá');
  await board.choose('Nhóm theo', 'Chi cục');
  await board.press('Lọc');
  found.groups = await board.texts('#table-statistics tbody tr');
  await board.press('Đăng xuất');
  found.after = await board.texts('h1');
  return found;
});
