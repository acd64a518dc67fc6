// Holds so many subscriptions, one a socket, submits a complaint, and says how long until the first and the
// last of them heard of it.
import { createRequire } from 'node:module';
const WebSocket = createRequire(process.cwd() + '/')('ws');

const [url, token, http, intake, number] = process.argv.slice(2);
let heard = 0;
let began = 0;
const times = [];
const open = () =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { token } })));
    socket.on('error', reject);
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === 'connection_ack') {
        socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 'subscription { complaintReceived { id state } }' } }));
        resolve();
      } else if (message.type === 'next') {
        heard += 1;
        times.push(performance.now() - began);
      }
    });
  });
for (let n = 0; n < Number(number); n += 50) await Promise.all(Array.from({ length: 50 }, open));
await new Promise((resolve) => setTimeout(resolve, 5000));
began = performance.now();
await fetch(http, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${intake}` },
  body: JSON.stringify({ query: 'mutation { submitComplaint(input: {idempotencyKey: "hold' + Date.now() + '", text: "x"}) { position } }' }),
});
for (let n = 0; n < 300 && heard < Number(number); n++) await new Promise((resolve) => setTimeout(resolve, 100));
times.sort((a, b) => a - b);
console.log(JSON.stringify({ held: Number(number), heard, firstMs: Math.round(times[0]), lastMs: Math.round(times.at(-1)) }));
process.exit(0);
