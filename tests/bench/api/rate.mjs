// Sends so many requests a second, whatever comes back, and prints latencies as JSON: rate.mjs URL RATE SECONDS BODIES.json [TOKEN]
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const [url, rate, seconds, bodies, token] = process.argv.slice(2);
const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
const requests = JSON.parse(readFileSync(bodies, "utf8")).map((body) => ({ method: "POST", headers, body: JSON.stringify(body) }));
// The latency of a request counts from when it was due.
const result = await autocannon({ url, connections: 32, overallRate: Number(rate), duration: Number(seconds), requests });
const { p50, p99, max } = result.latency;
console.log(JSON.stringify({ perSecond: Math.round(result.requests.average), p50Ms: p50, p99Ms: p99, worstMs: max, errors: result.errors + result.non2xx }));
