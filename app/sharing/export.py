"""The "Export" dialog: a run as files, each for another purpose."""

from collections.abc import Callable, Mapping

import msgspec
from panel import ui
from panel.layout import Column, FlexBox
from panel.pane import HTML
from panel.viewable import Viewable

from app import numbers
from app.explanations.explanation import explain
from app.page.bridge import Bridge
from app.plots import VIEWS, view_of
from app.sharing import run_links
from app.sharing.file_button import NamedFile, file_button
from app.sharing.film_maker import FilmMaker
from app.sharing.pinned import settings
from app.sharing.report import report
from app.stylesheets import css
from engine import Experiment, ExperimentHandle, RunConfig, Snapshot, record, weights_npz

IDLE = ("0", "none", "constant")  # settings that have no effect are left out of pictures
PATIENCE = 20.0  # seconds to wait for the engine to pause between two steps


# ---- the files ------------------------------------------------------------------------------


def curves_csv(experiment: Experiment) -> bytes:
    """The curves as a table, with a row for each recorded step."""
    return experiment.curves.to_csv().encode()


def run_json(experiment: Experiment) -> bytes:
    """A file that repeats the run: its config, the journal of commands, a digest of the weights."""
    return msgspec.json.encode(record(experiment)) + b"\n"


def weights(experiment: Experiment) -> bytes:
    """The parameters of the network, array by array."""
    return weights_npz(experiment.shown_network)


def report_html(experiment: Experiment) -> bytes:
    """The whole run on one page, which needs no server and no internet."""
    recording = record(experiment)
    try:
        asked = run_links.query(recording, False, ())
    except ValueError:  # too many changes for a link
        asked = ""
    return report(experiment.snapshot(), recording, asked).encode()


FILES: Mapping[str, tuple[str, str, Callable[[Experiment], bytes]]] = {
    "Report": ("html", "One page with curves, settings and findings.", report_html),
    "Curves": ("csv", "The table behind the plots.", curves_csv),
    "Run": (
        "json",
        "Config and journal: <code>python -m engine replay</code> repeats it.",
        run_json,
    ),
    "Weights": ("npz", "A named array a tensor, for NumPy.", weights),
}


# ---- the dialog -----------------------------------------------------------------------------


def stem(run: int, step: int, config: RunConfig) -> str:
    """The name of files that are made of this step of a run, without ending."""
    data = config.data.dataset.name.partition(" #")[0]
    plain = "".join(x if x.isalnum() else "-" for x in data).strip("-")
    return f"babysit-{plain}-run{run}-step{step}"


class Export:
    """Makes each file on request, from the current state."""

    title = "Export"
    width = "sm"

    def __init__(
        self, handle: ExperimentHandle, plots: Callable[[], list[str]], bridge: Bridge
    ) -> None:
        self._handle, self._plots = handle, plots
        self._bridge = bridge
        self._plot = ui.Select(
            label="Plot", options=[], size="small", width=220, margin=(5, 0), value=None
        )
        self._film = FilmMaker(handle, in_one_line, stem)
        self.view: Viewable = Column(
            *(self._line(label, *parts) for label, parts in FILES.items()),
            self._film.view,
            FlexBox(self._plot, *(self._picture(kind) for kind in ("png", "svg"))),
            sizing_mode="stretch_width",
        )

    def opened(self) -> None:
        """Offer the plots that are in the page now."""
        names = {view_of(name).title: name for name in VIEWS if name in self._plots()}
        self._plot.param.update(options=names, value=next(iter(names.values()), None))
        self._film.show(self._handle.latest)  # made while the dialog was closed

    def show(self, snapshot: Snapshot) -> None:
        """Follow a film that is being made; all other files are made at once, on request."""
        self._film.show(snapshot)

    def _line(
        self, label: str, suffix: str, text: str, make: Callable[[Experiment], bytes]
    ) -> Viewable:
        def file(experiment: Experiment) -> NamedFile:
            name = stem(experiment.run, experiment.shown_step, experiment.config)
            return f"{name}.{suffix}", make(experiment)

        button = file_button(
            f"{label} ({suffix.upper()})", lambda: self._handle.query(file).result(PATIENCE)
        )
        return FlexBox(button, HTML(text, stylesheets=[css("beside_button")]))

    def _picture(self, kind: str) -> Viewable:
        button = ui.Button(
            label=kind.upper(), icon="image", variant="outlined", size="small", margin=(9, 0, 0, 8)
        )
        button.on_click(
            lambda event: self._bridge.do(
                "save", self._plot.value, kind, in_one_line(self._handle.latest)
            )
        )
        return button


def in_one_line(snapshot: Snapshot) -> str:
    """A caption for a picture of a run: its step, and the settings that have an effect."""
    texts = settings(snapshot.config).items()
    named = (f"{name} {text}" for name, text in texts if text not in IDLE)
    step = numbers.count(snapshot.step)
    return f"Babysit, run {snapshot.run} at step {step}: {'; '.join(named)}."


explain(
    ("button dialog Export", "dialog Export"),
    "Export",
    "Takes the run with you: as a report, as curves, as a file that repeats it, or as weights.",
)
explain(
    "field Export *",
    "A file of this run",
    "Saves what stands on the button.",
)
explain(
    "field Export Report *",
    "Report",
    "A page for printing: the settings, all changes, the curves and what the diagnosis found.",
)
explain("field Export Curves *", "Curves", "All curves of the run as a table: a row a point.")
explain(
    "field Export Run *",
    "Run",
    "The config and all changes, by which the run is repeated to the bit, here or without a page.",
)
explain("field Export Weights *", "Weights", "All weights as they are now, for NumPy.")
explain("field Export Plot", "Plot", "Which of the plots is saved as a picture.")
explain(
    ("field Export PNG", "field Export SVG"),
    "A picture of the plot",
    "Saves this plot as it is now: PNG in points, SVG in lines that stay sharp at any size.",
)
