// Generates a typed client of a schema and of docs/client/*.graphql with graphql-codegen, compiles it with the
// TypeScript compiler, and asks the server with it.
import { generate } from '@graphql-codegen/cli';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const given = JSON.parse(process.argv[2]);
await generate(
  {
    schema: given.schema,
    documents: given.documents,
    silent: true,
    generates: {
      'generated/sdk.ts': {
        plugins: ['typescript-operations', 'typescript-graphql-request'],
        config: { scalars: { DateTime: 'string', NaiveDate: 'string', Decimal: 'string', JSON: 'unknown' }, useTypeImports: true, gqlImport: 'graphql-request#gql' },
      },
    },
  },
  true,
);
writeFileSync(
  'generated/main.ts',
  `import { GraphQLClient } from 'graphql-request';
import { getSdk } from './sdk.js';

const client = new GraphQLClient(${JSON.stringify(given.http)}, { headers: { authorization: 'Bearer ${given.token}' } });
const sdk = getSdk(client);
const overview = await sdk.Overview({ from: '2000-01-01T00:00:00+07:00', before: '2030-01-01T00:00:00+07:00' });
const rows: number[] = overview.complaintStatistics.rows.map((row) => row.complaints ?? 0);
const page = await sdk.ComplaintPage({ first: 2 });
const next = await sdk.ComplaintPage({ first: 2, after: page.complaints.pageInfo.endCursor });
console.log(JSON.stringify({ complaints: rows.reduce((a, b) => a + b, 0), total: page.complaints.totalCount, ids: [...page.complaints.nodes, ...next.complaints.nodes].map((node) => node.id) }));
`,
);
const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--skipLibCheck', '--outDir', 'generated/out'];
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...options, 'generated/main.ts'], { stdio: ['ignore', 'inherit', 'inherit'] });
writeFileSync('generated/out/package.json', '{"type": "module"}');
console.log(execFileSync(process.execPath, ['generated/out/main.js'], { encoding: 'utf8' }));
