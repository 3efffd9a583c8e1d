"""Patches of Panel, Bokeh and Tornado, and uses of their private members.

Each function says what it patches, in which version, and the upstream issue. If a name is no longer
there, it warns and patches nothing: the page still works, if more slowly.
"""

import asyncio
import builtins
import functools
import logging
import sys
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from types import FunctionType, MethodType, NoneType
from typing import Any, Protocol, cast

import panel as pn
from bokeh.core.has_props import HasProps, is_DataModel
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.wrappers import PropertyValueContainer
from bokeh.core.serialization import Serializer
from bokeh.core.types import ID
from bokeh.document import Document, document
from bokeh.document.callbacks import DocumentCallbackManager
from bokeh.events import Event
from bokeh.model import Model
from bokeh.server import contexts
from bokeh.server.callbacks import SessionCallback
from bokeh.server.contexts import ApplicationContext, BokehSessionContext
from bokeh.server.request import ServerRequest
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import get_token_payload
from panel import ui
from panel.io import document as panel_document
from panel.io import server
from panel.io.application import Application as PanelApplication
from panel.io.location import Location
from panel.io.state import set_curdoc
from panel.pane import PaneBase
from panel.pane.markup import HTMLBasePane
from panel.reactive import Syncable
from panel.util.parameters import edit_readonly
from param import Parameterized

log = logging.getLogger(__name__)


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
    """Replace an attribute by what `make` makes of it, once; whether the attribute is there."""
    before = getattr(owner, name, None)
    if before is None:
        of = getattr(owner, "__name__", type(owner).__name__)
        log.warning("%s has no %s any more: it is not patched", of, name)
        return False
    if not getattr(before, "mended", False):
        after = make(before)
        after.mended = True
        setattr(owner, name, after)
    return True


# ---- widgets ------------------------------------------------------------------------------------


def deal_with_events_on_threads() -> None:
    """Handle widget events on a thread, not on the event loop.

    Panel 1.10.0 has coroutines for it, which run on the loop: whatever a click builds would hold up
    every visitor. A plain function is called on a thread, with the page's lock (Bokeh 3.10,
    https://github.com/bokeh/bokeh/issues/15294).
    """
    # Panel counts the events of all visitors in one list, behind one lock, and rebuilds it three
    # times an event; its cleanup would, on a thread, schedule itself for ever. Nothing reads it.
    state, needed = type(pn.state), ("_change_coroutine", "_event_coroutine")
    counting = "_add_busy_event", "_remove_busy_event"
    if not all(hasattr(Syncable, name) for name in needed):
        log.warning("widgets keep their events on the event loop: Panel is not the one known here")
    elif all([replaced(state, x, lambda before: lambda state, event: None) for x in counting]):
        for name, ours in zip(needed, (_change, _happen), strict=True):
            setattr(Syncable, name, ours)


def _change(self: Syncable, document: Document, event_id: str | None = None) -> None:
    """Apply the values that a widget has in the browser, once."""
    waiting = pn.state._change_callbacks.get(document, {})
    if event_id is not None and waiting.pop(event_id, None) is None:
        return
    if not waiting:
        pn.state._change_callbacks.pop(document, None)
    _attempt(lambda: self._change_event(document), document)


def _happen(self: Syncable, document: Document, event: Event) -> None:
    """Handle a click, after the values that came before it."""
    changes: Any = pn.state._change_callbacks.get(document, {})
    for change in list(changes.values()):
        change()
    _attempt(lambda: self._process_bokeh_event(document, event), document)


def _attempt(deal: Callable[[], Any], document: Document) -> None:
    with set_curdoc(document):
        try:
            deal()
        except Exception as error:  # shown to the visitor
            pn.state._handle_exception(error)


# ---- models ----------------------------------------------------------------------------


def compute_defaults_once() -> None:
    """Compute the defaults of a class of models once, not for each of its models.

    Bokeh 3.10 validates each default anew whenever it is read, and asks of each whether it may
    change; and it reads all properties of a model to send the few that are set. That is half of
    what a plot takes (https://github.com/bokeh/bokeh/issues/15354).
    """
    replaced(HasProps, "themed_values", lambda before: lambda model: vars(model).get(THEMED))
    replaced(PropertyDescriptor, "has_unstable_default", _once_for_a_class)
    replaced(PropertyDescriptor, "instance_default", _plain_once_for_a_class)
    replaced(HasProps, "query_properties_with_values", _reading_what_is_set)


THEMED = "__themed_values__"
PLAIN = str, int, float, bool, NoneType  # types of defaults that models can share


def _once_for_a_class(ask: Callable[..., bool]) -> Callable[..., bool]:
    known: dict[tuple[Any, type], bool] = {}

    def has_unstable_default(self: Any, model: HasProps) -> bool:
        key = self, type(model)
        if key not in known:
            known[key] = ask(self, model)
        return known[key]

    return has_unstable_default


def _plain_once_for_a_class(compute: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[tuple[Any, type], Any] = {}

    def instance_default(self: Any, model: HasProps) -> Any:
        if self.name in (model.themed_values() or ()):
            return compute(self, model)
        key = self, type(model)
        if key in known:
            return known[key]
        value = compute(self, model)
        if type(value) in PLAIN and not self.has_unstable_default(model):
            known[key] = value
        return value

    return instance_default


def _reading_what_is_set(read_all: Callable[..., Any]) -> Callable[..., Any]:
    def read(self: Any, query: Any, *, include_defaults: bool = True, **options: Any) -> Any:
        if include_defaults or any(options.values()):
            return read_all(self, query, include_defaults=include_defaults, **options)
        themed, unstable = self.themed_values() or {}, self._unstable_default_values
        chosen = self._property_values.keys() | unstable.keys() | themed.keys()
        found = {}
        for name in self.properties(_with_props=True):
            if name in chosen and query(descriptor := self.lookup(name)):
                value = descriptor.get_value(self)
                kept = isinstance(value, PropertyValueContainer) and name in unstable
                if name in themed or not kept:
                    found[name] = value
        return found

    return read


# ---- pages --------------------------------------------------------------------------------------


def take_refused_files_in_silence() -> None:
    """Let a browser say that it sends no file.

    panel-material-ui 0.16 raises for that message of its own widget, as if the server had failed.
    """

    def unless_refused(handle: Callable[..., None]) -> Callable[..., None]:
        def take(self: ui.FileInput, message: Any) -> None:
            match message:
                case {"status": "error"}:
                    return
            handle(self, message)

        return take

    replaced(ui.FileInput, "_handle_msg", unless_refused)


def build_pages_on_threads() -> None:
    """Build a page on a thread, not on the event loop, which serves everybody else meanwhile.

    Bokeh 3.10 does so for functions only, because it changes `sys.argv` and `sys.path` while it
    runs a file (https://github.com/bokeh/bokeh/issues/15239). It does that to one page at a time,
    and nothing here reads them.
    """
    name = "_can_initialize_document_in_worker"
    replaced(ApplicationContext, name, lambda before: lambda context: True)


PLACE = "href", "hostname", "pathname", "protocol", "port", "search", "hash"  # of an address
AHEAD = ID("ahead")  # of a page that is built before it has a session


class DocumentAhead:
    """A document that is built before there is a request, and can be given to a session.

    A session that nobody has connected to can give it back.
    """

    def __init__(self, context: ApplicationContext) -> None:
        self.document = Document()
        # A document needs a session meanwhile.
        self._session = BokehSessionContext(AHEAD, context.server_context, self.document)
        plain = ServerRequest("GET", str(context.url), str(context.url))
        self._session._request = contexts._RequestProxy(plain, arguments={}, cookies={}, headers={})
        self._leave_session()
        context.application.initialize_document(self.document)
        self._callbacks = [(of, _copied(of)) for of in self._by_event()]
        self._over = set(self.document.callbacks.session_destroyed_callbacks)
        self._on_load = list(pn.state._onload.get(self.document, []))

    def _by_event(self) -> list[dict[Any, list[Any]]]:
        callbacks: Any = self.document.callbacks
        return [callbacks._event_callbacks, callbacks._js_event_callbacks]

    def _leave_session(self) -> None:
        self.document._session_context = weakref.ref(self._session)

    @property
    def waits(self) -> bool:
        """Whether a change of the document waits for its session."""
        return bool(self.document.session_callbacks)

    def put_back(self) -> None:
        """Drop what the document was given for a session that is over."""
        for of, before in self._callbacks:
            of.clear()
            of.update(_copied(before))
        self.document.callbacks.session_destroyed_callbacks = set(self._over)
        pn.state._onload[self.document] = list(self._on_load)
        self._leave_session()


def _copied(callbacks: Mapping[Any, list[Any]]) -> dict[Any, list[Any]]:
    return {event: list(those) for event, those in callbacks.items()}


class Built(Protocol):
    """A page that was built ahead."""

    @property
    def document(self) -> Document:
        """What was built."""

    def begin(self) -> None:
        """Complete it for the session that it has now."""


type Take = Callable[[ApplicationContext, Mapping[str, Any]], Awaitable[Built | None]]

TAKEN: ContextVar[Built | None] = ContextVar("taken", default=None)  # by the session being made


def give_pages_away(take: Take) -> bool:
    """Let a new session have a page that was built ahead, if `take` finds one for its address.

    Whether that can be done is returned.

    Bokeh 3.10 makes an empty document for each session, and has the application fill it.
    """
    needed = "_create_session", "_initialize_document_async"
    if not all(hasattr(ApplicationContext, name) for name in needed):
        log.warning("pages are not built ahead: Bokeh is not the one known here")
        return False
    return (
        replaced(contexts, "Document", _document_taken)
        and replaced(ApplicationContext, needed[0], lambda create: _taking(create, take))
        and replaced(ApplicationContext, needed[1], _beginning)
    )


def _document_taken(make: Callable[[], Document]) -> Callable[[], Document]:
    return lambda: page.document if (page := TAKEN.get()) else make()


def _taking(create: Callable[..., Any], take: Take) -> Callable[..., Any]:
    async def create_session(
        self: ApplicationContext, session_id: ID, request: Any = None, token: str | None = None
    ) -> Any:
        if token:
            asked: Any = get_token_payload(token)
            TAKEN.set(await take(self, asked.get("arguments", {})))
        return await create(self, session_id, request, token)

    return create_session


def _beginning(initialize: Callable[..., Any]) -> Callable[..., Any]:
    async def begin_or_initialize(self: ApplicationContext, given: Document) -> None:
        page, application = TAKEN.get(), self.application
        if page is None:
            await initialize(self, given)
            return
        if isinstance(application, PanelApplication):
            application._set_session_prefix(given)
        with set_curdoc(given):
            page.begin()

    return begin_or_initialize


def take_pages_back(connect: Callable[[ID], object], take_back: Callable[[ID], bool]) -> None:
    """Tell when a browser connects to a session, and leave the document to who takes it back.

    Bokeh 3.10 destroys the document of each session that is over.
    """

    def telling(subscribe: Callable[..., None]) -> Callable[..., None]:
        def subscribe_and_tell(self: ServerSession, connection: Any) -> None:
            connect(self.id)
            subscribe(self, connection)

        return subscribe_and_tell

    def sparing(destroy: Callable[..., None]) -> Callable[..., None]:
        def destroy_or_leave(self: ServerSession) -> None:
            spared, context = self.document, self.document.session_context
            if not take_back(self.id):
                destroy(self)
                return
            spared.remove_on_change(self)
            self._stop_callbacks()
            self._destroyed = True
            # Whatever else hears of the session's end finds nothing to clean up.
            self._document = cast(Any, context)._document = Document()

        return destroy_or_leave

    if replaced(ServerSession, "subscribe", telling):
        replaced(ServerSession, "destroy", sparing)


async def end_unless_connected(context: ApplicationContext, name: ID) -> None:
    """End a session now; Bokeh 3.10 does so minutes after the last connection."""
    session = context.get_session(name)
    if not session.connection_count:
        await context._discard_session(session, lambda ended: not ended.connection_count)


def forgetting(made: Document) -> Callable[[], None]:
    """What has the server forget the session of this document at its next check of all."""
    found: Any = made._session_context  # a weak reference

    def forget() -> None:
        context = found() if found else None
        if context and context.session and not context.session.connection_count:
            context.session.request_expiration()

    return forget


def take_over(made: Document) -> None:
    """Tell a page that was built ahead the address at which it was requested."""
    context: Any = made.session_context
    location: Any = pn.state.location
    found = Location.from_request(context.request)
    with edit_readonly(location):
        location.param.update({name: getattr(found, name) for name in PLACE})
    cut_components([found])


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


def encode_definitions_once() -> None:
    """Encode the definitions of data models once: they are the same in every document.

    Bokeh 3.10 encodes all that were ever imported, 147 of Panel's components, for each page: 17 ms.
    """
    encoded: dict[int, Any] = {}  # by how many models there are

    def definitions() -> Any:
        known = Model.model_class_reverse_map
        if len(known) not in encoded:
            models = [model for model in known.values() if is_DataModel(model)]
            encoded[len(known)] = Serializer().encode(models)
        return encoded[len(known)]

    def share(to_json: Callable[..., Any]) -> Callable[..., Any]:
        def to_json_sharing(self: Document, *, deferred: bool = True) -> Any:
            found = to_json(self, deferred=deferred)
            content = found.content if deferred else found
            if known := definitions():
                content["defs"] = known
            return found

        return to_json_sharing

    if replaced(document, "is_DataModel", lambda before: lambda model: False):
        replaced(Document, "to_json", share)


def send_new_text_alone() -> None:
    """Of a pane of HTML whose object has changed, compute and send the text.

    Panel 1.10.0 computes all properties of the pane anew, its style sheets included, which takes
    several times as long, though it calls this only where nothing but the text can have changed.
    """

    def alone(update: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(update)
        def update_text(self: HTMLBasePane, ref: str, model: Model) -> None:
            if self.enable_streaming:
                update(self, ref, model)
            else:
                model.update(**self._process_param_change({"object": self.object}))

        return update_text

    if "_update" in vars(HTMLBasePane):
        replaced(HTMLBasePane, "_update", alone)
    else:
        log.warning("a new text is as dear as a new pane: Panel is not the one known here")


def forget_notifications(document: Document) -> None:
    """Drop the notifications that Panel 1.10.0 keeps of a page that is gone.

    It drops all else itself (https://github.com/holoviz/panel/issues/8605).
    """
    views: Any = getattr(pn.state, "_views", {})
    for reference in [name for name, (_, _, owner, _) in views.items() if owner is document]:
        del views[reference]


def collect_no_garbage_of_a_page() -> None:
    """Leave closed pages to `memory.py`, which frees them without a search of all memory.

    Panel 1.10.0 searches all memory whenever a page is closed (https://github.com/holoviz/panel/pull/6518).
    """
    replaced(panel_document, "_garbage_collect", lambda before: lambda: None)


def cut_what_is_closed() -> None:
    """Let a closed document's models, callbacks and socket be freed at once.

    Of Bokeh 3.10 they hold themselves, in circles that only a search of all memory finds.
    """
    replaced(Model, "destroy", _letting_go)
    replaced(DocumentCallbackManager, "remove_session_callback", _dropping)
    replaced(DocumentCallbackManager, "destroy", _with_what_is_called)
    replaced(WSHandler, "on_close", _hanging_up)


def _letting_go(destroy: Callable[[Model], None]) -> Callable[[Model], None]:
    """A model is held by the values that it has not changed."""

    @functools.wraps(destroy)
    def destroy_and_let_go(self: Model) -> None:
        destroy(self)
        _let_go(self)

    return destroy_and_let_go


def _dropping(remove: Callable[..., None]) -> Callable[..., None]:
    """A callback that is called once holds what removes it."""

    @functools.wraps(remove)
    def remove_and_drop(self: DocumentCallbackManager, callback: SessionCallback) -> None:
        remove(self, callback)
        vars(callback).pop("_callback", None)

    return remove_and_drop


def _with_what_is_called(destroy: Callable[..., None]) -> Callable[..., None]:
    """A document destroys neither what it calls in the browser nor its configuration."""

    @functools.wraps(destroy)
    def destroy_with_those(self: DocumentCallbackManager) -> None:
        made: Any = self._document()
        called = [model for those in self._js_event_callbacks.values() for model in those]
        destroy(self)
        for model in [*called, *([made.config] if made else [])]:
            model.destroy()

    return destroy_with_those


def _hanging_up(close: Callable[[WSHandler], None]) -> Callable[[WSHandler], None]:
    """A socket and its connection hold each other."""

    @functools.wraps(close)
    def close_and_hang_up(self: WSHandler) -> None:
        close(self)
        self.connection = None

    return close_and_hang_up


def components_beside(made: Document) -> list[Parameterized]:
    """What Panel 1.10.0 adds to a page by itself."""
    state: Any = pn.state
    found = [getattr(state, kind, {}).get(made) for kind in BESIDE]
    return [component for component in found if component]


BESIDE = "_locations", "_notifications", "_browsers"


def cut_components(roots: Iterable[Parameterized]) -> None:
    """Let the components of a closed page, these and all that they hold, be freed at once.

    They keep their values, for whoever still reads them, but hear of no change any more. Each holds
    itself by what it does when one of its own parameters changes (Param 2.4).
    """
    for component in components_below(roots):
        private = component._param__private
        for name in HEARD:
            setattr(private, name, _emptied(getattr(private, name)))
        private.values.update({x: None for x, y in private.values.items() if isinstance(y, CALLS)})
        if isinstance(component, PaneBase):
            vars(component).pop("layout", None)  # which holds the pane
        _let_go(component)


CALLS = FunctionType, MethodType, functools.partial
HEARD = "watchers", "dynamic_watchers", "ref_watchers", "refs", "async_refs", "params"


def components_below(roots: Iterable[Parameterized]) -> list[Parameterized]:
    """These components, and all that they hold, however deep; designs and themes are shared."""
    found = {id(root): root for root in roots}
    left: list[Any] = [x for root in found.values() for x in _held_by(root)]
    while left:
        held = left.pop()
        if isinstance(held, Syncable) and id(held) not in found:
            found[id(held)] = held
            left += _held_by(held)
        elif type(held) in (list, tuple):
            left += held
        elif type(held) is dict:
            left += held.values()
    return list(found.values())


def _held_by(component: Parameterized) -> list[Any]:
    return [*vars(component).values(), *component._param__private.values.values()]


def _let_go(owner: object) -> None:
    """Drop what an object holds in containers, which others may hold too."""
    for name, held in list(vars(owner).items()):
        vars(owner)[name] = _emptied(held)


def _emptied(held: Any) -> Any:
    if isinstance(held, defaultdict):
        return defaultdict(held.default_factory)
    return type(held)() if type(held) in (dict, list, set) else held


def keep_pages_out_of_the_notebook() -> None:
    """Keep each page that a notebook serves from loading Panel's scripts into the notebook, too.

    Panel 1.10.0 loads them, from the internet, wherever it finds IPython. It asks by this name.
    """

    def ask() -> Any:
        if pn.state.curdoc is not None:
            raise RuntimeError("a page is no notebook")
        return vars(builtins)["get_ipython"]()

    vars(sys.modules["panel.config"])["get_ipython"] = ask


def token_of(context: Any) -> str:
    """The token by which a page's session is known, before there is a session (Bokeh 3.10)."""
    return str(context._token)


def bundle_of(component: Any) -> str:
    """The address of the module from which a Material component is loaded (Panel 1.10.0)."""
    return str(component._render_esm(server=True))


# ---- sockets ------------------------------------------------------------------------------------


def handle_messages_in_time(wait: Callable[[WSHandler, str], float]) -> None:
    """Delay each message of a page by `wait` seconds; drop those of a closed socket.

    Bokeh 3.10 handles whatever comes as soon as it comes.
    """

    def in_time(handle: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handle)
        async def handle_in_time(self: WSHandler, message: Any) -> Any:
            await asyncio.sleep(wait(self, message.msgtype))
            socket: Any = self.ws_connection
            if socket is None or socket.is_closing():
                return None
            return await handle(self, message)

        return handle_in_time

    replaced(WSHandler, "_handle", in_time)
