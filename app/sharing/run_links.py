"""Links to runs: a run's config, seed and journal in an address, with requests to the page.

    ?run=...           a `Recording`: compressed JSON in URL-safe characters, branches included
    &steps=1234        repeat it to this step, which may be later than the shared one
    &then=play         go on after the shared step; else it pauses there
    &pace=30           steps a second, auto or full; by default auto
    &challenge=...     take part in a challenge of the operator's folder, at its start or with the
                       run; no further than its last step
    &lesson=dead-relus the lesson to open, which the browser sees to (app/static/course.js)
    &hide=lane,l2-...  parts of the page to hide, for a lesson
    &only=loss,health  these plots and parts of the page alone, for a frame in another page
    &bare=1            without header and tabs, such as a lesson in a frame
    #state=...         a state shortly before that step, so that it is shown at once; browsers keep
                       what stands behind # to themselves, and app/static/frames.js sends it

An illegal part is reported in one sentence, and the page opens without it.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import msgspec

from app import pace_names
from app.limits import LIMITS
from app.pace_names import BY_NAME
from app.panels import PANELS
from app.plots import VIEWS, view_of
from app.sharing.packed_runs import FileNeeded, packed, unpacked
from engine import AUTO, SETTINGS, Challenge, Pace, Recording, RunConfig, challenges_in

# Characters: all browsers take a MB. What is behind # no server or proxy sees.
MAX_STATE = 900_000
MAX_STEPS = 10**9
MAX_WORDS = 200  # characters of a link that an error message repeats

PARTS = {  # of the page, besides tabs, plots and knobs
    "sidebar": "The sidebar with all knobs",
    "transport": "The buttons Play, Pace, Step, Epoch, Restart, New seed",
    "menus": "The buttons Data, Runs, Export, Share, Keys",
    "timeline": "The timeline, to look back at any step",
    "lane": "The diagnosis bar",
    "inside": "The panel below the plots",
}

HEADER = {"transport", "menus"}  # parts that need the header

type Arguments = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True)
class PageLink:
    """What the address of the page asks of it."""

    recording: Recording | None = None
    goes_on: bool = False  # whether it goes on after the shared step
    hidden: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()  # the plots that are to be seen; empty: all
    bare: bool = False  # whether header and tabs are left out
    pace: Pace = AUTO
    refusal: str = ""  # one sentence about what was illegal
    challenge: Challenge | None = None  # in which the run takes part
    waiting: str = ""  # a run, as `packed` writes it, that needs an upload

    @property
    def begins_plainly(self) -> bool:
        """Whether the page, before it has a run, looks as it does without any request."""
        parts = self.hidden or self.only or self.bare
        return not parts and (self.recording is None or self.recording.config == RunConfig())


def hideable() -> Mapping[str, str]:
    """What a link can hide: its name in links, and its name on the page."""
    names = {part: PARTS[part] for part in PARTS}
    names |= {panel.lower(): f"Tab: {panel}" for panel in PANELS}
    views = (name for name in VIEWS if view_of(name).tab not in PANELS)
    names |= {name: f"Plot: {view_of(name).title}" for name in views}
    return names | {name_of(path): f"Knob: {x.label}" for path, x in SETTINGS.items()}


def name_of(path: str) -> str:
    """The name of a setting in links, such as learning-rate."""
    name = re.sub(r"[^a-z0-9]+", "-", SETTINGS[path].label.lower()).strip("-")
    taken = {*VIEWS, *PARTS, *(panel.lower() for panel in PANELS)}
    return f"{name}-control" if name in taken else name


# ---- writing --------------------------------------------------------------------------------


def query(
    recording: Recording | None, goes_on: bool, hidden: Iterable[str], pace: Pace = AUTO
) -> str:
    """The query part of a link; ValueError if the run does not fit into a link."""
    fields: dict[str, str] = {}
    if recording:
        fields["run"] = packed(recording)
        if goes_on:
            fields["then"] = "play"
    if pace != AUTO:
        fields["pace"] = pace_names.name_of(pace)
    if names := [name for name in hideable() if name in set(hidden)]:
        fields["hide"] = ",".join(names)
    return f"?{urlencode(fields, safe=',')}" if fields else ""


def fragment(state: bytes) -> str:
    """The part of a link that carries a state; empty if it is too large for one."""
    text = base64.urlsafe_b64encode(state).decode().rstrip("=")
    return f"#state={text}" if 0 < len(text) <= MAX_STATE else ""


def carried(text: str) -> bytes:
    """The state in that part; of text that is none, bytes that are no state."""
    try:
        padded = text[:MAX_STATE] + "=" * (-len(text[:MAX_STATE]) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b"?"


# ---- reading --------------------------------------------------------------------------------


def read(arguments: Arguments) -> PageLink:
    """What an address requests."""
    hidden, unknown = _hidden(arguments)
    only, parts, stranger = _only(arguments)
    if only or parts:
        hidden |= PARTS.keys() - set(parts)
    bare = _text(arguments, "bare") == "1" or bool((only or parts) and not HEADER & set(parts))
    pace, impossible = _pace(arguments)
    link = _run(arguments)
    if "challenge" in arguments:
        link = _in_challenge(_text(arguments, "challenge"), link)
    refusal = link.refusal or unknown or stranger or impossible
    return replace(link, hidden=hidden, only=only, bare=bare, pace=pace, refusal=refusal)


def _run(arguments: Arguments) -> PageLink:
    """The run that an address holds, or why there is none."""
    goes_on, text = _text(arguments, "then") == "play", _text(arguments, "run")
    try:
        recording = unpacked(text) if "run" in arguments else None
        if recording and "steps" in arguments:
            recording = _up_to(_text(arguments, "steps"), recording)
    except FileNeeded as error:
        return PageLink(goes_on=goes_on, refusal=str(error), waiting=text)
    except ValueError as error:
        return PageLink(refusal=_one_sentence(str(error)))
    return PageLink(recording, goes_on)


def _in_challenge(slug: str, link: PageLink) -> PageLink:
    """A challenge, which a link may name any, at its start or where the link's run stands.

    A run that has made its last step waits there: what goes on does not count.
    """
    found = challenges_in(LIMITS.data)[0] if LIMITS.data else {}
    if slug not in found:
        return PageLink(refusal=f"There is no challenge {slug[:MAX_WORDS]!r} here.")
    challenge = found[slug]
    recording = link.recording or Recording(challenge.config, (), 0)
    goes_on = link.goes_on and recording.steps < challenge.steps
    return replace(link, recording=recording, goes_on=goes_on, challenge=challenge)


def _up_to(steps: str, recording: Recording) -> Recording:
    """The run up to another step than the shared one, for which no digest is known."""
    least = max((step for step, _ in recording.turns), default=0)
    if not steps.isdecimal() or not least <= int(steps[:20]) <= MAX_STEPS:
        raise ValueError(
            f"This link says steps={steps[:MAX_WORDS]!r}; it must be a whole number from"
            f" {least:,} to {MAX_STEPS:,}."
        )
    lasts = int(steps)
    parent = recording.parent if recording.parent and recording.parent[1] <= lasts else None
    return msgspec.structs.replace(recording, steps=lasts, digest=None, parent=parent)


def _hidden(arguments: Arguments) -> tuple[frozenset[str], str]:
    """What to hide, and a sentence if a part is unknown."""
    text = _text(arguments, "hide")
    names = {name.strip().lower() for name in text.split(",")} - {""}
    known = hideable()
    unknown = sorted(names - known.keys())
    if not unknown:
        return frozenset(names), ""
    sentence = f"This link hides {unknown[0][:MAX_WORDS]!r}, which is not a part of the page;"
    return frozenset(names & known.keys()), f"{sentence} there are: {', '.join(known)}."


def _only(arguments: Arguments) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The plots and the parts that alone are to be seen, and a sentence if one is unknown."""
    text = _text(arguments, "only")
    names = dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip())
    views = tuple(name for name in names if name in VIEWS and view_of(name).tab not in PANELS)
    parts = tuple(name for name in names if name in PARTS)
    unknown = [name for name in names if name not in (*views, *parts)]
    if not unknown:
        return views, parts, ""
    known = [*(name for name in VIEWS if view_of(name).tab not in PANELS), *PARTS]
    sentence = f"This link shows only {unknown[0][:MAX_WORDS]!r}, which is not a part of the page;"
    return views, parts, f"{sentence} there are: {', '.join(known)}."


def _pace(arguments: Arguments) -> tuple[Pace, str]:
    """The requested pace, and a sentence if there is none such."""
    text = _text(arguments, "pace")
    if text in BY_NAME or not text:
        return BY_NAME.get(text, AUTO), ""
    return (
        AUTO,
        f"This link says pace={text[:MAX_WORDS]!r}; it must be one of {', '.join(BY_NAME)}.",
    )


def _text(arguments: Arguments, name: str) -> str:
    values = arguments.get(name, ())
    return values[0].decode(errors="replace") if values else ""


def _one_sentence(text: str) -> str:
    sentence = " ".join("".join(x if x.isprintable() else " " for x in text).split())
    return sentence if len(sentence) <= 2 * MAX_WORDS else f"{sentence[: 2 * MAX_WORDS]} …"
