// Subscribes twice and waits until the token expires: {second: the code of the second's error, closed: the socket's}.
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(url, ['graphql-transport-ws']);
const said = {};
const watch = (id) => socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: 'subscription { complaintReceived { id } }' } }));
setTimeout(() => (console.log(JSON.stringify({ ...said, closed: 'never' })), process.exit(0)), 60000);
socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })));
socket.on('message', (data) => {
  const message = JSON.parse(data);
  if (message.type === 'connection_ack') ['1', '2'].forEach(watch);
  if (message.type === 'error') said.second = message.payload[0].extensions.code;
});
socket.on('close', (code) => (console.log(JSON.stringify({ ...said, closed: code })), process.exit(0)));
