"""Many visitors at once: what each of them sees, and what they cost the server.

    uv run --group bench python tests/bench/load.py --visitors 20 --seconds 20

Starts a server of its own and opens N visitors at the same moment, each as a browser does: the
page, its document socket (pull, then "document_ready"), the frame channel, asking for the next
frame as soon as one has arrived. During the measurement every visitor turns the learning rate a few
times. Client and server share the machine, so the client does as little as it can.
"""

import argparse
import asyncio
import contextlib
import math
import statistics
import time
from collections.abc import Sequence

import numpy as np
import psutil
from server import Server, served
from visitor import Visitor

LEARNING = 60.0  # seconds to wait for 90 % validation accuracy


async def measure(
    servers: Sequence[Server], visitors: int, seconds: float, pace: str, keys: str
) -> None:
    """Open, press these keys, let settle, measure, print."""
    for server in servers:
        early = Visitor(server.base)  # the first visitor waits for what is loaded once
        await early.open()
        early.leave()
    await asyncio.sleep(3)
    empty = _memory(servers)
    query = f"?pace={pace}"
    crowd = [Visitor(servers[n % len(servers)].base, query=query) for n in range(visitors)]
    await asyncio.gather(*(visitor.open() for visitor in crowd))
    while any(len(visitor.arrivals) < 3 for visitor in crowd):
        await asyncio.sleep(0.1)
    for visitor in crowd:
        for key in keys:
            visitor.press(key)
    if pace != "full":
        await _wait_until_learned(crowd, servers)
    await asyncio.sleep(3)

    client = psutil.Process()
    start, cpu, own = time.perf_counter(), _cpu(servers), client.cpu_times()
    turns = 4
    for turn in range(turns):
        for visitor in crowd:
            await asyncio.sleep(seconds / turns / visitors)
            visitor.turn(1 if turn % 2 == 0 else -1)
    stop, cpu_end, own_end = time.perf_counter(), _cpu(servers), client.cpu_times()
    await asyncio.sleep(0.5)
    used = 100 * (cpu_end - cpu) / (stop - start)
    spent = 100 * (own_end.user + own_end.system - own.user - own.system) / (stop - start)
    _report(crowd, start, stop)
    memory = _memory(servers)
    print(f"server CPU             {used:8.0f} % of one core   (this client: {spent:.0f} %)")
    each = (memory - empty) / visitors
    print(f"server memory          {memory:8.0f} MB, {each:.1f} a visitor more than before")
    gone = sum(v.channel.closed.done() or v.document.closed.done() for v in crowd)
    print(f"connections lost       {gone:8d}")


async def _wait_until_learned(crowd: Sequence[Visitor], servers: Sequence[Server]) -> None:
    """Print how long it takes from the first step; who has not learned counts as infinity."""
    start, cpu = time.perf_counter(), _cpu(servers)
    deadline = start + LEARNING
    while any(math.isnan(x.learned) for x in crowd) and time.perf_counter() < deadline:
        await asyncio.sleep(0.1)
    times = [math.inf if math.isnan(x.learned) else x.learned for x in crowd]
    used = 100 * (_cpu(servers) - cpu) / (time.perf_counter() - start)
    print(
        f"90 % validation after  {statistics.median(times):8.1f} s median, {max(times):.1f} s last"
        f"   (server CPU meanwhile: {used:.0f} % of one core)"
    )


def _cpu(servers: Sequence[Server]) -> float:
    return sum(server.cpu for server in servers)


def _memory(servers: Sequence[Server]) -> float:
    return sum(server.memory for server in servers)


def _report(crowd: list[Visitor], start: float, stop: float) -> None:
    rates, gaps, sizes, paces = [], [], [], []
    for visitor in crowd:
        times = np.array(visitor.arrivals)
        inside = (times >= start) & (times <= stop)
        rates.append(inside.sum() / (stop - start))
        gaps.append(np.diff(times[inside]))
        sizes.append(np.array(visitor.sizes)[inside])
        steps = np.array(visitor.steps)[inside]
        paces.append((steps[-1] - steps[0]) / (stop - start))
    gap, size = 1000 * np.concatenate(gaps), np.concatenate(sizes)
    waits = {
        "plots there after": [visitor.drawn for visitor in crowd],
        "... and one moved": [visitor.first for visitor in crowd],
        "knobs there after": [visitor.filled for visitor in crowd],
    }
    knob = 1000 * np.concatenate([visitor.latencies for visitor in crowd])
    print(f"frames/s per visitor   {min(rates):8.2f} least, {statistics.median(rates):.2f} median")
    print(
        f"gap between frames     {np.percentile(gap, 50):8.0f} ms p50,"
        f" {np.percentile(gap, 99):.0f} ms p99, {gap.max():.0f} ms worst"
    )
    print(f"bytes per frame        {size.mean():8.0f} mean, {np.percentile(size, 99):.0f} p99")
    for what, wait in waits.items():
        print(f"{what:22} {statistics.median(wait):8.2f} s median, {max(wait):.2f} s last")
    print(
        f"knob to visible effect {np.percentile(knob, 50):8.0f} ms p50,"
        f" {np.percentile(knob, 99):.0f} ms p99, {knob.max():.0f} ms worst, of {len(knob)} turns"
    )
    print(
        f"steps/s                {sum(paces):8.0f} together,"
        f" {max(paces) / min(paces):.2f} most to least"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pace", default="full", help="at which they watch, as a link says it")
    parser.add_argument("--keys", default="", help="that each presses first: v begins A | B")
    parser.add_argument("--processes", type=int, default=1, help="that share the visitors")
    parser.add_argument("--url", help="a running server's page, instead of a server of our own")
    parser.add_argument("--pid", type=int, help="of that server, for its CPU and memory")
    options = parser.parse_args()
    print(f"{options.visitors} visitors, all training, {options.seconds:g} s, pace {options.pace}")
    if options.url:
        running = Server(options.url, psutil.Process(options.pid))
        asyncio.run(
            measure([running], options.visitors, options.seconds, options.pace, options.keys)
        )
        return
    places = options.visitors + 1
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(served(BABYSIT_MAX_VISITORS=places))
            for _ in range(options.processes)
        ]
        asyncio.run(measure(servers, options.visitors, options.seconds, options.pace, options.keys))
        told = time.monotonic()
        stack.close()
        print(f"told to stop, gone {time.monotonic() - told:.1f} s later (Docker waits for 10)")


if __name__ == "__main__":
    main()
