"""How long a look back takes on the page while a class trains beside it.

    uv run --group bench python tests/bench/looking_back_in_class.py [--visitors 40]
        [--steps 100000] [--pace full] [--net images]

One visitor trains for so many steps and pauses; then the others come and train at the pace, and
that one looks at steps in random order. A look takes from the request to the frame with that step.
"""

import argparse
import asyncio
import random
import statistics
import time

from looking_back import NETS
from server import Server, served
from visitor import Visitor

from app.sharing.run_links import query
from engine import FULL, Experiment, record

APART = 0.5  # seconds between two looks
SETTLE = 5.0  # seconds after the last of the others has come


def of_run(net: str) -> str:
    """The query of a link to a run at its first step, which trains at full speed."""
    return query(record(Experiment(NETS[net])), goes_on=True, hidden=(), pace=FULL)


async def measure(
    server: Server, visitors: int, steps: int, looks: int, pace: str, net: str
) -> None:
    """Open, train, look, print."""
    looker = Visitor(server.base, query=of_run(net))
    await looker.open()
    while not looker.steps or looker.steps[-1] < steps:
        await asyncio.sleep(0.1)
    looker.press(" ")
    crowd = [Visitor(server.base, query=f"?pace={pace}") for _ in range(visitors)]
    await asyncio.gather(*(visitor.open() for visitor in crowd))
    await asyncio.sleep(SETTLE)
    generator = random.Random(0)
    began, cpu = time.perf_counter(), server.cpu
    frames = sum(len(x.arrivals) for x in crowd)
    times = []
    for _ in range(looks):
        times.append(await looker.look(generator.randrange(steps)))
        await asyncio.sleep(APART)
    passed = time.perf_counter() - began
    used = 100 * (server.cpu - cpu) / passed
    frames = sum(len(x.arrivals) for x in crowd) - frames
    print(f"a look back      {statistics.median(times):6.2f} s median, {max(times):.2f} s worst")
    print(f"frames/s         {frames / passed / max(1, visitors):6.1f} of each other visitor")
    print(f"server CPU       {used:6.0f} % of one core")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=40)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--pace", default="full", help="of the others")
    parser.add_argument("--net", choices=NETS, default="default", help="of the one who looks")
    options = parser.parse_args()
    print(
        f"{options.visitors} visitors at pace {options.pace}, beside one who looks back"
        f" ({options.net}, {options.steps:,} steps)"
    )
    with served(BABYSIT_MAX_VISITORS=options.visitors + 2) as server:
        asyncio.run(
            measure(
                server, options.visitors, options.steps, options.looks, options.pace, options.net
            )
        )
        for line in server.complaints[:10]:
            print(line)


if __name__ == "__main__":
    main()
