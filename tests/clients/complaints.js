// Works on one complaint in Chromium: the Board classifies, confirms and assigns it, the head of the unit answers by
// the keyboard alone, and the Board corrects it in two tabs at once. One JSON document.
import { drive } from './reader.js';

const [browserName, address, boardToken, headToken, reference, answer] = process.argv.slice(2);

/// Finds the complaint by its reference, in the list.
async function find(reader) {
  await reader.go('Phản ánh');
  await reader.write('Tìm trong nội dung, hoặc số phản ánh', reference);
  await reader.page.keyboard.press('Enter');
  await reader.page.waitForFunction(() => location.search.includes('search='));
  await reader.settle();
  await reader.follow(reference);
}

async function take(reader, step, fill = async () => {}) {
  const form = await reader.unfold(step);
  await fill(form);
  await reader.press(step, form);
}

/// Unfolds the form for corrections, and writes into it.
async function correct(reader, fields) {
  const form = await reader.unfold('Sửa thông tin');
  for (const [label, text] of Object.entries(fields)) await reader.write(label, text, form);
  return form;
}

const values = async (reader, labels) => {
  const form = await reader.unfold('Sửa thông tin');
  const shown = {};
  for (const label of labels) shown[label] = await (await reader.field(label, form)).evaluate((field) => field.value);
  return shown;
};

await drive(browserName, address, async (newReader) => {
  const found = { done: [] };
  const board = await newReader();
  await board.signIn(boardToken);
  await find(board);
  found.path = board.path();
  await take(board, 'Phân loại', (form) => board.choose('Loại vướng mắc', 'TD1 · Hách dịch', form));
  found.done.push(await board.done());
  await take(board, 'Xác nhận cán bộ', (form) => board.choose('CC01 · Nguyễn Văn An', 'Ban đã xác nhận', form));
  found.done.push(await board.done());
  await take(board, 'Giao');
  found.done.push(await board.done());

  const head = await newReader({ width: 390 });
  await head.signIn(headToken);
  await find(head);
  await head.tabTo('Trả lời');
  await head.page.keyboard.press('Enter');
  await head.tabTo('Nội dung');
  await head.page.keyboard.type(answer);
  await head.tabTo('Trả lời');
  await head.leadsOn(() => head.page.keyboard.press('Enter'));
  found.done.push(await head.done());
  found.offeredToHead = await head.page.$$eval('details.step', (all) => all.map((one) => one.id));

  await board.page.reload();
  found.answers = await board.texts('#table-responses tbody tr');
  const second = await board.tab();
  const labels = ['Thiệt hại (đồng)', 'Chậm trễ (giờ)', 'Lý do'];
  await board.front();
  const first = await correct(board, { 'Lý do': 'Doanh nghiệp báo lại.', 'Chậm trễ (giờ)': '4.5' });
  await second.front();
  const late = await correct(second, { 'Lý do': 'Có hóa đơn.', 'Thiệt hại (đồng)': '2000000' });
  await board.front();
  await board.press('Sửa thông tin', first);
  found.done.push(await board.done());
  await second.front();
  await second.press('Sửa thông tin', late);
  found.conflict = await second.problems();
  found.kept = await values(second, labels);
  await second.press('Sửa thông tin', await second.unfold('Sửa thông tin'));
  found.done.push(await second.done());
  return found;
});
