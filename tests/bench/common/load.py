"""Requests over many connections from processes of their own, with little work for each."""

import array
import asyncio
import multiprocessing
import time

from common.processes import cpu_seconds

# The work of a benchmark need not be picklable.
FORKED = multiprocessing.get_context("fork")


class Client(asyncio.Protocol):
    """A connection of HTTP/1.1 that is kept open: one request at a time."""

    def __init__(self):
        self.read, self.waiting, self.transport = bytearray(), None, None

    @classmethod
    async def connected(cls, host, port):
        _, client = await asyncio.get_running_loop().create_connection(cls, host, port)
        return client

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, failure):
        self.transport = None
        if self.waiting and not self.waiting.done():
            self.waiting.set_exception(failure or ConnectionResetError("the server closed the connection"))

    def data_received(self, data):
        self.read += data
        end = self.read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.read[: end + 2].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.index(b"\r", at)]) if at >= 0 else 0
        if len(self.read) >= end + 4 + length and not self.waiting.done():
            self.waiting.set_result((int(self.read[9:12]), bytes(self.read[end + 4 : end + 4 + length])))
            self.read.clear()

    async def post(self, token, body):
        """Status and body of the answer to a POST of JSON."""
        self.waiting = asyncio.get_running_loop().create_future()
        head = "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        head += f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)
        return await self.waiting

    def close(self):
        if self.transport:
            self.transport.close()


class Worker:
    """What the tasks of one process share: counts that the parent sees at any time, and latencies."""

    def __init__(self, kinds, counts):
        self.kinds, self.counts = kinds, counts
        self.latencies = {kind: array.array("f") for kind in kinds}
        self.failures = {}

    def good(self, kind, began):
        self.counts[self.kinds.index(kind)] += 1
        self.latencies[kind].append((time.monotonic() - began) * 1000)

    def failed(self, kind, why):
        self.counts[len(self.kinds)] += 1
        why = f"{kind}: {why[:150]}"
        self.failures[why] = self.failures.get(why, 0) + 1


def in_process(work, kinds, counts, connections, address, until, pipe):
    async def one(number, worker):
        client = None
        while time.monotonic() < until.value:
            try:
                client = client or await Client.connected(*address)
                await work(number, client, worker, until)
            except OSError as failure:
                worker.failed("connection", str(failure))
                client = None
                await asyncio.sleep(0.1)
        if client:
            client.close()

    async def everybody(worker):
        await asyncio.gather(*(one(number, worker) for number in connections))

    worker = Worker(kinds, counts)
    asyncio.run(everybody(worker))
    pipe.send((worker.latencies, worker.failures))
    pipe.close()


class Load:
    """Connections that work until `end`. `work(number, client, worker, until)` is what one of them does."""

    def __init__(self, address, connections, work, kinds, seconds, processes=1):
        host, port = address.removeprefix("http://").rsplit(":", 1)
        self.kinds = kinds
        self.until = FORKED.Value("d", time.monotonic() + seconds, lock=False)
        self.counts = [FORKED.Array("L", len(kinds) + 1, lock=False) for _ in range(processes)]
        self.pipes, self.processes = [], []
        for nth, counts in enumerate(self.counts):
            ours, theirs = FORKED.Pipe(duplex=False)
            numbers = range(nth, connections, processes)
            given = (work, kinds, counts, numbers, (host, int(port)), self.until, theirs)
            process = FORKED.Process(target=in_process, args=given, daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        self.began = time.monotonic()

    def done(self):
        """Operations of each kind so far, and failures."""
        return [sum(counts[nth] for counts in self.counts) for nth in range(len(self.kinds) + 1)]

    def cpu_seconds(self):
        """Processor time of the processes that make the load."""
        return cpu_seconds([process.pid for process in self.processes])

    def end(self):
        """Ends the load early."""
        self.until.value = 0

    def results(self):
        """Waits for the end: latencies in ms of each kind, and how often each failure came."""
        latencies, failures = {kind: [] for kind in self.kinds}, {}
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            found, failed = pipe.recv()
            process.join()
            for kind, values in found.items():
                latencies[kind].extend(values)
            for why, number in failed.items():
                failures[why] = failures.get(why, 0) + number
        return latencies, failures
