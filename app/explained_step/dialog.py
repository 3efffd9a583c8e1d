"""The dialog "Explain": the next step of the run in stages, each drawn, and one weight traced.

The engine explains the step on a copy of the run, in the background; the page shows what it found.
"""

from markupsafe import Markup
from panel.pane import HTML
from panel.viewable import Viewable

from app.explained_step import stages, weight
from app.explanations.explanation import explain
from app.page.bridge import Bridge
from app.page.buttons import Presses, button
from app.stylesheets import css
from app.templates import refusal, render
from engine import (
    HELD,
    NO_PLACE,
    ExperimentHandle,
    ExplainedStep,
    Pause,
    Place,
    Snapshot,
    Status,
    Step,
    TracedWeight,
    digest,
)

STAGE = "stage"  # the kind of message with the stage that is shown
SOON = '<p class="quiet" role="status">A moment …</p>'
FIRST, LAST = stages.STAGES[0], stages.STAGES[-1]
PATIENCE = 20.0  # seconds to wait for the engine between two steps


class ExplainedStepDialog:
    """Requests the explanation of the next step, and fills in the stages."""

    title = "The next step, explained"
    width = "lg"

    def __init__(self, handle: ExperimentHandle, bridge: Bridge, presses: Presses) -> None:
        self._handle = handle
        self._stage, self._chosen, self._place = FIRST, 0, NO_PLACE
        self._step: ExplainedStep | None = None
        self._traced: TracedWeight | None = None
        self._now = handle.latest
        self._made = ""  # the text about a step that was just made
        self._written = 0  # times that the stages have been written
        self._page = HTML(
            SOON,
            stylesheets=[css("buttons"), css("tabs"), css("explained_step")],
            margin=0,
            sizing_mode="stretch_width",
        )
        self.view: Viewable = self._page
        bridge.on(STAGE, self._turn_to)
        presses.on_value("explain example", self._follow)
        presses.on_value("trace", self._trace)
        presses.on("make step", self._make)

    def opened(self) -> None:
        """Let the run wait, and explain its next step."""
        self._stage, self._chosen, self._place, self._made = FIRST, 0, NO_PLACE, ""
        self._step = self._traced = None
        self._page.object = SOON
        if self._handle.latest.status is Status.RUNNING:
            self._handle.send(Pause())
        self._explain()

    def show(self, snapshot: Snapshot) -> None:
        """Show what the engine has explained meanwhile."""
        self._now = snapshot
        explained, traced = snapshot.background.explained, snapshot.background.traced
        if isinstance(explained, ExplainedStep):
            self._step = explained
            self._clear("explained")
        if isinstance(traced, TracedWeight):
            self._traced = traced
            self._clear("traced")
        if isinstance(explained, ExplainedStep) or isinstance(traced, TracedWeight):
            self._write()
        elif self._step is None and (reason := self._failure("explained")):
            self._page.object = refusal(reason)
        elif self._traced is None and self._failure("traced"):
            self._write()

    def _failure(self, job: str) -> str:
        """Why the engine explains nothing; empty if it does."""
        if self._now.status is Status.FAILED:
            return self._now.message
        results = self._now.background
        return results.failure if results.failed == job else ""

    # ---- what the learner requests ------------------------------------------------------------

    def _turn_to(self, stage: str, written: str) -> None:
        """The browser shows this stage; the last one is computed when it is first looked at.

        `written` is how often the stages had been written for the browser when it turned to it. If
        they have been written since, it shows another stage again.
        """
        if stage in stages.STAGES:
            self._stage = stage
            if written != str(self._written):
                self._write()
            if stage == LAST and self._traced is None:
                self._ask_for_trace()

    def _follow(self, number: str) -> None:
        """Follow another example of the same mini-batch."""
        if number.isdecimal() and len(number) < 6:
            self._chosen = int(number)
            self._explain()
            if self._traced:
                self._ask_for_trace()

    def _trace(self, asked: str) -> None:
        """Trace a weight, asked for as its layer, input and unit, counted from 1, any left out."""
        layer, _, rest = asked.partition("|")
        row, _, column = rest.partition("|")
        self._place = Place(layer, _counted(row), _counted(column))
        self._stage = LAST
        self._ask_for_trace()

    def _make(self) -> None:
        """Make the step that was explained, show whether it agrees, and explain the next."""
        explained = self._step
        if explained is None or explained.diverges:
            return
        self._step = None  # a second press waits for the next explanation
        self._handle.send(Step())
        made = self._handle.query(lambda experiment: (experiment.step, digest(experiment)))
        step, found = made.result(PATIENCE)
        same = (
            "to the bit what was explained"
            if found == explained.digest
            else "not what was explained"
        )
        self._made = f"Step {step:,} is made: its weights are {same}."
        self._stage, self._traced = FIRST, None
        self._explain()

    # ---- the engine, and the page -------------------------------------------------------------

    def _explain(self) -> None:
        handle, chosen = self._handle, self._chosen
        handle.submit(lambda slot: slot.jobs.begin("explained", slot.experiment.explaining(chosen)))

    def _ask_for_trace(self) -> None:
        if self._step is None or self._step.diverges:
            return
        handle, place, chosen = self._handle, self._place, self._chosen
        handle.submit(
            lambda slot: slot.jobs.begin("traced", slot.experiment.tracing(place, chosen))
        )

    def _clear(self, name: str) -> None:
        """Have the engine forget a result that the page has now."""
        self._handle.submit(lambda slot: slot.jobs.clear(name))

    def _write(self) -> None:
        if self._step is None:
            return
        self._written += 1
        self._page.object = render(
            "explained_step",
            written=self._written,
            stages=stages.STAGES,
            stage=self._stage,
            made=self._made,
            make=Markup(
                button(
                    "make step",
                    "Make this step",
                    "skip_next",
                    word="Make this step",
                    style="outlined",
                    off=self._step.diverges,
                )
            ),
            weight=self._weight(self._step),
            **stages.context(self._step, self._now.data, self._now.config.model.activation.name),
        )

    def _weight(self, step: ExplainedStep) -> Markup:
        if step.diverges:
            return Markup('<p role="alert">This step diverges: there is no gradient to trace.</p>')
        if self._traced is None:
            reason = self._failure("traced")
            return Markup(refusal(reason) if reason else SOON)
        context = weight.context(self._traced, step, self._now.data)
        return Markup(render("traced_weight", held=HELD, **context))


def _counted(word: str) -> int | None:
    """A place that a browser sends, counted from 1; None if it is anything else."""
    return int(word) - 1 if word.isdecimal() and 0 < len(word) < 9 else None


explain(
    ("button dialog Explain", "dialog The next step, explained"),
    "The next step, explained",
    "The step that comes next in stages, on its real mini-batch: forward, the loss, backward, the"
    " update. It is computed on a copy, so the run does not move.",
    shortcut="i",
)
explain(
    ("button stage *", "field The next step, explained *"),
    "Stages",
    "Goes from one stage of the step to the next, or through all of them.",
)
explain("button make step", "Make this step", "Makes in your run the step that was explained.")
explain(
    "tab Batch",
    "Batch",
    "The examples of this mini-batch: what each is, what the network says, and its loss.",
)
explain(
    "button explain example",
    "An example",
    "An example of this mini-batch: press on it to follow it through the network.",
)
explain(
    "tab Forward",
    "Forward",
    "What each layer makes of the example that is followed, from the input to the scores.",
)
explain(
    "tab Loss",
    "Loss",
    "From scores to probabilities to the loss of each example, and their mean.",
    lesson="first-loss",
)
explain(
    "tab Backward",
    "Backward",
    "The gradient on its way back from the loss, layer by layer, by the chain rule.",
    lesson="sigmoid-saturates",
)
explain(
    "tab Update",
    "Update",
    "What the optimizer makes of the gradient, and by how much the weights will change.",
    lesson="a-step-downhill",
)
explain(
    "tab One weight",
    "One weight",
    "The gradient of one weight through the chain rule, number by number, beside a finite"
    " difference.",
    lesson="gradient-check",
)
explain(
    ("trace *", "button trace"),
    "Which weight",
    "The layer, the input and the unit whose weight is traced. A press on a square chooses"
    " another.",
)
