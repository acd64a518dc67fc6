// Subscribes to alerts as several people, lets the job run once, and says who heard what.
import { createClient } from 'graphql-ws';
import { execFileSync } from 'node:child_process';
import WebSocket from 'ws';

const given = JSON.parse(process.argv[2]);
const env = { ...process.env, PHANANH_DATABASE_URL: given.database };
const heard = {};
const refused = {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let connected = 0;

const query = 'subscription { alertChanged { kind subject details clearedAt } }';
for (const [who, token] of Object.entries(given.tokens)) {
  heard[who] = [];
  const client = createClient({
    url: given.ws,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
    on: { connected: () => (connected += 1) },
  });
  client.subscribe(
    { query },
    {
      next: (value) => heard[who].push(value.data.alertChanged),
      error: (error) => (refused[who] = error),
      complete: () => {},
    },
  );
}
for (let n = 0; n < 200 && connected < Object.keys(given.tokens).length; n++) await pause(100);
// The subscriptions follow the connections.
await pause(1500);

execFileSync(given.program, ['jobs', 'run', 'alerts'], { env, stdio: 'ignore' });
for (let n = 0; n < 200 && heard.board.length < given.expected; n++) await pause(100);
// What nobody should hear would come now.
await pause(1500);
console.log(JSON.stringify({ heard, refused }));
process.exit(0);
