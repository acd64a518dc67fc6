// Subscribes as several people at one node, lets things happen at another, and says who heard what.
import { createClient } from 'graphql-ws';
import { execFileSync } from 'node:child_process';
import WebSocket from 'ws';

const given = JSON.parse(process.argv[2]);
const heard = {};
const closed = {};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function listen(who, token, query, variables) {
  heard[who] = [];
  const client = createClient({
    url: given.ws,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
    on: { closed: (event) => (closed[who] = event.code) },
  });
  client.subscribe(
    { query, variables },
    { next: (value) => heard[who].push(value.data), error: (error) => Array.isArray(error) && heard[who].push({ error }), complete: () => {} },
  );
  return client;
}

async function http(token, query, variables) {
  const answer = await fetch(given.http, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await answer.json()).data;
}

const received = 'subscription { complaintReceived { text unit { code } officers { officer { code } } } }';
for (const who of ['board', 'saigon', 'haiphong', 'member']) listen(who, given.tokens[who], received);
listen('filtered', given.tokens.board, 'subscription($f: ComplaintFilter) { complaintReceived(filter: $f) { text } }', {
  f: { unit: { within: '03' } },
});
listen('flags', given.tokens.board, 'subscription { flagChanged { id state } }');
listen('denied', given.tokens.saigon, 'subscription { jobRunChanged { id } }');
listen('wrong', given.tokens.board, 'subscription { nothing }');
listen('query', given.tokens.board, '{ units { totalCount } }');
await pause(1500);

const submit = 'mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) { created } }';
for (const [text, unit, officers] of [['saigon', '02CV', ['CC01']], ['haiphong', '03TG', []], ['nowhere', null, []]]) {
  await http(given.tokens.intake, submit, { i: { idempotencyKey: text, text, unit, officers } });
}
await http(given.tokens.board, 'mutation($i: ReviewFlagInput!) { reviewFlag(input: $i) { flag { id } } }', {
  i: { flagId: given.flag, state: 'ACKNOWLEDGED' },
});
await pause(2500);
execFileSync(given.program, ['token', 'revoke', '--name', 'UNIT_HEAD-03TG'], { env: { ...process.env, PHANANH_DATABASE_URL: given.database } });
for (let n = 0; n < 100 && !closed.haiphong; n++) await pause(100);
console.log(JSON.stringify({ heard, closed }));
process.exit(0);
