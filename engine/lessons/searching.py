"""Section 7 of the lecture, the search for hyperparameters."""

from engine.lessons import observing
from engine.lessons.bundled_lessons import bundled
from engine.lessons.draws import Draws, Tries
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Variation
from engine.measure.verdict import Metric, Verdict
from engine.number_format import percent
from engine.registry import Choice

SECTION = "Hyperparameter search"
FEW, MANY = 9, 200  # trials
RANDOM, GRID = Choice("random"), Choice("grid")

bundled("coarse-to-fine")
bundled("best-at-the-edge")


@LESSONS.register("random beats grid")
def random_beats_grid() -> Lesson:
    """Nine random trials try nine values of the axis that matters, a 3 x 3 grid only three."""
    return Lesson(
        section=SECTION,
        title="How do you place nine trials?",
        setup="Nine runs may be tried. They differ in the learning rate, which matters, and in a"
        " penalty, which matters little; nobody knows that yet.",
        look="Push all points down onto the axis of the learning rate. On the grid three fall on"
        " the same spot each: six of the nine runs teach nothing new about what matters.",
        question=Question(
            "A grid of 3 x 3: how many learning rates does it try?", ("three", "six", "nine"), 0
        ),
        exhibits={"grid": Tries(GRID, FEW), "random": Tries(RANDOM, FEW)},
        check=_spread,
        observe=observing.highest_exhibit(
            "In which picture are there more different learning rates?",
            Draws,
            lambda draws: float(draws.different),
            ".0f",
        ),
        variations=(
            Variation("The grid in random's place", "random", exhibit=Tries(GRID, FEW)),
            Variation("A grid of 25", "grid", exhibit=Tries(GRID, 25)),
        ),
    )


def _spread(evidence: Evidence) -> Verdict:
    grid, random = (evidence.exhibit(name, Draws) for name in ("grid", "random"))
    figures = tuple(
        Metric(f"different learning rates, {x.name}", x.different, said, "d")
        for x, said in ((grid, "3"), (random, "9"))
    )
    sentence = (
        f"{len(grid.rates)} trials by {grid.name}: {grid.different} learning rates;"
        f" {len(random.rates)} by {random.name}: {random.different}."
    )
    return Verdict(random.different >= 3 * grid.different, figures, sentence)


@LESSONS.register("rates as powers of ten")
def powers_of_ten() -> Lesson:
    """Drawn evenly, nine of ten rates lie in the highest power of ten: draw the exponent."""
    return Lesson(
        section=SECTION,
        title="From which numbers do you draw learning rates?",
        setup="A rate between 0.000001 and 0.01 is wanted. 200 are drawn, once every number alike"
        " likely, once every power of ten.",
        look="Both pictures have an axis of powers of ten. Where are the points that were drawn"
        " evenly, and what would such a search know of small rates?",
        question=Question(
            "Drawn evenly from 0.000001 to 0.01: how many lie above 0.001?",
            ("a quarter", "half", "nine of ten"),
            2,
        ),
        exhibits={
            "evenly": Tries(RANDOM, MANY, "linear"),
            "as powers of ten": Tries(RANDOM, MANY, "log"),
        },
        check=_powers,
        observe=observing.highest_exhibit(
            "In which picture do more of the points crowd at the right end?",
            Draws,
            lambda draws: draws.top,
            ".0%",
        ),
        variations=(
            Variation("Powers of ten in both", "evenly", exhibit=Tries(RANDOM, MANY, "log")),
            Variation("A grid of powers", "as powers of ten", exhibit=Tries(GRID, MANY, "log")),
        ),
    )


def _powers(evidence: Evidence) -> Verdict:
    evenly, powers = (evidence.exhibit(name, Draws) for name in ("evenly", "as powers of ten"))
    figures = tuple(
        Metric(f"in the highest power of ten, {x.name}", x.top, form=".0%")
        for x in (evenly, powers)
    )
    sentence = (
        f"In the highest of four powers of ten lie {percent(evenly.top)} ({evenly.name}) and"
        f" {percent(powers.top)} ({powers.name})."
    )
    return Verdict(evenly.top > 0.8 and powers.top < 0.4, figures, sentence)


bundled("stop-early")
