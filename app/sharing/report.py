"""A report of a run: one page of HTML that needs no server and no internet."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from app import numbers, palette
from app.plots.plot_data import in_variances, score_name
from app.sharing.pinned import choice_in_words, figures, settings
from app.sharing.svg_charts import Line, curves, histogram
from app.stylesheets import css
from app.templates import render
from engine import (
    SETTINGS,
    Choice,
    Command,
    Condition,
    FinishEpoch,
    PastRun,
    Pause,
    Play,
    Recording,
    RunConfig,
    SetKnob,
    Snapshot,
    Status,
    Step,
    counted,
)

JOURNAL_SHOWN = 200  # lines; the rest is in the exported JSON
# Commands that change no setting; repetitions in a row share one line.
MOVES = {
    Step: ("1 single step", "{} single steps"),
    FinishEpoch: ("to the end of the epoch", "to the end of the epoch, {} times"),
    Play: ("played", "played {} times"),
    Pause: ("paused", "paused {} times"),
}

NOTHING_WRONG = {
    Condition.HEALTHY: "Nothing: it learns as it should.",
    Condition.CONVERGED: "Nothing: it has learned what it can, and its updates are small for that.",
}


def report(snapshot: Snapshot, recording: Recording, asked: str) -> str:
    """The report as HTML; `asked` is the query part of a link to the run, or empty."""
    config, done = snapshot.config, list(_lines(recording.journal))
    return render(
        "report",
        title=_title(config),
        css=Markup(css("report")),
        summary=_summary(snapshot),
        figures=figures(snapshot.step, snapshot.so_far),
        findings=_findings(snapshot),
        curves=Markup("".join(_curves(snapshot))),
        histograms=Markup("".join(_histograms(snapshot))),
        settings=settings(config),
        journal=done[:JOURNAL_SHOWN],
        branches=list(_branches(snapshot, recording)),
        left_out=max(0, len(done) - JOURNAL_SHOWN),
        digest=recording.digest,
        asked=asked,
    )


def _title(config: RunConfig) -> str:
    model, data = config.model, config.data.dataset.name.partition(" #")[0]
    return f"{model.initializer.name} + {model.activation.name} on {data}"


def _summary(snapshot: Snapshot) -> str:
    data = snapshot.data
    steps = counted(snapshot.step, "steps")
    text = f"Run {snapshot.run} of Babysit: {steps}, {snapshot.epoch:,.1f} epochs,"
    text += f" {data.training:,} training and {data.validation:,} validation examples."
    if in_variances(snapshot):
        text += " The loss is relative to the variance of the values, which are in their own units."
    return f"{text} {snapshot.message}" if snapshot.status is Status.DIVERGED else text


def _findings(snapshot: Snapshot) -> list[str]:
    if snapshot.condition in NOTHING_WRONG:
        return [NOTHING_WRONG[snapshot.condition]]
    return [
        f"{found.rule.capitalize()}: {found.cause} {found.advice}" for found in snapshot.findings
    ]


def _curves(snapshot: Snapshot) -> Iterator[str]:
    columns, changes = snapshot.curves, [marker.step for marker in snapshot.markers]

    def line(label: str, column: str, colour: str, dash: str) -> Line:
        return Line(label, colour, dash, columns["step"], columns[column])

    loss = (
        line("training", "loss", palette.TRAIN, "solid"),
        line("validation", "validation_loss", palette.VALIDATION, "dashed"),
    )
    yield curves("Loss", loss, changes, log=bool((columns["loss"] > 0).all()))
    score = (
        line("training", "train_accuracy", palette.TRAIN, "solid"),
        line("validation", "validation_accuracy", palette.VALIDATION, "dashed"),
    )
    yield curves(score_name(snapshot).capitalize(), score, changes, log=False)
    ratios = [
        line(tensor.name, f"ratio {tensor.name}", palette.colour(number), palette.dash(number))
        for number, tensor in enumerate(snapshot.tensors)
    ]
    yield curves("Update / weight, healthy near 0.001", ratios, changes, log=True)


def _histograms(snapshot: Snapshot) -> Iterator[str]:
    for number, layer in enumerate(snapshot.layers):
        spread = f"mean {numbers.number(layer.mean)}, std {numbers.number(layer.std)}"
        caption = f"{layer.name}: {spread}, {numbers.decimal_percent(layer.zero)} exactly 0"
        yield histogram(caption, layer.edges, layer.counts, palette.colour(number))


def _branches(snapshot: Snapshot, recording: Recording) -> Iterator[str]:
    """The other branches of the run, each with how it was left."""
    digests = {branch.run: branch.digest for branch in recording.branches}
    for branch in snapshot.branches:
        parent = branch.parent
        left = f"run {branch.run}, " + (
            f"which left run {parent.run} at step {parent.step:,}" if parent else "the first"
        )
        parts = [
            f"{left}, {counted(branch.step, 'steps')} long",
            *([branch.change] if branch.change else []),
        ]
        if branch.past:
            parts += [f"{name.lower()} {x}" for name, x in _ends(branch.past).items()]
        yield f"{'; '.join(parts)}; digest {digests[branch.run]}"


def _ends(past: PastRun) -> dict[str, str]:
    return {name: x for name, x in figures(past.step, past.curves).items() if name != "Steps"}


def _lines(journal: Sequence[tuple[int, Command]]) -> Iterator[str]:
    """The journal as lines; moves in a row share one."""
    for moved, group in itertools.groupby(journal, lambda entry: type(entry[1]) in MOVES):
        entries = list(group)
        if moved:
            first, last = entries[0][0], entries[-1][0]
            when = f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"
            yield f"{when}: {_moves(command for _, command in entries)}"
        else:
            yield from (f"step {step:,}: {_described(command)}" for step, command in entries)


def _moves(commands: Iterable[Command]) -> str:
    """How many moves there were of each kind."""
    counts = Counter(type(command) for command in commands)
    parts = (MOVES[kind][number > 1].format(number) for kind, number in counts.items())
    return ", ".join(parts)


def _described(command: Command) -> str:
    if not isinstance(command, SetKnob):
        return type(command).__name__.lower()
    value = command.value
    text = choice_in_words(value) if isinstance(value, Choice) else f"{value}"
    return f"{SETTINGS[command.path].label} = {text}"
