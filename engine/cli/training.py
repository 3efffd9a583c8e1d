"""`train`: trains from a config; writes the curves as CSV and the run as a file to replay."""

import argparse
import sys

from tqdm import tqdm

from engine.cli.assigning import assigned_all
from engine.cli.figures import figures, lines
from engine.cli.files import STANDARD, check_writable, decode, tell, to_json, write
from engine.cli.interruptions import interruptions
from engine.measure.snapshot import Status
from engine.runtime.experiment import Experiment
from engine.runtime.recording import record
from engine.training.commands import Step
from engine.training.config import RunConfig

INTERRUPTED = 130  # exit status: 128 + SIGINT, as shells have it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train, for how long, and what to write."""
    add = parser.add_argument
    add(
        "--config",
        metavar="FILE",
        help="a config in JSON, - for standard input; default: the page's",
    )
    add(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="sets a value, such as optimization.learning_rate=0.1, model.activation=tanh or"
        " model.hidden=[100,100]; can be repeated",
    )
    add("--seed", type=_count, metavar="N", help="another seed")
    add("--steps", type=_count, metavar="N", default=2000, help="default: %(default)s")
    add("--csv", metavar="FILE", help="write the curves, - to print them")
    add("--save", metavar="FILE", help="write the run for `replay`, - to print it")


def run(arguments: argparse.Namespace) -> int:
    """Train a network and print the result; Ctrl-C ends the run early but safely."""
    _refuse_mixture(arguments)
    experiment = Experiment(_config(arguments))
    for name in (arguments.csv, arguments.save):
        check_writable(name)
    interrupted = _train(experiment, arguments.steps)
    ended = figures(experiment)
    if arguments.csv:
        write(arguments.csv, experiment.curves.to_csv())
    if arguments.save:
        write(arguments.save, to_json(record(experiment)))
    if arguments.json:
        sys.stdout.write(to_json(ended))
    else:
        out = sys.stderr if STANDARD in (arguments.csv, arguments.save) else sys.stdout
        tell(lines(ended), out)
    return INTERRUPTED if interrupted else 0


def _refuse_mixture(arguments: argparse.Namespace) -> None:
    if [arguments.csv, arguments.save].count(STANDARD) + arguments.json > 1:
        raise ValueError("of --json, --csv - and --save - only one can be printed")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)


def _config(arguments: argparse.Namespace) -> RunConfig:
    config = decode(arguments.config, RunConfig) if arguments.config else RunConfig()
    config = assigned_all(config, arguments.set)
    return config if arguments.seed is None else config.with_seed(arguments.seed)


# ---- the run ------------------------------------------------------------------------------------


def _train(experiment: Experiment, steps: int) -> bool:
    """Make so many steps, or fewer if Ctrl-C or divergence ends the run; whether Ctrl-C did."""
    shown = sys.stderr.isatty()
    with interruptions() as interrupted:
        for done in tqdm(range(1, steps + 1), unit=" steps", leave=False, disable=not shown):
            if experiment.status is Status.DIVERGED:
                break
            if done == steps or interrupted.is_set():
                experiment.apply(Step())  # not train(1): a step writes a full row
                break
            experiment.train(1)
    return interrupted.is_set()
