"""Hyperparameter search: which trials are run, how, what they find, and where to search next."""

from engine.search.comparison import Comparison, ComparisonFrame, StrategyLine
from engine.search.description import (
    LECTURE_SEARCH,
    ONE_MATTERS,
    Search,
    Trial,
    lecture_search,
    one_matters,
)
from engine.search.ensembles import Ensemble, EnsembleFrame
from engine.search.frames import Edge, SearchFrame, SearchStatus, TrialFrame, TrialStatus
from engine.search.refinement import narrow, ranked, refine
from engine.search.results_csv import ResultsFile
from engine.search.search_run import SearchRun
from engine.search.search_session import SearchProgress, SearchSession
from engine.search.space import (
    Categorical,
    Continuous,
    allowed,
    axis_of,
    changed,
    in_words,
    label_of,
)
from engine.search.strategies import STRATEGIES
from engine.search.trial import Curve, Ending, Result
from engine.search.workers import InThread, Pool, Workers, cluster, on_client, processes

__all__ = [
    "LECTURE_SEARCH",
    "ONE_MATTERS",
    "STRATEGIES",
    "Categorical",
    "Comparison",
    "ComparisonFrame",
    "Continuous",
    "Curve",
    "Edge",
    "Ending",
    "Ensemble",
    "EnsembleFrame",
    "InThread",
    "Pool",
    "Result",
    "ResultsFile",
    "Search",
    "SearchFrame",
    "SearchProgress",
    "SearchRun",
    "SearchSession",
    "SearchStatus",
    "StrategyLine",
    "Trial",
    "TrialFrame",
    "TrialStatus",
    "Workers",
    "allowed",
    "axis_of",
    "changed",
    "cluster",
    "in_words",
    "label_of",
    "lecture_search",
    "narrow",
    "on_client",
    "one_matters",
    "processes",
    "ranked",
    "refine",
]
