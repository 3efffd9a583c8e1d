"""Panel loads its scripts into a notebook that serves pages: here, it does not."""

import builtins
import sys
from typing import Any

import panel as pn


def keep_pages_out_of_the_notebook() -> None:
    """Keep each page that a notebook serves from loading Panel's scripts into the notebook, too.

    Panel 1.10.0 loads them, from the internet, wherever it finds IPython. It asks by this name.
    """

    def ask() -> Any:
        if pn.state.curdoc is not None:
            raise RuntimeError("a page is no notebook")
        return vars(builtins)["get_ipython"]()

    vars(sys.modules["panel.config"])["get_ipython"] = ask
