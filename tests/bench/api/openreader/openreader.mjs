// OpenReader over views of the register: two workers; it makes one SQL statement of an operation, as Hasura does.
import cluster from 'node:cluster';
import { serve } from '@subsquid/openreader/lib/server.js';
import { loadModel } from '@subsquid/openreader/lib/tools.js';
import pg from 'pg';

const [url, port] = process.argv.slice(2);
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  const connection = new pg.Pool({ connectionString: url, max: 16, options: '-c search_path=openreader' });
  await serve({ model: loadModel('schema.graphql'), dbType: 'postgres', connection, port: Number(port), graphiqlConsole: false });
  console.log('ready');
}
