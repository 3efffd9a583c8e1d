"""Has the browser do what it alone can: fill the clipboard, save a picture of a plot."""

import itertools
from collections.abc import Callable

from bokeh.models import CustomJS
from bokeh.models.widgets.markups import Div
from panel.pane import Bokeh


class Browser:
    """Runs `code` in the page each time it is asked to; there `words` are what it is told.

    It may answer with `answer(text)`. A model of Bokeh's own stands between: Panel tells the
    browser of a component's callbacks too late, when it joins a page that is there already
    (Panel 1.10.0).
    """

    def __init__(self, code: str, answered: Callable[[str], None] = lambda text: None) -> None:
        self._numbers = itertools.count()  # the same words twice are two wishes
        self._teller = Div(visible=False)
        wrapped = (
            "const [number, ...words] = cb_obj.tags\n"
            "const answer = (text) => { cb_obj.text = `${number} ${text}` }\n" + code
        )
        self._teller.js_on_change("tags", CustomJS(code=wrapped))
        self._teller.on_change("text", lambda name, old, new: answered(new.partition(" ")[2]))
        self.view = Bokeh(self._teller, width=0, height=0, margin=0)

    def ask(self, *words: str) -> None:
        """Have it done once."""
        self._teller.tags = [next(self._numbers), *words]
