"""`search`: many short runs with different settings, and a CSV from which a search continues."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

import msgspec
from tqdm import tqdm

from engine.cli.assigning import assigned_all
from engine.cli.files import STANDARD, check_writable, decode, tell, to_json, write
from engine.cli.interruptions import interruptions
from engine.cli.search_report import lines, plain
from engine.json_reader import from_json
from engine.registry import Choice, Registry
from engine.search import (
    STRATEGIES,
    Categorical,
    Continuous,
    Ensemble,
    EnsembleFrame,
    InThread,
    ResultsFile,
    Search,
    SearchRun,
    Workers,
    allowed,
    axis_of,
    cluster,
    lecture_search,
    processes,
    refine,
)
from engine.training.config import SETTINGS, RunConfig

INTERRUPTED = 130  # exit status: 128 + SIGINT, by convention
SLICE = 0.2  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to search, how, and what to write."""
    add = parser.add_argument
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--lecture", action="store_true", help="begin from the slides' search")
    begin.add_argument("--search", metavar="FILE", help="begin from a search in JSON")
    begin.add_argument("--config", metavar="FILE", help="the config that is varied, in JSON")
    add("--set", metavar="PATH=VALUE", action="append", default=[], help="as in `train`")
    add(
        "--space",
        metavar="PATH=VALUES",
        action="append",
        default=[],
        help="an axis: optimization.l2=1e-4..1, model.activation=ReLU|tanh, or a path alone for"
        " its whole range; can be repeated; default: the slides' learning rate and L2",
    )
    add("--strategy", metavar="NAME", help=f"one of {', '.join(STRATEGIES)}; default: random")
    add("--trials", type=_count, metavar="N", help="default: 100")
    add("--epochs", type=_real, metavar="N", help="epochs of a trial; default: 5")
    add("--limit", type=_real, metavar="X", help="stop at X times the first cost; default: 3")
    add("--seed", type=int, metavar="N", help="the seed of the trials' settings and of their runs")
    add(
        "--executor",
        nargs="+",
        default=["here"],
        metavar=("here|processes|cluster", "N|ADDRESS"),
        help="here, processes N, or cluster ADDRESS of a Dask scheduler; default: here",
    )
    add("--csv", metavar="FILE", help="write the results, and continue from those already there")
    add("--best", metavar="FILE", help="write the best trial's config, for `train --config`")
    add("--refined", metavar="FILE", help="write the finer search around the best, for --search")
    add("--ensemble", type=_count, metavar="K", help="average the best K trials' predictions")


def run(arguments: argparse.Namespace) -> int:
    """Try many settings and list the best; Ctrl-C ends it early, and --csv lets it continue."""
    _refuse_mixture(arguments)
    search = _search(arguments)
    for name in (arguments.best, arguments.refined):
        check_writable(name)
    file = ResultsFile(Path(arguments.csv), search) if arguments.csv else None
    search_run = SearchRun(
        search,
        _workers(arguments.executor),
        file.results if file else (),
        folder=arguments.data,
    )
    interrupted = _work(search_run, file)
    together = None if interrupted else _together(search_run, arguments.ensemble)
    if arguments.json:
        sys.stdout.write(to_json(plain(search_run, together)))
    else:
        out = sys.stderr if STANDARD in (arguments.best, arguments.refined) else sys.stdout
        tell(lines(search_run.frame(), together), out)
    _write(search_run, arguments, interrupted=interrupted)
    return INTERRUPTED if interrupted else 0


def _refuse_mixture(arguments: argparse.Namespace) -> None:
    if [arguments.best, arguments.refined].count(STANDARD) + arguments.json > 1:
        raise ValueError("of --json, --best - and --refined - only one can be printed")
    if arguments.csv == STANDARD:
        raise ValueError("--csv keeps the results in a file from which it goes on, got -")


# ---- what to search -----------------------------------------------------------------------------


def _search(arguments: argparse.Namespace) -> Search:
    search = lecture_search() if arguments.lecture else Search()
    if arguments.search:
        search = decode(arguments.search, Search)
    base = decode(arguments.config, RunConfig) if arguments.config else search.base
    base = assigned_all(base, arguments.set)
    changes: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in ("trials", "epochs", "limit", "seed")
        if getattr(arguments, name) is not None
    }
    if arguments.seed is not None:
        base = base.with_seed(arguments.seed)
    if arguments.strategy:
        changes["strategy"] = _choice(arguments.strategy)
    if arguments.space:
        changes["space"] = tuple(_axis(text, base) for text in arguments.space)
    return msgspec.structs.replace(search, base=base, **changes)


def _choice(text: str) -> Choice:
    """An entry of a menu by its name, or in JSON with its knobs."""
    return from_json(text, Choice) if text.startswith("{") else Choice(text)


def _axis(text: str, base: RunConfig) -> Continuous | Categorical:
    path, equals, values = text.partition("=")
    if not equals:
        return axis_of(path, base)
    low, dots, high = values.partition("..")
    if dots:
        whole = axis_of(path, base)
        if isinstance(whole, Categorical):
            raise ValueError(f"--space takes PATH=LOW..HIGH of numbers alone, got {text!r}")
        return Continuous(path, _number(path, low), _number(path, high), whole.scale, whole.whole)
    if path in SETTINGS and isinstance(SETTINGS[path].values, Registry):
        return Categorical(path, tuple(map(_choice, values.split("|"))))
    options = values.split("|")
    is_number = allowed(path, base) is not None
    return Categorical(
        path, tuple(_number(path, x) for x in options) if is_number else tuple(options)
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, got {text!r}")
    return int(text)


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def _number(path: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--space {path}: {text!r} is no number") from None


def _workers(arguments: list[str]) -> Workers:
    match arguments:
        case ["here"]:
            return InThread(at_once=1)
        case ["processes", count] if count.isdecimal():
            return processes(int(count))
        case ["cluster", address]:
            return cluster(address)
    raise ValueError(
        f"--executor takes here, processes N or cluster ADDRESS, got {' '.join(arguments)!r}"
    )


# ---- the search ---------------------------------------------------------------------------------


def _work(search_run: SearchRun, file: ResultsFile | None) -> bool:
    """Run the search to its end or to Ctrl-C; returns whether Ctrl-C ended it."""
    count = len(search_run.trials)
    with (
        interruptions() as interrupted,
        contextlib.closing(search_run),
        tqdm(total=count, unit=" trials", leave=False, disable=not sys.stderr.isatty()) as bar,
    ):
        while not search_run.over:
            for result in search_run.advance(SLICE):
                if file:
                    file.append(result)
            bar.update(round(search_run.frame().share * count) - bar.n)
            if interrupted.is_set():
                search_run.cancel()
        return interrupted.is_set()


def _together(search_run: SearchRun, size: int | None) -> EnsembleFrame | None:
    if size is None or search_run.best is None:
        return None
    ensemble = Ensemble(search_run.search, search_run.results.values(), size)
    while not ensemble.advance(SLICE):
        pass
    return ensemble.frame()


def _write(search_run: SearchRun, arguments: argparse.Namespace, *, interrupted: bool) -> None:
    best = search_run.best
    if best is None:
        if not interrupted and (arguments.best or arguments.refined or arguments.ensemble):
            raise ValueError("no trial has finished: there is no best one to continue from")
        return
    if arguments.best:
        write(arguments.best, to_json(search_run.trials[best.number].config))
    if arguments.refined:
        write(arguments.refined, to_json(refine(search_run.search, search_run.results.values())))
