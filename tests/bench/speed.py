"""How fast the engine trains, against PyTorch, ConvNetJS and a bare NumPy loop.

    uv run python tests/bench/speed.py --torch-python PATH --convnetjs PATH [--nets 64-32-32-10 ...]

`--torch-python` is the interpreter of an environment with PyTorch, `--convnetjs` the folder that
`npm install convnetjs` makes in node_modules; without one of them its column is left out.

Each peer is a process of its own with one thread, and they work in turn, never at once: after a
warm-up come many short rounds, in each of which every peer trains the same net for a moment. What
disturbs the machine so disturbs all alike, and a ratio is the median of the rounds' ratios. All
train on noise of the same size: batches gathered in an order that is shuffled each epoch, softmax
cross-entropy, SGD with momentum, L2, float32 (ConvNetJS: whatever it has). Ours alone also keeps
the curves that its page shows; their rows are due every 1 % of the run, so that they cost most
where the run is young: "from step" says how young it was.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
TURN = 0.1  # seconds of a turn
WATCHED = 1.0  # seconds of a turn when the cost of measuring is measured


@dataclass(frozen=True)
class Net:
    """A network to train."""

    name: str
    sizes: tuple[int, ...]  # units, from inputs to classes
    batch: int
    filters: tuple[int, ...] = ()  # of 5 x 5 convolutions, each followed by ReLU and 2 x 2 pooling


NETS = [
    Net("2-32-32-2", (2, 32, 32, 2), 32),
    Net("64-32-32-10", (64, 32, 32, 10), 32),
    Net("784-100-10", (784, 100, 10), 32),
    Net("3072-50-10", (3072, 50, 10), 200),
    Net("10x500", (500, *(10 * [500]), 10), 100),
    Net("conv-28x28", (784, 10), 64, filters=(8, 16)),
]


class Unable(Exception):
    """A peer cannot train this net; the message says why."""


class Peer:
    """A process that trains a given net and reports its time."""

    def __init__(self, command: list[str]) -> None:
        self.note = ""
        threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(threads, "1") | {"PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, net: Net, **options: object) -> dict[str, Any]:
        """The answer to one request."""
        order = {"net": net.name, "sizes": net.sizes, "batch": net.batch, "filters": net.filters}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order | options) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a peer died; its last words are above")
        answer = json.loads(line)
        if "error" in answer:
            raise Unable(answer["error"])
        self.note = answer.get("note", "")
        return answer

    def warm_up(self, net: Net, seconds: float) -> int:
        """Train for about so many seconds; returns how many steps fill a turn."""
        steps, spent, last = 1, 0.0, 0.0
        while spent < seconds or last == 0:
            if 0 < last < TURN / 2:
                steps *= 2
            last = self.ask(net, steps=steps)["seconds"]
            spent += last
        return max(1, round(steps * TURN / last))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def started(options: argparse.Namespace) -> Iterator[dict[str, Peer]]:
    """Our engine and its peers, by name."""
    commands = {
        "ours": [sys.executable, "engine_worker.py"],
        "bare NumPy": [sys.executable, "bare_worker.py"],
    }
    if options.torch_python:
        commands["PyTorch"] = [options.torch_python, "torch_worker.py"]
    if options.convnetjs:
        node = shutil.which("node") or "node"
        commands["ConvNetJS"] = [node, "convnetjs_worker.js", options.convnetjs]
    with ExitStack() as stack:
        crowd = {}
        for name, (program, script, *arguments) in commands.items():
            crowd[name] = Peer([program, str(PEERS / script), *arguments])
            stack.callback(crowd[name].close)
        yield crowd


@dataclass
class Result:
    """The measurements of one net."""

    times: dict[str, list[float]]  # microseconds a step of each peer that can train it, by round
    unable: dict[str, str]  # the others, and why
    first: int = 0  # our step when the rounds began
    costs: tuple[float, float] | None = None  # per cent for curves, and for curves with snapshots

    def ratios(self, name: str) -> list[float]:
        """The peer's time relative to ours, by round."""
        return [t / o for t, o in zip(self.times[name], self.times["ours"], strict=True)]


def compare(crowd: dict[str, Peer], net: Net, options: argparse.Namespace) -> Result:
    """Warm all peers up, then let them train in turn."""
    result, turns = Result({}, {}), {}
    for name, peer in crowd.items():
        try:
            turns[name] = peer.warm_up(net, options.warm_up)
            result.times[name] = []
        except Unable as why:
            result.unable[name] = str(why)
    for _ in range(options.rounds):
        for name, steps in turns.items():
            answer = crowd[name].ask(net, steps=steps)
            result.times[name].append(1e6 * answer["seconds"] / steps)
            if name == "ours":
                result.first = result.first or answer["step"] - steps
    if "ours" in turns:
        result.costs = costs_of_looking(crowd["ours"], net, max(3, options.rounds // 4))
    return result


def costs_of_looking(ours: Peer, net: Net, rounds: int) -> tuple[float, float]:
    """The cost of curves, and of curves with ten snapshots a second, in per cent."""
    paces: dict[str, list[float]] = {"nothing": [], "curves": [], "snapshots": []}
    for _ in range(rounds):
        for watch, found in paces.items():
            answer = ours.ask(net, watch=watch, seconds=WATCHED)
            found.append(answer["seconds"] / answer["steps"])
    curves, snapshots = (
        100 * statistics.median(a / b - 1 for a, b in zip(some, paces["nothing"], strict=True))
        for some in (paces["curves"], paces["snapshots"])
    )
    return curves, snapshots


# ---- the table ----------------------------------------------------------------------------------


def heading(names: list[str]) -> str:
    """The heading; a peer's column has microseconds, and their ratio to ours."""
    others = "".join(f"{f'{name}: µs, times ours':>34}" for name in names if name != "ours")
    watching = f"{'curves':>9}{'+ 10 Hz':>9}{'from step':>11}"
    return f"{'net':<12}{'batch':>6}{'ours µs':>10}{others}{watching}"


def row(net: Net, result: Result, names: list[str]) -> str:
    """One line of the table."""
    ours = result.times.get("ours")
    cells = f"{statistics.median(ours):10.1f}" if ours else f"{'–':>10}"
    for name in names:
        if name != "ours":
            cells += f"{cell(name, result):>34}"
    if result.costs:
        cells += "".join(f"{f'{cost:.1f} %':>9}" for cost in result.costs)
        cells += f"{result.first:>11,}"
    return f"{net.name:<12}{net.batch:>6}{cells}"


def cell(name: str, result: Result) -> str:
    """The median time, and median and quartiles of the ratio."""
    if name in result.unable:
        return "–"
    time = f"{statistics.median(result.times[name]):.1f}"
    if "ours" not in result.times:
        return f"{time}{'':>21}"
    low, middle, high = statistics.quantiles(result.ratios(name), n=4, method="inclusive")
    return f"{time}{middle:8.2f} {f'({low:.2f}–{high:.2f})':<12}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--torch-python", help="interpreter of an environment with PyTorch")
    parser.add_argument("--convnetjs", help="the folder node_modules/convnetjs")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--warm-up", type=float, default=2, help="seconds of each peer and net")
    names = [net.name for net in NETS]
    parser.add_argument("--nets", nargs="+", default=names, choices=names, metavar="NET")
    options = parser.parse_args()
    for flag, name in (("torch_python", "PyTorch"), ("convnetjs", "ConvNetJS")):
        if not getattr(options, flag):
            print(f"without {name}: no --{flag.replace('_', '-')}")
    with started(options) as crowd:
        print(heading(list(crowd)))
        for net in NETS:
            if net.name in options.nets:
                result = compare(crowd, net, options)
                print(row(net, result, list(crowd)).rstrip(), flush=True)
                for name, why in result.unable.items():
                    print(f"    {name}: {why}")
                for name, peer in crowd.items():
                    if peer.note:
                        print(f"    {name}: {peer.note}", flush=True)


if __name__ == "__main__":
    main()
