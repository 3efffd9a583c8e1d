"""A run on one page of HTML that needs no server and no internet: for a mail, or a lab book."""

import html
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app import theme
from app.plots.plot_data import in_variances, score_name
from app.sharing.pinned import figures, settings, written
from app.sharing.svg_charts import Line, curves, histogram
from engine import (
    SETTINGS,
    Choice,
    Command,
    Condition,
    Pause,
    Play,
    Recording,
    RunConfig,
    SetKnob,
    Snapshot,
    Status,
    Step,
)

JOURNAL_SHOWN = 200  # lines; the rest is in the exported JSON
# What moves a run without changing it is told once for as often as it was done in a row.
MOVES = {
    Step: ("1 single step", "{} single steps"),
    Play: ("played", "played {} times"),
    Pause: ("paused", "paused {} times"),
}

NOTHING_WRONG = {
    Condition.HEALTHY: "Nothing: it learns as it should.",
    Condition.CONVERGED: "Nothing: it has learned what it can, and its updates are small for that.",
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{parts}
</main>
</body>
</html>
"""


def report(snapshot: Snapshot, recording: Recording, asked: str) -> str:
    """The page; `asked` is what a link to the run has behind the page's address, or empty."""
    config = snapshot.config
    parts = [
        _paragraph(_summary(snapshot)),
        _section("How it stands", _list(figures(snapshot.step, snapshot.curves))),
        _section("What is wrong, and what to do", _findings(snapshot)),
        _section("Curves", f'<div class="plots">{"".join(_curves(snapshot))}</div>'),
        _section("Activations", f'<div class="plots">{"".join(_histograms(snapshot))}</div>'),
        _section("Settings", _list(settings(config))),
        _section("What was done to it", _journal(recording)),
        _section("To repeat it", _repeated(recording, asked)),
    ]
    title = html.escape(_title(config))
    return PAGE.format(title=title, css=theme.REPORT_CSS, parts="".join(parts))


def _title(config: RunConfig) -> str:
    model, data = config.model, config.data.dataset.name.partition(" #")[0]
    return f"{model.initializer.name} + {model.activation.name} on {data}"


def _summary(snapshot: Snapshot) -> str:
    data = snapshot.data
    told = f"Run {snapshot.run} of Babysit: {snapshot.step:,} steps, {snapshot.epoch:,.1f} epochs,"
    told += f" {data.training:,} examples to learn from and {data.validation:,} that only judge."
    if in_variances(snapshot):
        told += " The loss is in variances of the values; answers are in their own units."
    return f"{told} {snapshot.message}" if snapshot.status is Status.DIVERGED else told


def _findings(snapshot: Snapshot) -> str:
    if snapshot.condition in NOTHING_WRONG:
        return _paragraph(NOTHING_WRONG[snapshot.condition])
    return "".join(
        _paragraph(f"{found.rule.capitalize()}: {found.cause} {found.advice}")
        for found in snapshot.findings
    )


def _curves(snapshot: Snapshot) -> Iterator[str]:
    told, changes = snapshot.curves, [marker.step for marker in snapshot.markers]

    def line(label: str, column: str, colour: str, dash: str) -> Line:
        return Line(label, colour, dash, told["step"], told[column])

    loss = (
        line("training", "loss", theme.TRAIN, "solid"),
        line("validation", "validation_loss", theme.VALIDATION, "dashed"),
    )
    yield curves("Loss", loss, changes, log=bool((told["loss"] > 0).all()))
    score = (
        line("training", "train_accuracy", theme.TRAIN, "solid"),
        line("validation", "validation_accuracy", theme.VALIDATION, "dashed"),
    )
    yield curves(score_name(snapshot).capitalize(), score, changes, log=False)
    ratios = [
        line(tensor.name, f"ratio {tensor.name}", theme.colour(number), theme.dash(number))
        for number, tensor in enumerate(snapshot.tensors)
    ]
    yield curves("Update / weight, healthy near 0.001", ratios, changes, log=True)


def _histograms(snapshot: Snapshot) -> Iterator[str]:
    for number, layer in enumerate(snapshot.layers):
        told = f"{layer.name}: mean {theme.number(layer.mean)}, std {theme.number(layer.std)},"
        told += f" {theme.percent(layer.zero)} exactly 0"
        yield histogram(told, layer.edges, layer.counts, theme.colour(number))


def _journal(recording: Recording) -> str:
    done = list(_lines(recording.journal))
    if not done:
        return _paragraph("Nothing: it ran as it was set up.")
    shown = "".join(f"<li>{html.escape(words)}</li>" for words in done[:JOURNAL_SHOWN])
    left_out = len(done) - JOURNAL_SHOWN
    more = _paragraph(f"... and {left_out:,} more.") if left_out > 0 else ""
    return f"<ol>{shown}</ol>{more}"


def _lines(journal: Sequence[tuple[int, Command]]) -> Iterator[str]:
    """What was done, a line each; moves in a row share one."""
    for moved, group in itertools.groupby(journal, lambda entry: type(entry[1]) in MOVES):
        entries = list(group)
        if moved:
            first, last = entries[0][0], entries[-1][0]
            when = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
            yield f"{when}: {_moves(command for _, command in entries)}"
        else:
            yield from (f"step {step:,}: {_told(command)}" for step, command in entries)


def _moves(commands: Iterable[Command]) -> str:
    """Of each kind of move how many there were."""
    counts = Counter(type(command) for command in commands)
    words = (MOVES[kind][number > 1].format(number) for kind, number in counts.items())
    return ", ".join(words)


def _told(command: Command) -> str:
    if not isinstance(command, SetKnob):
        return type(command).__name__.lower()
    value = command.value
    words = written(value) if isinstance(value, Choice) else f"{value}"
    return f"{SETTINGS[command.path].label} = {words}"


def _repeated(recording: Recording, asked: str) -> str:
    words = f"Its weights have the digest {recording.digest}."
    if not asked:
        return _paragraph(f"{words} It is too long for a link: its JSON repeats it.")
    there = _paragraph(f"{words} Put this behind the address of a Babysit page:")
    return f'{there}<p class="link">{html.escape(asked)}</p>'


# ---- HTML -----------------------------------------------------------------------------------


def _section(title: str, body: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{body}</section>"


def _paragraph(words: str) -> str:
    return f"<p>{html.escape(words)}</p>"


def _list(rows: Mapping[str, str]) -> str:
    return f"<dl>{''.join(_rows(rows.items()))}</dl>"


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, words in rows:
        yield f"<div><dt>{html.escape(term)}</dt><dd>{html.escape(words)}</dd></div>"
