// Explores numbers in Chromium: groups, measures and filters at the page itself, then saves both files of what is seen.
// One JSON document.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { drive } from './reader.js';

const [browserName, address, token] = process.argv.slice(2);
// A machine that runs other tests beside may be slow.
const TIME = 60_000;

/// The file of an archive with a name: a ZIP lists its files at its end.
function unpacked(archive, name) {
  let at = archive.readUInt32LE(archive.lastIndexOf(Buffer.from('PK\x05\x06')) + 16);
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const lengths = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const here = archive.toString('utf8', at + 46, at + 46 + lengths[0]);
    if (here === name) {
      const local = archive.readUInt32LE(at + 42);
      const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const bytes = archive.subarray(begin, begin + archive.readUInt32LE(at + 20));
      return (archive.readUInt16LE(at + 10) === 0 ? bytes : inflateRawSync(bytes)).toString('utf8');
    }
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  throw new Error(`the workbook has no ${name}`);
}

/// The name of the next file that a session saves, once the whole file is there: Chromium first makes an empty file of
/// that name.
function nextFile(session) {
  return new Promise((done, failed) => {
    let begun;
    const begins = (download) => { begun ??= download; };
    const proceeds = ({ guid, state }) => {
      if (guid === begun?.guid && state !== 'inProgress') end(state);
    };
    const timer = setTimeout(() => end('not saved in time'), TIME);
    function end(state) {
      clearTimeout(timer);
      session.off('Browser.downloadWillBegin', begins);
      session.off('Browser.downloadProgress', proceeds);
      if (state === 'completed') done(begun.suggestedFilename);
      else failed(new Error(`the file ${begun?.suggestedFilename ?? 'that did not begin'}: ${state}`));
    }
    session.on('Browser.downloadWillBegin', begins);
    session.on('Browser.downloadProgress', proceeds);
  });
}

/// Clicks a link that saves a file, and returns its bytes.
async function saved(reader, session, folder, name) {
  const link = await reader.one('link', name);
  const [file] = await Promise.all([nextFile(session), reader.click(link)]);
  return { file, bytes: readFileSync(join(folder, file)) };
}

const folder = mkdtempSync(join(tmpdir(), 'phananh-files-'));
await drive(browserName, address, async (newReader) => {
  const found = {};
  const reader = await newReader();
  const session = await reader.page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow', downloadPath: folder, browserContextId: reader.context.id, eventsEnabled: true,
  });
  await reader.signIn(token);
  await reader.go('Khám phá');
  await reader.filter('Nhóm theo', 'Loại vướng mắc');
  found.categories = await reader.texts('#table-statistics tbody tr');
  found.picture = (await reader.texts('.picture-wide svg')).length;
  await reader.filter('Chỉ số', 'Thời gian chậm trễ nêu ra (giờ)');
  found.measured = await reader.texts('#table-statistics thead th');
  await reader.filter('Kênh', 'Đường dây nóng');
  await reader.filter('Và theo', 'Trạng thái');
  found.path = reader.path();
  found.focused = await reader.page.evaluate(() => document.activeElement.id);
  found.rows = await reader.texts('#table-statistics tbody tr');
  found.noPicture = (await reader.texts('.picture-wide svg')).length;
  const csv = await saved(reader, session, folder, 'CSV');
  const book = await saved(reader, session, folder, 'XLSX');
  found.files = [csv.file, book.file];
  found.csvRows = csv.bytes.toString('utf8').trimEnd().split('\n').length - 1;
  found.bookRows = unpacked(book.bytes, 'xl/worksheets/sheet1.xml').split('<row ').length - 2;
  return found;
}).finally(() => rmSync(folder, { recursive: true }));
