// The codes with which a socket is closed, by what a client does wrong: {what: code}.
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const init = { type: 'connection_init', payload: { authorization: `Bearer ${token}` } };
const watch = { type: 'subscribe', id: '1', payload: { query: 'subscription { complaintReceived { id } }' } };

function closed(messages, protocols = ['graphql-transport-ws']) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    const timer = setTimeout(() => reject(new Error('the socket stays open')), 20000);
    socket.on('open', () => messages.forEach((one) => socket.send(typeof one === 'string' ? one : JSON.stringify(one))));
    socket.on('close', (code) => (clearTimeout(timer), resolve(code)));
    socket.on('error', () => {});
  });
}

const tries = {
  'no JSON': closed(['{']),
  'an unknown type': closed([{ type: 'hello' }]),
  'no id': closed([init, { type: 'subscribe', payload: {} }]),
  'subscribe before init': closed([watch]),
  'a wrong token': closed([{ type: 'connection_init', payload: { token: 'pa_wrong' } }]),
  'no token': closed([{ type: 'connection_init' }]),
  'no protocol': closed([], []),
  'no init': closed([]),
  'the same id twice': closed([init, watch, watch]),
  'init twice': closed([init, init]),
};
const codes = {};
for (const [what, code] of Object.entries(tries)) codes[what] = await code;
console.log(JSON.stringify(codes));
process.exit(0);
