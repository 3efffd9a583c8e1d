"""Panel collects the scripts of each page anew, with some that no page here uses: here, once."""

from collections.abc import Callable
from typing import Any

import panel as pn
from panel.io import server

from app.server.workarounds.patching import replaced


def gather_resources_once() -> None:
    """Collect the scripts and styles of a page once: they are the same for every page.

    It takes Panel 1.10.0 longer than everything else that a page's first answer needs. Panel also
    sends what draws by WebGL, 0.27 MB that no plot here uses; and it declares Material's fonts
    twice, the second time without the characters that each is for: browsers would load 17 of them
    one after another, and lay all text out anew for each.
    """

    def once(gather: Callable[..., Any]) -> Callable[..., Any]:
        gathered: dict[str, Any] = {}

        def gather_once(*args: Any, **kwargs: Any) -> Any:
            place = str(pn.state.rel_path)  # where the page lies on the server
            if place not in gathered:
                found = gathered[place] = gather(*args, **kwargs)
                found.js_files = [file for file in found.js_files if "bokeh-gl" not in str(file)]
                found.css_files = [x for x in found.css_files if "material-icons" not in str(x)]
            return gathered[place]

        return gather_once

    replaced(server, "bundle_resources", once)


def bundle_of(component: Any) -> str:
    """The address of the module from which a Material component is loaded (Panel 1.10.0)."""
    return str(component._render_esm(server=True))
