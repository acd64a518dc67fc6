// A page of a dashboard with urql: a query, the same by its hash, and a subscription.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const given = JSON.parse(process.argv[2]);
const asked = [];
const counting = (url, init) => {
  const body = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(url).searchParams);
  asked.push({ method: init.method ?? 'GET', text: Boolean(body.query), hash: Boolean(body.extensions) });
  return fetch(url, init);
};
const sockets = createClient({
  url: given.ws,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${given.board}` },
});
const client = new Client({
  url: given.http,
  fetch: counting,
  preferGetMethod: false,
  fetchOptions: { headers: { authorization: `Bearer ${given.board}` } },
  exchanges: [
    persistedExchange({ preferGetForPersistedQueries: true }),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ ...request, query: request.query ?? '' }, sink) }),
      }),
    }),
  ],
});
const page = `query Page($first: Int!) { complaints(first: $first) { totalCount nodes { id state } } }`;
const first = await client.query(page, { first: 2 }).toPromise();
const second = await client.query(page, { first: 3 }).toPromise();
const wrong = await client.query('{ unit { code } }', {}).toPromise();
const heard = await new Promise((resolve) => {
  client.subscription('subscription { complaintReceived { text } }', {}).subscribe((result) => resolve(result.data ?? result.error));
  setTimeout(() => {
    fetch(given.http, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${given.intake}` },
      body: JSON.stringify({ query: 'mutation { submitComplaint(input: {idempotencyKey: "u", text: "từ urql"}) { created } }' }),
    });
  }, 1500);
});
console.log(JSON.stringify({ asked, first: first.data, second: second.data, code: wrong.error?.graphQLErrors[0]?.extensions.code, heard }));
process.exit(0);
