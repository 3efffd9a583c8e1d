"""Any input from outside is either accepted or refused in one sentence, without side effects.

Links and files have tests of their own as well; these are about messages of the page, and about
training on files that were read.
"""

import copy
import functools
import itertools
import json
import math
import operator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.plots import VIEWS
from app.server.frames import FrameRequest
from app.server.page_channel import Hello, decoded
from app.sharing import packed_runs, packing, run_links
from engine import (
    SETTINGS,
    Begin,
    Choice,
    Experiment,
    Pin,
    Play,
    Recording,
    Restart,
    RunConfig,
    SetKnob,
    Step,
    check_pin,
    read_upload,
    register_upload,
    unregister_upload,
)
from tests.app.composing_page import Page

odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 2**63, 10_000_000, 0, -1])
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["64, " * 100, "10000000", "9" * 5000, "٣, ٤", "\ud800", "\0", "1e9 of 5x5"])
    | st.binary(max_size=9)
)
strange = st.recursive(
    odd, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=6), x, max_size=3)
)
names = st.sampled_from(
    [name for x in SETTINGS.values() if hasattr(x.values, "kind") for name in x.values]
)
choices = st.builds(
    Choice, names | strange, st.dictionaries(st.text(max_size=8), strange, max_size=2) | strange
)
commands = st.one_of(
    st.builds(SetKnob, st.sampled_from(sorted(SETTINGS)) | st.text(max_size=20), strange | choices),
    st.builds(Restart, st.none() | strange),
    st.builds(Pin, strange),
    st.just(Play()),
    st.just(Step()),
)


def sentence(error: BaseException) -> bool:
    return 0 < len(str(error)) < 2000 and "Traceback" not in str(error)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return Experiment(RunConfig())


@settings(max_examples=400, deadline=None)
@given(command=commands)
def test_any_command_is_applied_or_refused(experiment, command):
    before = experiment.config
    try:
        experiment.apply(command)
    except ValueError as refusal:
        assert sentence(refusal)
        assert experiment.config == before
        experiment.train(1)
    else:
        experiment.train(1)
        assert experiment.snapshot().run == experiment.run
    if experiment.network.parameters.size > 100_000 or experiment.message:
        experiment.apply(Begin(RunConfig()))


@settings(max_examples=500, deadline=None)
@given(name=st.text(max_size=80))
def test_any_run_name_is_accepted_or_refused(name):
    try:
        check_pin(name, ())
    except ValueError as refusal:
        assert sentence(refusal)


@settings(max_examples=400, deadline=None)
@given(
    raw=st.binary(max_size=200)
    | st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["token", "since", "views", "x"]), x, max_size=3)
        ),
    ).map(json.dumps)
    | st.sampled_from(['{"views": ' + "[" * 100_000, '{"x": ' + '{"x": ' * 100_000, "[" * 10**6])
)
def test_any_message_is_a_request_or_refused(raw, frame_of):
    for kind in (Hello, FrameRequest):
        request = decoded(raw, kind)
        assert isinstance(request, kind | str)
        if isinstance(request, FrameRequest):
            frame_of(request)


@pytest.fixture(scope="module")
def frame_of(experiment):
    composer, snapshot = Page(), experiment.snapshot()
    return lambda ask: msgspec.json.encode(composer.compose(snapshot, ask))


@settings(max_examples=500, deadline=None)
@given(
    steps=st.text(max_size=30) | st.integers().map(str) | st.sampled_from(["٣", "1e3", "+5", "²"])
)
def test_any_number_of_steps_is_accepted_or_refused(steps):
    run = packed_runs.packed(Recording(RunConfig(), (), 5))
    said = {"run": [run.encode()], "steps": [steps.encode("utf-8", "surrogatepass")]}
    link = run_links.read(said)
    if link.recording:
        assert 0 <= link.recording.steps <= run_links.MAX_STEPS and link.recording.digest is None
    else:
        assert link.refusal.startswith("This link says steps=") and link.refusal.isprintable()


LINKED = (None, True, -1, 0, 1.5, 2**63, 10**400, -(10**400), 1e308, "", "nan", "<b>", [], [1], {})


def places_in(value: object) -> list[tuple[str | int, ...]]:
    """The path to every value within another."""
    inside = value.items() if isinstance(value, dict) else ()
    inside = enumerate(value) if isinstance(value, list) else inside
    return [path for key, x in inside for path in [(key,), *((key, *p) for p in places_in(x))]]


def test_a_link_with_any_value_in_any_place_is_read_or_refused():
    turned = SetKnob("optimization.learning_rate", 0.02)
    run = json.loads(msgspec.json.encode(Recording(RunConfig(), ((3, turned),), 5)))
    read = 0
    for path, value in itertools.product(places_in(run), LINKED):
        changed = copy.deepcopy(run)
        functools.reduce(operator.getitem, path[:-1], changed)[path[-1]] = value
        link = run_links.read({"run": [packing.packed(json.dumps(changed).encode()).encode()]})
        if link.recording:
            read += 1
        else:
            assert len(link.refusal) < 500 and link.refusal.isprintable()
    assert read > 20


cells = (
    st.integers(-9, 9).map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["", " ", "nan", "-inf", "1e18", "1e-320", "9" * 400, "é", "\ud800", "=1+1", "<b>"]
    )
    | st.text(max_size=5)
)


@settings(deadline=None)
@given(data=st.data())
def test_any_table_is_refused_or_can_be_trained_on(data):
    width = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=14))
    raw = "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")
    learn(raw, data.draw(st.text(max_size=20)) + ".csv")


@settings(deadline=None)
@given(data=st.data())
def test_any_arrays_are_refused_or_can_be_trained_on(data):
    import io

    size = data.draw(st.integers(0, 12))
    inside = data.draw(st.lists(st.integers(0, 5), max_size=3))
    kind = data.draw(st.sampled_from(["f8", "f4", "f2", "u1", "i8", "?", "U3", "c8"]))
    x = np.zeros((size, *inside), kind)
    if x.size and kind[0] == "f":
        x.flat[0] = data.draw(st.floats(width=16))
        x += np.arange(x.size).reshape(x.shape) % 7
    y = data.draw(
        st.sampled_from(
            [np.arange(size) % 2, np.arange(size) - 3, np.arange(size) * 1e17, np.zeros(size)]
        )
    )
    file = io.BytesIO()
    np.savez_compressed(file, x=x, y=y)
    learn(file.getvalue(), "any.npz")


def learn(raw: bytes, file: str) -> None:
    """Train two steps on a file, unless it is refused in a sentence that names it."""
    try:
        upload = read_upload(raw, file)
    except ValueError as refusal:
        assert sentence(refusal)
        return
    register_upload(upload)
    try:
        config = RunConfig().replace("data.dataset", Choice(upload.name))
        experiment = Experiment(RunConfig())
        experiment.apply(SetKnob("data.dataset", config.data.dataset))
        experiment.train(2)
        assert math.isfinite(experiment.snapshot().step)
    except ValueError as refusal:
        assert sentence(refusal)
    finally:
        unregister_upload(upload)


def test_every_view_can_be_asked_for(experiment, frame_of):
    assert frame_of(FrameRequest(-1, [*VIEWS, "none such", "\0"]))
