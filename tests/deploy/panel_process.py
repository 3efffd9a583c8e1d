"""`panel serve app` for a process that another one starts.

Nothing is imported before its environment is set: some of Bokeh's modules read that once.
"""

import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]


def serve_app(flags: tuple[str, ...], environment: dict[str, str], output: Path) -> None:
    """Serve as the command does, with everything that it prints in a file."""
    os.environ.update(environment)
    os.chdir(ROOT)
    with output.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.argv = ["panel", "serve", "app", *flags]
    warnings.simplefilter("default")
    from panel.command import main

    sys.exit(main())
