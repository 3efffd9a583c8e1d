"""What a document no longer needs is freed without a search of all memory."""

import gc
import weakref

from bokeh.document import Document

from app.server.workarounds.closed_documents import cut_what_is_closed


def test_a_callback_that_is_over_is_freed_at_once(restored):
    cut_what_is_closed()
    made = Document()
    gone = weakref.ref(made.add_next_tick_callback(lambda: None))
    gc.disable()
    try:
        made.remove_next_tick_callback(gone())
        assert gone() is None
    finally:
        gc.enable()
