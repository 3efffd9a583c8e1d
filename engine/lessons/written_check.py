"""The check of a written lesson: figures that are compared, figures that are shown, a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from engine.lessons.lesson import Evidence
from engine.lessons.named_figures import SIDES, check_sentence, figure_named, filled, titled
from engine.lessons.words import unlike
from engine.measure.verdict import Metric, Verdict
from engine.number_format import joined
from engine.suggestions import instead_of, quoted

type RunName = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of a run lies above or below a number, or the same figure of another run."""

    figure: str
    of: RunName
    side: Literal["above", "below"]
    than: float | RunName
    times: float = 1.0  # that of another run, multiplied by this
    plus: float = 0.0  # ... and this is added
    lecture: str = ""  # the lecture's own figure

    def bound(self, evidence: Evidence) -> float:
        """What the figure is compared with."""
        if not isinstance(self.than, str):
            return self.than
        return figure_named(self.figure).of(evidence[self.than]) * self.times + self.plus

    def fits(self, evidence: Evidence) -> bool:
        """Whether it is so; never of what is no number."""
        ours = figure_named(self.figure).of(evidence[self.of])
        return SIDES[self.side](ours, self.bound(evidence))


class ShownFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of the verdict that nothing depends on."""

    figure: str
    of: RunName
    relative_to: RunName | None = None  # divided by the same figure of this run
    lecture: str = ""


@dataclass(frozen=True)
class WrittenCheck:
    """The comparison, the exhibits and the words of a written lesson."""

    compared: tuple[Comparison, ...]
    shown: tuple[ShownFigure, ...]
    sentence: str
    titles: Mapping[str, str]  # templates of runs' titles, by their names; empty: the name

    def refuse_unknown(self) -> None:
        """Raise ValueError if it names a figure or a run that there is none of."""
        named: list[Comparison | ShownFigure] = [*self.compared, *self.shown]
        for one in named:
            figure_named(one.figure)
        runs = [one.of for one in named]
        runs += [one.than for one in self.compared if isinstance(one.than, str)]
        runs += [one.relative_to for one in self.shown if one.relative_to is not None]
        for run in runs:
            if run not in self.titles:
                known = instead_of(run, self.titles)
                raise ValueError(f"unknown run {quoted(run)}; {known}")
        check_sentence(self.sentence, list(self.titles))

    def verdict(self, evidence: Evidence) -> Verdict:
        """Whether all comparisons hold, with the figures."""
        holds = all(one.fits(evidence) for one in self.compared)
        compared = [self._metric(one, evidence) for one in self.compared]
        shown = [self._shown(one, evidence) for one in self.shown]
        named = [(one.figure, one.of, "") for one in self.compared]
        named += [(one.figure, one.of, one.relative_to or "") for one in self.shown]
        figures = dict(zip(named, (*compared, *shown), strict=True))  # each once
        sentence = filled(
            self.sentence, evidence.outcomes, lambda run: self._title(run, evidence)
        ) or "; ".join(self._in_words(one, evidence) for one in self.compared)
        return Verdict(holds, tuple(figures.values()), f"{sentence.rstrip('.')}.")

    def _title(self, run: str, evidence: Evidence) -> str:
        """True of the settings that the run really had, and unlike that of any other run."""
        titles = [
            titled(template)(evidence[name].config) if template else name
            for name, template in self.titles.items()
        ]
        return dict(zip(self.titles, unlike(titles), strict=True))[run]

    def _metric(self, one: Comparison | ShownFigure, evidence: Evidence) -> Metric:
        label = joined(f"{one.figure}, {self._title(one.of, evidence)}")
        return figure_named(one.figure).metric(label, evidence[one.of], one.lecture)

    def _shown(self, shown: ShownFigure, evidence: Evidence) -> Metric:
        metric = self._metric(shown, evidence)
        if shown.relative_to is None:
            return metric
        other = figure_named(shown.figure).of(evidence[shown.relative_to])
        label = f"{metric.label}, beside {self._title(shown.relative_to, evidence)}: times as much"
        ratio = metric.ours / other if other else math.nan
        return Metric(label, ratio, shown.lecture, ".1f")

    def _in_words(self, one: Comparison, evidence: Evidence) -> str:
        metric = self._metric(one, evidence)
        limit = Metric("", one.bound(evidence), "", metric.form).text
        of = f" ({self._title(one.than, evidence)})" if isinstance(one.than, str) else ""
        no = "" if one.fits(evidence) else "not "
        return f"{metric.label}: {metric.text}, {no}{one.side} {limit}{of}"
