// Subscribes as several people, until a file appears, and says who heard what and who was let go when.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { existsSync, writeFileSync } from 'node:fs';

const given = JSON.parse(process.argv[2]);
const heard = {};
const closed = {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
for (const [who, token] of Object.entries(given.tokens)) {
  heard[who] = [];
  const client = createClient({
    url: given.ws,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
    on: { closed: (event) => (closed[who] = { code: event.code, at: Date.now() }) },
  });
  client.subscribe(
    { query: 'subscription { complaintReceived { state } }' },
    { next: () => heard[who].push(Date.now()), error: () => {}, complete: () => {} },
  );
}
await pause(1500);
writeFileSync(given.ready, '');
while (!existsSync(given.end)) await pause(50);
console.log(JSON.stringify({ heard, closed }));
process.exit(0);
