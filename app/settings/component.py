"""The sidebar's controls as one component of the page, rendered by app/static/settings.js.

With a Panel component per control the server took thirty times as long. The browser sends changes
as text over the page's bridge. The server sends the state of all controls, with the number of the
last message that it includes: until then a control shows what its user has set.
"""

from collections.abc import Set
from typing import Any, ClassVar

import param
from panel import ui
from panel_material_ui.base import MaterialUIComponent

from app.server.workarounds.page_scripts import bundle_of
from app.settings.explanations import explain_settings
from app.settings.parameters import PLACES
from app.settings.schema import in_words, schema
from app.settings.settings import Settings
from app.stylesheets import css
from engine import RunConfig

LONGEST = 300  # characters of a sentence below a control

SHIMS = {
    "react": "react-shim",
    "react-dom/client": "react-dom-client-shim",
    "@emotion/cache": "emotion-cache-shim",
    "@emotion/react": "emotion-react-shim",
    "@mui/material/styles": "material-ui-styles-shim",  # by which Panel loads the styles
}


class SettingsComponent(MaterialUIComponent):
    """All controls of one page."""

    schema = param.String(doc="The groups and controls, as JSON.")
    state = param.Dict(doc="Their values, and the number of browser messages included.")

    _esm = """
const page = window.location.pathname.replace(/\\/$/, "")
const {render} = await import(`${window.location.origin}${page}/static/settings.js`)
export {render}
"""
    _esm_transforms: ClassVar[list[Any]] = []  # type: ignore[misc]  # would request fonts again

    def __init__(self, settings: Settings, hidden: Set[str] = frozenset()) -> None:
        self._settings = settings
        self._received = 0  # number of messages from the browser
        self._refused: dict[str, str] = {}
        super().__init__(
            schema=schema(frozenset(hidden)),
            state=self._now,
            stylesheets=[css("settings")],
            sizing_mode="stretch_width",
        )
        settings.param.watch(lambda *events: self._send_values(), list(PLACES))
        self.param.watch(lambda event: self._send_values(), "visible")

    def follow(self, config: RunConfig) -> None:
        """Show the engine's config, which includes all changes sent so far."""
        self._settings.show(config)
        self._send_values()

    def _send_values(self) -> None:
        """Send the state, unless the controls are hidden: then once they are shown again."""
        if self.visible:
            self.state = self._now

    @property
    def _now(self) -> dict[str, object]:
        values = {name: in_words(getattr(self._settings, name)) for name in PLACES}
        return {
            "values": values,
            "own": _own(self._settings),
            "refused": self._refused,
            "answered": self._received,
        }

    def set_from_browser(self, name: str, text: str) -> None:
        """Change a setting as the browser requests; it may send anything."""
        if name not in PLACES:
            return
        self._received += 1
        self._refused = {}
        try:
            self._settings.set_text(name, text)
        except ValueError as error:
            sentence = str(error)[:LONGEST].rstrip(".")
            sentence = f"{sentence[:1].upper()}{sentence[1:]}."
            self._refused = {"name": name, "sentence": sentence}
        self._send_values()

    def refuse(self, name: str, sentence: str) -> None:
        """Keep a setting as it is, and show why; the browser may name any."""
        if name in PLACES:
            self._received += 1
            self._refused = {"name": name, "sentence": sentence}
            self._send_values()

    @classmethod
    def _process_importmap(cls) -> dict[str, dict[str, str]]:
        """The addresses of the modules: on this server, because Panel 1.10.0 would use a CDN.

        The shims import the bundle by the name by which all other components have loaded it.
        """
        bundle = bundle_of(ui.Page)
        folder = bundle.rpartition("/")[0]
        shims = {name: f"{folder}/{file}.js" for name, file in SHIMS.items()}
        plain = bundle.partition("?")[0]
        return {"imports": {"panel-material-ui": bundle, plain: bundle, **shims}}


def _own(settings: Settings) -> dict[str, dict[str, str]]:
    """The visitor's own data sets for the menus, each with its summary."""
    found: dict[str, dict[str, str]] = {}
    for name, place in PLACES.items():
        if place.entries and not place.knob:
            for guest in set(settings.param[name].objects) - set(place.entries):
                if guest in place.entries:  # it may have been removed
                    found.setdefault(name, {})[guest] = place.entries[guest].summary
    return found


explain_settings()
