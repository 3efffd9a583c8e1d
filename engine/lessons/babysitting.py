"""Section 6 of the lecture, babysitting: the sanity checks, and the search for a learning rate."""

import math

import numpy as np

from engine.data import lecture_images
from engine.lessons import observing, words
from engine.lessons.lesson import LESSONS, Evidence, Lesson, Question, Run, Variation
from engine.lessons.outcome import Outcome
from engine.lessons.recipes import EPOCH, INITIALIZER, L2, RATE, STEADY, babysat
from engine.measure.verdict import Metric, Verdict
from engine.number_format import percent, written
from engine.registry import Choice
from engine.training.commands import SetKnob

SECTION = "Babysitting the learning process"


@LESSONS.register("first loss")
def first_loss() -> Lesson:
    """With small weights and no regularization the first loss is ln C: 2.3026 for 10 classes."""
    return Lesson(
        section=SECTION,
        title="What is the loss before any training?",
        setup="Nothing is trained yet: the weights are small, and nothing is penalized.",
        look="Nothing moves here: read the loss at step 0.",
        why="A network that knows nothing gives each of C classes the same chance, and the loss"
        " of that is ln C. Anything else at step 0 is a fault.",
        question=Question(
            "Ten classes, small weights. How large is the first loss?",
            ("0.1000", "1.0000", "2.3026"),
            2,
        ),
        runs=(Run("untrained", babysat(1e-3), 0),),
        check=_first_loss,
        observe=observing.how_much(
            "Which loss does the plot show at step 0?",
            observing.only("untrained", _first_loss_of),
            (1.0, 2.2, 2.4, 10.0),
            ".1f",
        ),
        variations=(
            Variation("Weights of N(0, 1)", "untrained",
                  (SetKnob(INITIALIZER, Choice("unit normal")),)),
            Variation("He's weights on pixels of 0 to 255", "untrained",
                  (SetKnob(INITIALIZER, Choice("He")),)),
        ),
    )  # fmt: skip


def _first_loss_of(run: Outcome) -> float:
    return run.snapshot.metrics.first_loss


def _first_loss(evidence: Evidence) -> Verdict:
    metrics = evidence["untrained"].snapshot.metrics
    holds = math.isclose(metrics.first_loss, metrics.chance_loss, abs_tol=1e-3)
    figures = (
        Metric("first loss", metrics.first_loss, "2.3026", ",.4f"),
        Metric("ln C", metrics.chance_loss, "2.3026", ".4f"),
    )
    sentence = f"It is {metrics.first_loss:,.4f}, and ln C is {metrics.chance_loss:.4f}."
    return Verdict(holds, figures, sentence)


@LESSONS.register("regularization raises it")
def regularization() -> Lesson:
    """Regularization is part of the loss: at a strength of 1000 the first loss rises."""
    return Lesson(
        section=SECTION,
        title="What does a penalty do to the first loss?",
        setup="The same network, still untrained, once without a penalty on large weights (L2),"
        " once with one of strength 1000.",
        look="The plot shows the loss on the data and the penalty separately: compare the"
        " penalties at step 0.",
        why="What is minimized goes up by half of the strength times the squared weights: the"
        " lecture's loss is the sum of the loss on the data and the penalty.",
        question=Question(
            "L2 goes from 0 to 1000. What becomes of the first loss?",
            ("it rises", "it falls", "it stays"),
            0,
        ),
        runs=(
            Run("no L2", babysat(1e-3), 0, called=words.penalty),
            Run("L2 of 1000", babysat(1e-3, l2=1e3), 0, called=words.penalty),
        ),
        check=_regularization,
        observe=observing.highest(
            "Loss and penalty together: which network starts higher?",
            lambda run: run.first_cost,
            ",.2f",
        ),
        variations=(
            Variation("L2 back to 0", "L2 of 1000", (SetKnob(L2, 0.0),)),
            Variation("L2 of 100,000", "L2 of 1000", (SetKnob(L2, 1e5),)),
        ),
    )


_PENALIZED = "3.0686 on 32x32x3"


def _regularization(evidence: Evidence) -> Verdict:
    plain, strong = evidence["no L2"], evidence["L2 of 1000"]
    weights = [v for name, v in strong.parameters.items() if name.endswith(" W")]
    squares = sum(float(np.vdot(W, W)) for W in weights)
    strength = strong.config.optimization.l2
    rise, due = strong.first_cost - plain.first_cost, 0.5 * strength * squares
    data, added = (float(strong.snapshot.curves[name][0]) for name in ("loss", "penalty"))
    first, second = (words.penalty(run.config) for run in (plain, strong))
    holds = rise > 0.05 and math.isclose(rise, due, rel_tol=1e-3)
    figures = (
        Metric(f"first loss, {first}", plain.first_cost, "2.3026", ",.4f"),
        Metric(f"first loss with its penalty, {second}", strong.first_cost, _PENALIZED, ",.4f"),
        Metric("... on the data alone", data, "", ",.4f"),
        Metric("... its penalty", added, "", ",.4f"),
        Metric(f"half of {written(strength)} times the squared weights", due, "", ",.4f"),
    )
    sentence = (
        f"With {second} the first loss is {data:,.4f} on the data and {added:,.4f} of penalty,"
        f" together {strong.first_cost:,.4f}; with {first} it is {plain.first_cost:,.4f}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("overfit 20 examples")
def overfit() -> Lesson:
    """A sound network learns 20 examples by heart: accuracy 1.00, and a loss near 0."""
    return Lesson(
        section=SECTION,
        title="Can the network learn 20 examples by heart?",
        setup="Take 20 examples, and no regularization.",
        look="Watch the training loss and the training accuracy. What validation does is of no"
        " interest here.",
        why="20 examples are few enough for any sound network to learn by heart. If this fails,"
        " something is broken: stop.",
        question=Question(
            "What is the training accuracy after 200 epochs on 20 examples?",
            ("about as on validation", "1.00", "0.90"),
            1,
        ),
        runs=(Run("20 examples", babysat(1e-3, examples=20), 200, called=words.examples),),
        check=_overfit,
        view="accuracy",
        observe=observing.how_much(
            "Where did the accuracy on its 20 examples end?",
            observing.only("20 examples", observing.train_accuracy),
            (0.3, 0.6, 0.99),
        ),
        variations=(
            Variation("A rate of 0.000001", "20 examples", (SetKnob(RATE, 1e-6),)),
            Variation("L2 of 10", "20 examples", (SetKnob(L2, 10.0),)),
        ),
    )


def _overfit(evidence: Evidence) -> Verdict:
    run = evidence["20 examples"]
    metrics = run.snapshot.metrics
    holds = metrics.train_accuracy == 1 and metrics.train_loss < 0.1
    figures = (
        Metric("training accuracy", metrics.train_accuracy, "1.00", ".2f"),
        Metric("training loss", metrics.train_loss, "0.0026", ".4f"),
        Metric("validation accuracy", metrics.validation_accuracy, form=".2f"),
    )
    sentence = (
        f"It knows {percent(metrics.train_accuracy)} of {words.examples(run.config)}, at a loss of"
        f" {metrics.train_loss:.4f}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("rate too low")
def too_low() -> Lesson:
    """At 1e-6 the loss barely moves, yet accuracy climbs: the order of scores changes first."""
    return Lesson(
        section=SECTION,
        title="What does a learning rate that is too low look like?",
        setup="The learning rate is 1e-6. The loss looks like a straight line.",
        look="Compare how far the loss moves with how far accuracy does.",
        why="All scores are still nearly equal. Accuracy only asks which of them is largest, and"
        " a hair's breadth decides that.",
        question=Question(
            "The loss has fallen from 2.3 by 0.0002 or less. Can accuracy have doubled?",
            ("no", "yes"),
            1,
        ),
        runs=(Run("10 epochs", babysat(1e-6, l2=1e-6), 10 * EPOCH, called=words.rate),),
        check=_too_low,
        view="accuracy",
        observe=observing.how_much(
            "Where did the accuracy on training end?",
            observing.only("10 epochs", observing.train_accuracy),
            (0.15, 0.25, 0.6),
        ),
        variations=(
            Variation("A rate of 0.0003", "10 epochs", (SetKnob(RATE, 3e-4),)),
            Variation("A rate of 0.00001", "10 epochs", (SetKnob(RATE, 1e-5),)),
        ),
    )


def _too_low(evidence: Evidence) -> Verdict:
    run = evidence["10 epochs"]
    metrics = run.snapshot.metrics
    fallen = 1 - metrics.train_loss / metrics.first_loss
    holds = abs(fallen) < 0.001 and metrics.train_accuracy > 0.15
    figures = (
        Metric("loss at first", metrics.first_loss, "2.302576", ".6f"),
        Metric(
            f"loss after {written(run.snapshot.epoch, 3)} epochs",
            metrics.train_loss,
            "2.302420",
            ".6f",
        ),
        Metric("training accuracy", metrics.train_accuracy, "0.19 to 0.21", ".2f"),
    )
    sentence = (
        f"At {words.rate(run.config)} the loss went from {metrics.first_loss:.6f} to"
        f" {metrics.train_loss:.6f}; accuracy reached {percent(metrics.train_accuracy)}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("rate too high: NaN")
def too_high() -> Lesson:
    """At a rate of a million the loss explodes after a step or two; the lecture's ends in NaN."""
    return Lesson(
        section=SECTION,
        title="What does a learning rate of a million do?",
        setup="The learning rate is 1e6, for 200 steps.",
        look="Count the steps until the loss explodes: there the run is stopped.",
        why="Each step overshoots further than the one before. If it went on, the numbers would"
        " soon be larger than a computer can hold: the loss is infinite then, or NaN, which almost"
        " always means a learning rate that is too high.",
        question=Question(
            "How many steps does it make before the loss explodes?",
            ("fewer than 10", "about 100", "all 200"),
            0,
        ),
        runs=(Run("a million", babysat(1e6, l2=1e-6), 200, called=words.rate),),
        check=_too_high,
        observe=observing.how_much(
            "At which step did it end?",
            observing.only("a million", observing.steps),
            (9, 99, 199),
            ".0f",
        ),
        variations=(
            Variation("A rate of 0.001", "a million", (SetKnob(RATE, 1e-3),)),
            Variation("Clip the gradient to 1", "a million", (SetKnob("optimization.clip", 1.0),)),
        ),
    )


def _too_high(evidence: Evidence) -> Verdict:
    run = evidence["a million"]
    step, last = run.snapshot.step, float(run.snapshot.curves["loss"][-1])
    figures = (
        Metric("steps until it diverged" if run.diverged else "steps made", step, form=",d"),
        Metric("its last loss", last, "nan"),
    )
    holds = run.diverged and run.snapshot.step < 10
    end = "diverged after" if run.diverged else "survived"
    sentence = (
        f"At {words.rate(run.config)} it {end} {words.steps(step)}:"
        f" its last loss is {written(last, 3)}."
    )
    return Verdict(holds, figures, sentence)


@LESSONS.register("still too high")
def still_too_high() -> Lesson:
    """At 3e-3 the loss falls at first, as if all were well, and blows up some epochs later."""
    epoch = STEADY[lecture_images().name]
    return Lesson(
        section=SECTION,
        title="Does a falling loss prove a good learning rate?",
        setup="The learning rate is 3e-3: neither absurdly low nor absurdly high.",
        look="Watch the loss to the end, and whether it has spikes.",
        why="Each spike is a step that overshot. As long as the next ones repair it nothing is"
        " wrong; one that is too large cannot be repaired.",
        question=Question(
            "The loss falls nicely for an epoch. Is the rate safe?",
            ("yes: a rate that is too high shows at once", "no: the loss may still blow up later"),
            1,
        ),
        runs=(Run("3e-3", babysat(3e-3, l2=1e-6, epoch=epoch), 10 * epoch, called=words.rate),),
        check=_still_too_high,
        observe=observing.which(
            "How did the loss on training end?",
            ("it blew up", "lower than at the start", "as high as at the start, or higher"),
            lambda evidence: _ending(evidence["3e-3"]),
        ),
        variations=(
            Variation("A rate of 0.0003", "3e-3", (SetKnob(RATE, 3e-4),)),
            Variation("Clip the gradient to 100", "3e-3", (SetKnob("optimization.clip", 100.0),)),
        ),
    )


def _ending(run: Outcome) -> int:
    """0: it blew up; 1: its loss fell; 2: it did not."""
    if run.diverged:
        return 0
    return 1 if run.loss < 0.98 * run.snapshot.metrics.first_loss else 2


def _still_too_high(evidence: Evidence) -> Verdict:
    run = evidence["3e-3"]
    lowest = float(np.nanmin(run.snapshot.curves["loss"]))
    epoch = run.snapshot.epoch
    holds = run.diverged and epoch > 0.5 and lowest < 0.9 * run.snapshot.metrics.first_loss
    figures = (
        Metric("lowest loss before", lowest, "1.83"),
        Metric("epochs made", epoch, "5", ".1f"),
    )
    end = "then it blew up" if run.diverged else "and it did not blow up"
    return Verdict(holds, figures, f"The loss fell to {lowest:.2f}, {end} (epoch {epoch:.1f}).")


@LESSONS.register("a good rate")
def good_rate() -> Lesson:
    """Between too low and too high lies a rate at which the loss falls fast and stays down."""
    return Lesson(
        section=SECTION,
        title="Where do you look for a good learning rate?",
        setup="The same network has failed at 1e-6 and at 3e-3, each in its own way.",
        look="Watch how steeply the loss falls, and whether it stays down.",
        why="A loss curve as it should be: a steep fall, then a flat, slightly noisy descent."
        " Training and validation accuracy climb side by side.",
        question=Question(
            "1e-6 was too low, 3e-3 too high. Where would you search?",
            ("1e-5 to 1e-3", "1e-3 to 3e-3", "above 3e-3"),
            0,
        ),
        runs=(Run("3e-4", babysat(3e-4, l2=1e-6), 5 * EPOCH, called=words.rate),),
        check=_good,
        observe=observing.how_much(
            "Where did the accuracy on validation end?",
            observing.only("3e-4", observing.accuracy),
            (0.2, 0.5, 0.7, 0.9),
        ),
        variations=(
            Variation("A rate of 0.000001", "3e-4", (SetKnob(RATE, 1e-6),)),
            Variation("A rate of 0.003", "3e-4", (SetKnob(RATE, 3e-3),)),
        ),
    )


def _good(evidence: Evidence) -> Verdict:
    run = evidence["3e-4"]
    metrics = run.snapshot.metrics
    holds = not run.diverged and metrics.train_loss < 0.8 * metrics.first_loss
    figures = (
        Metric("first loss", metrics.first_loss, "2.3026", ".4f"),
        Metric("training loss", metrics.train_loss),
        Metric("validation accuracy", metrics.validation_accuracy, form=".0%"),
    )
    sentence = (
        f"At {words.rate(run.config)} the loss went from {metrics.first_loss:.2f} to"
        f" {metrics.train_loss:.2f}, with"
        f" {percent(metrics.validation_accuracy)} right on validation."
    )
    return Verdict(holds, figures, sentence)
