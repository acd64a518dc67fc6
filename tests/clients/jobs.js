// Administers in Chromium: runs a job, pauses and resumes it, reads the audit log, and signs out everywhere, which ends
// the session of another browser. One JSON document.
import { drive } from './reader.js';

const [browserName, address, token, job] = process.argv.slice(2);

await drive(browserName, address, async (newReader) => {
  const found = { done: [] };
  const admin = await newReader();
  await admin.signIn(token);
  const elsewhere = await newReader({ width: 390 });
  await elsewhere.signIn(token);
  await elsewhere.go('Công việc tự động');
  await admin.go('Công việc tự động');

  const run = await admin.unfold('Chạy ngay');
  await admin.choose('Công việc', job, run);
  await admin.press('Chạy ngay', run);
  found.done.push(await admin.done());
  for (let waited = 0; waited < 100 && !(found.runs ?? '').includes('Thành công'); waited += 1) {
    await new Promise((done) => setTimeout(done, 200));
    await admin.follow(job, await admin.page.$('#table-jobs'));
    found.runs = (await admin.texts('#table-runs tbody tr')).join('\n');
  }

  const pause = await admin.unfold('Tạm dừng');
  await admin.choose('Công việc', job, pause);
  await admin.write('Lý do', 'Bảo trì máy chủ.', pause);
  await admin.press('Tạm dừng', pause);
  found.done.push(await admin.done());
  const state = async () => (await admin.texts('#table-jobs tbody tr')).find((row) => row.startsWith(job));
  found.paused = await state();
  const resume = await admin.unfold('Cho chạy lại');
  await admin.choose('Công việc', job, resume);
  await admin.press('Cho chạy lại', resume);
  found.done.push(await admin.done());
  found.resumed = await state();

  await admin.go('Nhật ký');
  found.log = await admin.texts('#table-audit tbody tr');
  await admin.filter('Việc', 'Cấp mã truy cập hoặc mở khóa tài khoản');
  found.tokens = await admin.texts('#table-audit tbody tr');

  found.before = await elsewhere.texts('h1');
  await admin.press('Đăng xuất mọi nơi');
  found.after = await admin.texts('h1');
  await elsewhere.page.reload();
  found.elsewhereAfter = await elsewhere.texts('h1');
  return found;
});
