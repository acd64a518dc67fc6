// Asks over the PostgreSQL protocol with node-postgres, and prints what came back.
import pg from 'pg';

const given = JSON.parse(process.argv[2]);
const client = new pg.Client({ ...given, database: 'phananh' });
await client.connect();
const kinds = await client.query(
  'SELECT kind, COUNT(*) AS n FROM complaints WHERE received_on >= $1 AND kind <> $2 GROUP BY kind ORDER BY kind',
  ['2000-01-01', 'CONDUCT'],
);
const named = { name: 'by-state', text: 'SELECT COUNT(*) AS n FROM complaints WHERE state = $1' };
const counts = [];
for (const state of ['CLOSED', 'CLOSED']) {
  counts.push((await client.query({ ...named, values: [state] })).rows[0].n);
}
const types = await client.query(
  "SELECT DATE '2024-01-02' AS day, CAST(1.5 AS DECIMAL(10, 2)) AS money, ARRAY['a', 'b'] AS list, NULL AS nothing",
);
let code = null;
let position = null;
try {
  await client.query('SELECT 1 FRM complaints x y');
} catch (error) {
  ({ code, position } = error);
}
await client.query('BEGIN');
const both = await client.query('SELECT 1 AS one; SELECT 2 AS two');
await client.query('COMMIT');
const refused = await new pg.Client({ ...given, password: 'wrong', database: 'phananh' })
  .connect()
  .then(() => null, (error) => error.code);
await client.end();
console.log(
  JSON.stringify({
    kinds: kinds.rows,
    counts,
    types: types.fields.map((field) => field.dataTypeID),
    list: types.rows[0].list,
    money: types.rows[0].money,
    code,
    position,
    both: both.map((one) => one.rows),
    refused,
  }),
);
