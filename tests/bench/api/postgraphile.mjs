// PostGraphile over the tables of the register: two workers, operations known by their id, conditions on
// every column as on ours.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { PersistedPlugin } from '@grafserv/persisted';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const [url, port, document] = process.argv.slice(2);
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  const preset = {
    extends: [PostGraphileAmberPreset],
    plugins: [PersistedPlugin],
    disablePlugins: ['PgIndexBehaviorsPlugin'],
    pgServices: [makePgService({ connectionString: url, schemas: ['public'], poolSize: 16 })],
    grafserv: { graphiql: false, watch: false, persistedOperations: { page: readFileSync(document, 'utf8') } },
  };
  const server = createServer();
  server.on('error', (error) => console.error(error));
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
}
