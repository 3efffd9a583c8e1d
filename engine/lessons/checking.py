"""Section 9 of the lecture, continued: the gradient check."""

from engine.lessons import observing
from engine.lessons.beyond import SECTION
from engine.lessons.finite_differences import Differences, GradientErrors
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Variation
from engine.measure.verdict import Metric, Verdict
from engine.number_format import written

WIDTHS = ("below 0.00000001", "between the two", "above 0.001")


@LESSONS.register("gradient check")
def gradient_check() -> Lesson:
    """Backpropagation agrees with finite differences to seven digits; a fault in it does not."""
    return Lesson(
        section=SECTION,
        title="How do you know that a gradient is right?",
        setup="A weight is moved by h to either side; half the difference of the two losses, over"
        " h, must be its gradient. Once backpropagation is as it should be, once it is given a"
        " fault: the gradient of the first layer is a tenth too small.",
        look="Wide steps miss the slope because the loss is curved, narrow ones because the two"
        " losses are rounded. Between them the sound gradient agrees to seven digits or more, and"
        " the faulty one nowhere. The tab Checks does this with your own network.",
        question=Question(
            "Numbers have 16 digits. With which h is the difference nearest to the slope?",
            ("the smallest there is, such as 1e-12", "one between, such as 1e-5", "0.1"),
            1,
        ),
        exhibits={"sound": GradientErrors(), "faulty": GradientErrors(0.9)},
        check=_checked,
        observe=observing.which(
            "In the sound one: where is the error smallest?",
            WIDTHS,
            lambda evidence: _width(evidence.exhibit("sound", Differences).at),
        ),
        variations=(
            Variation("No fault in either", "faulty", exhibit=GradientErrors()),
            Variation("A fault of a thousandth", "faulty", exhibit=GradientErrors(0.999)),
        ),
    )


def _width(step: float) -> int:
    return 0 if step < 1e-8 else 1 if step <= 1e-3 else 2


def _checked(evidence: Evidence) -> Verdict:
    sound, faulty = (evidence.exhibit(name, Differences) for name in ("sound", "faulty"))
    figures = (
        Metric(f"smallest relative error, {sound.name}", sound.best, form=".1g"),
        Metric("... at a step of", sound.at, form=".1g"),
        Metric(f"smallest relative error, {faulty.name}", faulty.best, form=".2g"),
    )
    sentence = (
        f"The relative error is at best {written(sound.best, 1)} ({sound.name}), and"
        f" {written(faulty.best, 2)} ({faulty.name})."
    )
    return Verdict(sound.best < 1e-7 and faulty.best > 1e-4, figures, sentence)
