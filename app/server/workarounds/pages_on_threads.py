"""Bokeh builds pages on the event loop: here, on a thread."""

from bokeh.server.contexts import ApplicationContext

from app.server.workarounds.patching import replaced


def build_pages_on_threads() -> None:
    """Build a page on a thread, not on the event loop, which serves everybody else meanwhile.

    Bokeh 3.10 does so for functions only, because it changes `sys.argv` and `sys.path` while it
    runs a file (https://github.com/bokeh/bokeh/issues/15239). It does that to one page at a time,
    and nothing here reads them.
    """
    name = "_can_initialize_document_in_worker"
    replaced(ApplicationContext, name, lambda before: lambda context: True)
