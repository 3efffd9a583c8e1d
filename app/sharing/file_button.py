"""A button that saves a file, which is made when it is pressed."""

import io
from collections.abc import Callable

from panel import ui

ENDS = (4, 0)  # pixels above and below, left and right
WIDTH = 170  # pixels

type NamedFile = tuple[str, bytes]  # its name and its content, both of the same moment


def file_button(
    label: str,
    make: Callable[[], NamedFile],
    margin: tuple[int, ...] = ENDS,
    width: int | None = WIDTH,
) -> ui.FileDownload:
    """A button that saves the file that `make()` returns; without a width it is stretched."""
    button = ui.FileDownload(
        label=label, filename="babysit", auto=True, embed=False,
        variant="outlined", size="small", margin=margin,
        **({"width": width} if width else {"sizing_mode": "stretch_width"}),
    )  # fmt: skip

    def file() -> io.BytesIO:
        # A new object each time: the same one would not be downloaded again.
        name, content = make()
        button.param.update(data=None, filename=name)
        return io.BytesIO(content)

    button.callback = file
    return button
