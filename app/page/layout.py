"""The layout of the page: the header, the sidebar with the knobs, and the plots of the run."""

from collections.abc import Iterable, Sequence, Set

from panel import ui
from panel.io.resources import parse_template
from panel.layout import Column
from panel.pane import HTML
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable

from app import templates, theme
from app.explanations.explanation import explain
from app.explanations.question_mark import QuestionMark
from app.page.bridge import Bridge
from app.page.buttons import button
from app.page.diagnosis_bar import DiagnosisBar
from app.page.dialogs import Dialogs
from app.page.display_mode import DisplayMode
from app.page.timeline import Timeline
from app.page.transport import Transport
from app.panels import KNOBS, PANELS
from app.panels.classroom.explanations import explain_class
from app.plots import VIEWS, places, view_of
from app.stylesheets import css

HEADER = """
<h1 data-text="title"></h1>
<div class="transport">{transport}</div>
<div class="counters">
  <span>step <b data-text="step">0</b> <span data-text="until"></span></span>
  <span class="rest">epoch <b data-text="epoch">0</b></span>
</div>
<div class="word-of-run">
  <span data-text="status">starting</span>
  <span data-text="health"></span>
</div>
<button type="button" class="more" popovertarget="menus" aria-label="More" title="More">
  <span class="icon" aria-hidden="true">more_vert</span>
</button>
<div id="menus" class="menus" popover>{menus}{group}{question_mark}{display_mode}</div>
"""

PAGE = parse_template((templates.FOLDER / "page.html").read_text())

TAB = "tab"  # the kind of message with the tab of the sidebar that is opened
ANOTHERS = (
    '<p role="status">This panel acts on a run of your own, and you see another one: take the'
    " wheel, or go back to your own run, first.</p>"
)
SOON = '<p class="quiet" role="status">A moment …</p>'


class Layout:
    """The page of one visitor.

    The plots are the browser's: the page has a place for each, which app/static/views.js fills.
    """

    def __init__(
        self,
        hidden: Set[str],
        knobs: Viewable,
        transport: Transport,
        timeline: Timeline,
        diagnosis_bar: DiagnosisBar,
        dialogs: Dialogs,
        display_mode: DisplayMode,
        bridge: Bridge,
        question_mark: QuestionMark,
        only: Sequence[str] = (),  # the plots that are to be seen; empty: all
        bare: bool = False,  # without header and tabs, in a frame of another page
    ) -> None:
        self._hidden = hidden  # as links call what is not to be seen
        self._views = {place: self._in_sight(place) for place in places()}
        if only:
            self._views = {place: [] for place in places()} | {"": list(only)}
        self._run = _main(
            _plots(self._views[""]),
            *([] if "timeline" in hidden else [timeline.view]),
            *([] if "lane" in hidden else [diagnosis_bar.view]),
            *([self._inside] if self._tabs else []),
        )
        self._mains: dict[str, Viewable] = {}  # of the panels that have been opened
        self._own: set[str] = set()  # panels whose main area is not made of views
        self._uncovered: set[str] = set()  # panels that leave the plots of the run in view just now
        self.panel = KNOBS  # the tab of the sidebar that is open
        self.panels = [KNOBS, *(panel for panel in PANELS if panel.lower() not in hidden)]
        self.bridge = bridge
        self._sidebars: dict[str, Viewable] = {KNOBS: knobs}  # of the tabs that have been opened
        # Panels that steer a run, while the page shows another visitor's.
        self._blocked: Set[str] = frozenset()
        self._why = HTML(ANOTHERS, stylesheets=[css("panel")], margin=(5, 10), visible=False)
        tabs = _sidebar_tabs(self.panels, visible=not bare)
        self._sidebar = Column(tabs, self._why, knobs, sizing_mode="stretch_width")
        header = [
            _header(hidden, transport, dialogs, display_mode, question_mark),
            dialogs.place,
            bridge,
        ]
        self.page = self._page(header, bare)

    def _page(self, header: Sequence[Viewable], bare: bool) -> ui.Page:
        """Material's page with the header, the sidebar and the main area."""
        hidden = "sidebar" in self._hidden
        page = ui.Page(
            title="Babysit",
            template=PAGE,
            busy_indicator=None,
            sidebar_width=theme.SIDEBAR_WIDTH,
            sidebar_resizable=False,  # its handle has a name but no role (Panel 1.10.0)
            sidebar=[] if hidden else [self._sidebar],
            # A closed sidebar keeps its width beside the plots; a temporary one lies over them.
            sidebar_variant="temporary" if hidden else "auto",
            sidebar_open=not hidden,
            header=list(header),
            main=[self._run],
            sx=theme.PAGE_SX | theme.BARE_SX if bare else theme.PAGE_SX,
            theme_config=theme.PAGE_THEME,
        )
        with edit_readonly(page):
            # By default the busy state follows that of the process: it changes on all pages, and
            # its watcher outlives the visitor (Panel 1.10.0). Only another reference removes that
            # watcher; a plain value does not.
            page.busy = page.param.sidebar_resizable
        return page

    def _in_sight(self, place: str) -> list[str]:
        return [x for x in VIEWS if x not in self._hidden and view_of(x).tab == place]

    @property
    def _tabs(self) -> list[str]:
        """The tabs of the panel below the main plots."""
        tabs = [] if "inside" in self._hidden else places()
        return [tab for tab in tabs if self._views[tab] and tab not in ("", *PANELS)]

    @property
    def _inside(self) -> Viewable:
        """The panel; only the browser has which of its tabs is open (app/static/tabs.js)."""
        panels = "".join(
            f'<div class="plots" role="tabpanel" aria-label="{tab}"{" hidden" if n else ""}>'
            f"{_places(self._views[tab])}</div>"
            for n, tab in enumerate(self._tabs)
        )
        return HTML(
            f"{_tablist('Inside', self._tabs)}{panels}",
            stylesheets=[css("headline", "views", "margins"), css("tabs"), css("inside")],
            margin=0,
            height=theme.INSIDE_HEIGHT + theme.TABS_HEIGHT,
            sizing_mode="stretch_width",
        )

    @property
    def views(self) -> list[str]:
        """The names of the views that have a place in the page now."""
        if self.panel in self._own - self._uncovered - self._blocked:
            return []
        run = [name for place in ("", *self._tabs) for name in self._views[place]]
        return run if self.panel in self._blocked else self._views.get(self.panel) or run

    def add_panel(self, panel: str, sidebar: Viewable, main: Viewable | None) -> None:
        """Add a panel that is still to be built to the sidebar, and to the main area."""
        soon = HTML(SOON, stylesheets=[css("panel")])
        self._sidebars[panel] = Column(sidebar, soon, sizing_mode="stretch_width")
        self._sidebar.append(self._sidebars[panel])
        if main:
            self._own.add(panel)
        elif self._views.get(panel):
            main = _main(_plots(self._views[panel]))
        if main:
            self._mains[panel] = main
            self.page.main = [*self.page.main, main]

    def complete_panel(self, panel: str) -> None:
        """The panel is built: remove the text in its place."""
        sidebar = self._sidebars[panel]
        if isinstance(sidebar, Column):
            sidebar.pop(-1)

    def enter(self, panel: str) -> None:
        """Show a panel, or the knobs and the plots of the run; what was built stays."""
        self.panel = panel
        blocked = panel in self._blocked
        self._why.visible = blocked
        for name, sidebar in self._sidebars.items():
            sidebar.visible = name == panel and not blocked
        bare = blocked or panel in self._uncovered
        shown = self._run if bare else self._mains.get(panel, self._run)
        for main in (self._run, *self._mains.values()):
            main.visible = main is shown

    def block(self, panels: Set[str]) -> None:
        """Show a reason in place of these panels, while the page shows another visitor's run."""
        self._blocked = panels
        self.enter(self.panel)

    def cover(self, panel: str, covered: bool) -> None:
        """Show a panel's own main area in place of the plots of the run, or the plots again."""
        if covered:
            self._uncovered.discard(panel)
        else:
            self._uncovered.add(panel)
        if self.panel == panel:
            self.enter(panel)

    def leave(self) -> None:
        """Have the browser go back to the knobs."""
        self.bridge.do("open_tab", KNOBS)


def _tablist(label: str, tabs: Sequence[str], message: str = "") -> str:
    """Tabs, the first of them open; opening one sends a message of the kind `message`."""
    buttons = "".join(
        f'<button type="button" role="tab" aria-selected="{str(not n).lower()}"'
        f' tabindex="{-1 if n else 0}" data-tab="{tab}">{tab}</button>'
        for n, tab in enumerate(tabs)
    )
    attribute = f' data-message="{message}"' if message else ""
    return f'<div role="tablist" aria-label="{label}"{attribute}>{buttons}</div>'


def _header(
    hidden: Set[str],
    transport: Transport,
    dialogs: Dialogs,
    display_mode: DisplayMode,
    question_mark: QuestionMark,
) -> HTML:
    return HTML(
        HEADER.format(
            transport="" if "transport" in hidden else transport.html,
            menus="" if "menus" in hidden else dialogs.html,
            group=button("class", "Class", "groups", word="Class"),
            display_mode=display_mode.html,
            question_mark=question_mark.html,
        ),
        stylesheets=[css("buttons"), css("header")],
        margin=0,
        sizing_mode="stretch_width",
    )


def _sidebar_tabs(panels: list[str], visible: bool) -> HTML:
    return HTML(
        _tablist("Sidebar", panels, message=TAB),
        stylesheets=[css("tabs"), css("sidebar")],
        sizing_mode="stretch_width",
        visible=visible,
    )


def _main(*parts: Viewable) -> Column:
    """What fills the page beside the sidebar."""
    return Column(*parts, stylesheets=[css("main")], sizing_mode="stretch_both")


def _plots(views: Iterable[str]) -> HTML:
    """The plots that fill the main area."""
    return HTML(
        f'<div class="plots">{_places(views)}</div>',
        stylesheets=[css("headline", "views", "margins"), css("grid")],
        margin=0,
        sizing_mode="stretch_both",
    )


def _places(views: Iterable[str]) -> str:
    """A place for each of these views."""
    return "".join(
        f'<babysit-view name="{name}" style="{theme.CARDS.get(name, "")}"></babysit-view>'
        for name in views
    )


explain(
    "number title",
    "What is tried here",
    "The initializer, the activation and the data set of this run: what the lecture says most of.",
    moved_by="The controls under Knobs.",
)
explain(
    "number step",
    "Step",
    "How many updates the weights have had. Each step takes one mini-batch, its gradient, and moves"
    " every weight a little against it.",
    moved_by="Play, Step and Epoch; the timeline shows an earlier one.",
)
explain("number until", "Until", "The step at which the run will pause by itself.")
explain(
    "number epoch",
    "Epoch",
    "How many times every training example has been used. An epoch has as many steps as there are"
    " mini-batches in the training set.",
    moved_by="A larger batch size, or fewer examples, make an epoch of fewer steps.",
)
explain(
    "number status",
    "State of the run",
    "Whether the run is running, paused, or has ended: diverged is a loss that is no number any"
    " more.",
    healthy="running or paused",
    moved_by="Play and Pause; a learning rate that is far too high ends a run.",
    lesson="rate-too-high-nan",
)
explain(
    "number health",
    "How the run is",
    "The most serious thing that the diagnosis finds, in a word, or that there is none. The line"
    " below the plots says why, and what to do.",
    healthy="healthy, or converged once there is little left to learn",
    moved_by="Whatever changes the run: the rules look at each step anew.",
)
explain(
    "tab Knobs",
    "Knobs",
    "The settings of your run. Each says when it acts: at the next step, by drawing new weights, or"
    " in a new run.",
)
explain_class()
explain(
    ("field page Close drawer", "field page Open drawer"),
    "Sidebar",
    "Hides the sidebar with the knobs and the other tabs, or brings it back.",
)
explain(
    "field page Toggle theme",
    "Light or dark",
    "Changes between a light and a dark page; the next visit begins with the same.",
)
explain("field page More", "More", "The buttons for which there is no space in a narrow header.")
explain("field page Babysit", "Babysit", "Opens this page anew: another run begins.")
