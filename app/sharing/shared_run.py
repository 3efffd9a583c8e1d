"""Repeats the run of a link when a visitor opens it, and compares the resulting bits."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import msgspec

from app.sharing import packed_runs
from app.sharing.run_links import PageLink
from engine import (
    ExperimentHandle,
    Pause,
    Play,
    Recording,
    Snapshot,
    Status,
    digest,
)

PATIENCE = 20.0  # seconds for the run to be set up
UNSEEN = 0  # number of the run whose place that of the link takes before the page shows any
SOON = 1.0  # seconds for which a page without a frame waits for the step of its link

type Notify = Callable[[str], None]

SAME = "This is the shared run, at step {step}: the weights are the same, to the bit."
OTHER = (
    "This is the shared run, at step {step}, but the weights are not the same bits: it was made"
    " with another version of the program, or on another kind of machine."
)


class SharedRun:
    """Repeats the run of a link from its first step to the shared one."""

    def __init__(
        self, link: PageLink, handle: ExperimentHandle, notify: Notify, state: bytes = b""
    ) -> None:
        self._link, self._handle, self._notify, self._state = link, handle, notify, state
        self._awaited: tuple[int, Recording] | None = None  # number of the run that repeats it
        self._plays = False  # whether it has started
        self.snapshot = handle.latest  # what the page shows first
        if link.refusal:
            notify(link.refusal)
        if link.recording:
            self._prepare(link.recording)

    @property
    def awaits(self) -> bool:
        """Whether a run is ready to be repeated once the page can show it."""
        return self._awaited is not None and not self._plays

    def _prepare(self, recording: Recording) -> None:
        """Set the shared run up, and pause it until the page is complete."""
        run = self._handle.latest.run
        self._handle.send(msgspec.structs.replace(recording.begin, state=self._state))
        refusal = self._handle.submit(lambda slot: slot.refusal)
        self._handle.send(Pause())
        snapshot = self._handle.query(lambda experiment: experiment.snapshot()).result(PATIENCE)
        if snapshot.run > run:
            self.snapshot = self._complete(snapshot)
            self._awaited = snapshot.run, recording
        else:
            self._handle.submit(lambda slot: slot.own.number_after(UNSEEN))
            reason = refusal.result(PATIENCE).rstrip(".") or "it failed"
            self._notify(f"The run of this link is not possible here: {reason}.")

    def _complete(self, now: Snapshot) -> Snapshot:
        """The run with the step that it shows, if that is soon there: a page draws a frame long."""
        seen, over = [now], threading.Event()

        def follow(snapshot: Snapshot, version: int) -> None:
            if snapshot.run == now.run:
                seen.append(snapshot)
            if _is_complete(seen[-1]):
                over.set()
            elif not over.is_set():
                self._handle.wait(self, version, follow)

        if not _is_complete(now):
            self._handle.wait(self, 0, follow)
            over.wait(SOON)
            over.set()
            self._handle.forget(self)
        return seen[-1]

    def play(self) -> None:
        """The page is complete: start."""
        if self._awaited and not self._plays:
            self._plays = True
            if self._awaited[1].steps:
                self._handle.send(Play())
            else:
                self.show(self.snapshot)

    def brought(self, names: Iterable[str]) -> bool:
        """The visitor uploaded these data sets; whether the run waited for them and starts now."""
        if not self._link.waiting:
            return False
        try:
            recording = packed_runs.unpacked(self._link.waiting, names)
        except ValueError:
            return False
        self._prepare(recording)
        self.play()
        return self._awaited is not None

    def show(self, snapshot: Snapshot) -> None:
        """Follow the experiment; at the shared step, compare the weights."""
        if self._awaited is None or snapshot.status is Status.RUNNING or not self._plays:
            return
        run, recording = self._awaited
        if snapshot.looking_back and snapshot.looking_back.verified is not None:
            return  # it shows the shared step, but has not repeated the run yet
        if snapshot.run != run:  # the visitor has started another one
            self._awaited = None
        elif snapshot.step == recording.steps:
            self._awaited = None
            state = self._handle.query(lambda experiment: (experiment.step, digest(experiment)))
            state.add_done_callback(lambda future: self._judge(future, recording))

    def _judge(self, future: Future[tuple[int, str]], recording: Recording) -> None:
        if future.cancelled():
            return
        reached, bits = future.result()
        if reached != recording.steps:  # the visitor stepped on meanwhile
            return
        step = f"{recording.steps:,}"
        if recording.digest is not None:
            self._notify((SAME if bits == recording.digest else OTHER).format(step=step))
        if self._link.goes_on:
            self._handle.send(Play())


def _is_complete(snapshot: Snapshot) -> bool:
    """Whether it shows the step that it is to show."""
    return snapshot.looking_back is None or snapshot.looking_back.done >= 1
