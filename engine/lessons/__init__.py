"""The lecture as interactive lessons: each claim as data, with a check that can fail."""

# isort: off
# The order of the lecture is the order of the menu.
from engine.lessons import objects
from engine.lessons import activations, alternatives
from engine.lessons import preprocessing, initialization, normalization
from engine.lessons import babysitting, searching, monitoring, beyond, checking, combining
# isort: on

from engine.lessons.draws import Draws
from engine.lessons.exhibits import Cloud, Descent, FunctionCurve, Means
from engine.lessons.graph import Graph
from engine.lessons.laboratory import LabLayer, Laboratory, LabReport
from engine.lessons.lesson import (
    LESSONS,
    Evidence,
    Exhibit,
    Lesson,
    Question,
    Run,
    Variation,
    open_lesson,
    slug_of,
)
from engine.lessons.normalized_unit import NormalizedBatch
from engine.lessons.outcome import Outcome, outcome
from engine.measure.verdict import Metric, Verdict

__all__ = [
    "LESSONS",
    "Cloud",
    "Descent",
    "Draws",
    "Evidence",
    "Exhibit",
    "FunctionCurve",
    "Graph",
    "LabLayer",
    "LabReport",
    "Laboratory",
    "Lesson",
    "Means",
    "Metric",
    "NormalizedBatch",
    "Outcome",
    "Question",
    "Run",
    "Variation",
    "Verdict",
    "activations",
    "alternatives",
    "babysitting",
    "beyond",
    "checking",
    "combining",
    "initialization",
    "monitoring",
    "normalization",
    "objects",
    "open_lesson",
    "outcome",
    "preprocessing",
    "searching",
    "slug_of",
]
