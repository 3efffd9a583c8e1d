"""Links reproduce the bits of their run; invalid links are reported in one sentence."""

import base64
import json
import zlib
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.pace_names import in_short
from app.sharing import packed_runs, run_links
from app.sharing.run_links import PageLink
from engine import (
    AUTO,
    FULL,
    PACES,
    SETTINGS,
    Choice,
    Experiment,
    Limits,
    Pause,
    Play,
    Recording,
    RunConfig,
    SetKnob,
    Status,
    Step,
    digest,
    read_upload,
    record,
    register_upload,
    unregister_upload,
)

RATE = "optimization.learning_rate"
TABLE = b"a,b,label\n" + b"".join(b"%d,%d,%s\n" % (n, n % 7, b"xy"[n % 2 :][:1]) for n in range(60))


def arguments(query: str) -> dict[str, list[bytes]]:
    """The query arguments of an address, as a server parses them."""
    return {name: [x.encode() for x in said] for name, said in parse_qs(query[1:]).items()}


def steered(config: RunConfig) -> Experiment:
    experiment = Experiment(config.with_seed(3))
    experiment.apply(SetKnob("model.dropout", 0.2))
    experiment.train(40)
    experiment.apply(SetKnob(RATE, 0.05))
    experiment.apply(Step())
    experiment.apply(Play())
    experiment.train(30)
    experiment.apply(Pause())
    experiment.apply(SetKnob("model.activation", Choice("leaky ReLU", {"slope_below": 0.3})))
    experiment.apply(SetKnob("model.initializer", Choice("Xavier")))
    experiment.train(29)
    return experiment


def opened(recording: Recording) -> Experiment:
    """The run that a page opened by a link makes, without the page."""
    experiment = Experiment(RunConfig())
    experiment.apply(recording.begin)
    while experiment.status is Status.RUNNING:
        experiment.advance(0.002)
    return experiment


def carrying(text: str | bytes) -> dict[str, list[bytes]]:
    raw = text.encode() if isinstance(text, str) else text
    return {"run": [base64.urlsafe_b64encode(zlib.compress(raw)).rstrip(b"=")]}


def changed(**fields: object) -> str:
    plain = json.loads(msgspec.json.encode(Recording(RunConfig(), (), 5)))
    return json.dumps(plain | fields)


def test_a_link_gives_the_same_weights_to_the_bit(config):
    made = record(steered(config))
    link = run_links.read(arguments(run_links.query(made, False, ())))
    assert (link.refusal, link.goes_on, link.hidden) == ("", False, frozenset())
    again = opened(link.recording)
    assert again.step == made.steps == 100
    assert digest(again) == made.digest


SMALL = RunConfig().replace("model.hidden", "8").replace("data.dataset", Choice("circle"))
BUILD_QUEUE = {
    "model.hidden": ["8", " 8 "],
    "model.activation": [Choice("ReLU"), Choice("tanh"), Choice("ReLU", {})],
    "model.initializer": [Choice("He"), Choice("Xavier")],
    "model.normalization": [Choice("none")],
    "model.dropout": [0, 0.0, 0.5],
    "data.held_out": [0.2],
    "data.dataset": [Choice("circle")],
    RATE: [0.01, 0.3],
    "optimization.batch_size": [32, 32.0, 5],
    "optimization.max_norm": [0.0, 1.0],
    "optimization.optimizer": [Choice("momentum"), Choice("Adam")],
}
commands = st.sampled_from(
    [SetKnob(path, value) for path, values in BUILD_QUEUE.items() for value in values]
    + [Play(), Pause(), Step()]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), commands), max_size=8))
def test_every_run_can_be_shared_however_it_was_steered(steering):
    experiment = Experiment(SMALL)
    for steps, command in steering:
        experiment.train(steps)
        if not (experiment.status is Status.DIVERGED and isinstance(command, Play | Step)):
            experiment.apply(command)
    made = record(experiment)
    link = run_links.read(arguments(run_links.query(made, False, ())))
    assert link.refusal == ""
    assert record(opened(link.recording)).digest == made.digest


@pytest.mark.parametrize(
    "turn",
    [
        SetKnob("model.hidden", "64,64"),
        SetKnob("data.preprocessing", Choice("centre")),
        SetKnob(RATE, 0.01),
        Pause(),
    ],
)
def test_a_command_that_changes_nothing_is_not_in_the_journal(turn):
    experiment = Experiment(RunConfig())
    experiment.train(10)
    experiment.apply(turn)
    assert experiment.journal == []


def test_an_old_link_with_an_unchanged_setting_opens():
    experiment = Experiment(RunConfig())
    experiment.train(10)
    told = json.loads(msgspec.json.encode(record(experiment)))
    told["journal"] = [[10, {"type": "set", "path": "model.hidden", "value": "64,64"}]]
    link = run_links.read(carrying(json.dumps(told)))
    assert link.refusal == ""
    assert digest(opened(link.recording)) == told["digest"]


def test_a_run_that_diverged_and_was_drawn_anew_is_repeated_as_well(config):
    experiment = Experiment(config)
    experiment.apply(SetKnob(RATE, 1e6))
    experiment.train(50)
    assert experiment.status is Status.DIVERGED
    experiment.apply(SetKnob(RATE, 0.01))
    experiment.apply(SetKnob("model.initializer", Choice("Xavier")))
    experiment.train(20)
    made = record(experiment)
    again = opened(packed_runs.unpacked(packed_runs.packed(made)))
    assert (again.step, digest(again)) == (made.steps, made.digest)


def test_a_run_is_shared_where_it_diverged(config):
    experiment = Experiment(config)
    experiment.apply(SetKnob(RATE, 1e6))
    experiment.train(50)
    made = record(experiment)
    again = opened(packed_runs.unpacked(packed_runs.packed(made)))
    assert (again.step, again.status) == (made.steps, Status.DIVERGED)
    assert digest(again) == made.digest


def test_a_change_that_the_data_refuse_ends_the_replay_with_a_message(config):
    config = config.replace("data.dataset", Choice("plane"))
    config = config.replace("optimization.loss", Choice("mean squared error"))
    turn = SetKnob("optimization.loss", Choice("softmax cross-entropy"))
    ended = opened(packed_runs.unpacked(packed_runs.packed(Recording(config, ((4, turn),), 9))))
    assert (ended.step, ended.status) == (4, Status.PAUSED)
    assert "needs classes" in ended.message


def test_the_link_of_a_repeated_run_is_the_same_link(config):
    made = record(steered(config))
    assert packed_runs.packed(record(opened(made))) == packed_runs.packed(made)


def test_a_link_says_whether_to_go_on_and_what_to_hide(config):
    made = record(Experiment(config))
    link = run_links.read(arguments(run_links.query(made, True, {"lane", "learning-rate"})))
    assert link.goes_on and link.hidden == {"lane", "learning-rate"}
    assert run_links.read(arguments(run_links.query(None, True, ["lane"]))) == PageLink(
        hidden=frozenset(["lane"])
    )
    assert run_links.query(None, False, ()) == "" and run_links.read({}) == PageLink()


@pytest.mark.parametrize("pace", PACES)
def test_a_link_sets_the_pace_but_not_the_config(config, pace):
    made = record(steered(config))
    query = run_links.query(made, False, (), pace)
    assert run_links.read(arguments(query)).pace == pace
    assert (
        run_links.read(arguments(query)).recording
        == run_links.read(arguments(run_links.query(made, False, ()))).recording
    )


@pytest.mark.parametrize("said", [b"fast", b"0", b"-1", b"nan", b"1e9", b"\xff", b"auto,3"])
def test_an_unknown_pace_is_reported(said):
    link = run_links.read({"pace": [said], "hide": [b"lane"]})
    assert link.pace == AUTO and link.hidden == {"lane"}
    assert link.refusal.endswith("must be one of auto, 1, 3, 10, 30, 100, 300, 1000, full.")


@pytest.mark.parametrize(
    ("pace", "made", "said"),
    [
        (AUTO, 0.0, "auto"),
        (AUTO, 2.5, "auto, 2.5/s"),
        (AUTO, 48.3, "auto, 48/s"),
        (FULL, 8412.0, "full, 8,412/s"),
        (FULL, 0.0, "full"),
        (2.5, 2.4, "2.5/s"),
        (3.0, 2.97, "3/s"),
        (3.0, 1.52, "1.5 of 3/s"),
        (30.0, 29.1, "30/s"),
        (1000.0, 412.0, "412 of 1,000/s"),
        (1000.0, 0.0, "1,000/s"),
    ],
)
def test_the_page_shows_the_measured_pace(pace, made, said):
    assert in_short(pace, made) == said


def test_every_control_and_plot_can_be_hidden_under_a_name_of_its_own():
    names = run_links.hideable()
    assert {"learning-rate", "l2-strength", "loss", "loss-control", "sidebar"} <= names.keys()
    assert len({run_links.name_of(path) for path in SETTINGS}) == len(SETTINGS)


def test_an_unknown_part_is_reported_and_the_rest_hidden():
    link = run_links.read({"hide": [b"lane, teacher"]})
    assert link.hidden == {"lane"}
    assert "'teacher'" in link.refusal and "learning-rate" in link.refusal


def test_a_link_that_is_too_long_is_not_made(config):
    turns = tuple((n, SetKnob(RATE, 0.02 + n / 1e4)) for n in range(5000))
    with pytest.raises(ValueError, match=r"steered 5,000 times.*export it as JSON"):
        packed_runs.packed(Recording(config, turns, 5000))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{}", "not possible here"),
        (b"[" * 100_000, "not possible here"),
        (b"\xff\xfe", "not possible here"),
        (changed(steps=-1), "not possible here"),
        (changed(config={"seed": -1}), "seed must be 0 or more"),
        (changed(config={"wings": 2}), "config has no field"),
        (changed(journal=[[9, {"type": "pause"}]]), "beyond the last step"),
        (
            changed(journal=[[1, {"type": "set", "path": RATE, "value": -1}]]),
            "learning rate must be",
        ),
        (
            changed(journal=[[1, {"type": "set", "path": "a", "value": 1}]]),
            "unknown setting 'a'",
        ),
        (
            changed(journal=[[1, {"type": "set", "path": "model.hidden", "value": "8"}]]),
            "begins another run",
        ),
        (b"[" + b" " * 2**20 + b"]", "damaged"),  # unpacks to more than any run
    ],
)
def test_an_invalid_link_is_reported_in_one_sentence(text, told):
    check_refused(run_links.read(carrying(text)), told)


@pytest.mark.parametrize("text", ["", "!", "AAAA", "ü", "x" * 20_000, "eNo", "\0"])
def test_text_that_is_no_link_is_reported_in_one_sentence(text):
    check_refused(run_links.read({"run": [text.encode()]}), "his link is")


def check_refused(link: PageLink, told: str) -> None:
    assert link.recording is None
    assert told in link.refusal
    assert link.refusal.isprintable() and len(link.refusal) < 500


# ---- random links -------------------------------------------------------------------------

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
json_like = st.recursive(
    plain, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=8), x, max_size=4)
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="abcXYZ019-_=", max_size=300).map(str.encode))
def test_any_letters_open_the_page(said):
    check_any(run_links.read({"run": [said], "then": [said], "hide": [said]}))


@settings(deadline=None)
@given(st.data())
def test_a_link_with_a_part_replaced_opens_the_page(data):
    recording = json.loads(msgspec.json.encode(record_once()))
    place = recording
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [x for x in (place.values() if isinstance(place, dict) else place) if x]
        inner = [x for x in inner if isinstance(x, dict | list)]
        if not inner:
            break
        place = data.draw(st.sampled_from(inner))
    key = data.draw(st.sampled_from(list(place if isinstance(place, dict) else range(len(place)))))
    place[key] = data.draw(json_like)
    link = run_links.read(carrying(json.dumps(recording)))
    check_any(link)
    if link.recording and link.recording.steps < 300:
        try:
            opened(link.recording)
        except ValueError as refusal:  # the page shows it
            assert str(refusal)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_link_with_a_letter_changed_opens_the_page(data):
    text = packed_runs.packed(record_once())
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("Aa0-_=%"))
    check_any(run_links.read({"run": [(text[:place] + letter + text[place + 1 :]).encode()]}))


def record_once() -> Recording:
    return Recording(
        RunConfig(),
        ((3, SetKnob("model.activation", Choice("leaky ReLU", {"slope_below": 0.3}))),),
        6,
        "0123456789abcdef",
    )


def check_any(link: PageLink) -> None:
    assert link.recording is None or not link.waiting
    assert link.refusal.isprintable() and len(link.refusal) < 1000


# ---- uploaded data --------------------------------------------------------------------------


@pytest.fixture
def upload():
    upload = read_upload(TABLE, "pets.csv")
    register_upload(upload)
    yield upload
    unregister_upload(upload)


def own_run(upload, config) -> Recording:
    experiment = Experiment(config.replace("data.dataset", Choice(upload.name)))
    experiment.train(8)
    return record(experiment)


def test_a_run_on_a_visitors_own_file_says_that_it_needs_the_file(upload, config):
    said = arguments(run_links.query(own_run(upload, config), False, ()))
    link = run_links.read(said)
    assert link.recording is None and link.waiting
    assert "learns from pets.csv" in link.refusal and "upload the file" in link.refusal


def test_with_the_same_file_the_run_is_repeated(upload, config):
    made = own_run(upload, config)
    again = opened(packed_runs.unpacked(packed_runs.packed(made), [upload.name]))
    assert digest(again) == made.digest


def test_a_link_cannot_reach_another_visitors_file_by_json_escapes(upload, config):
    text = msgspec.json.encode(own_run(upload, config)).decode()
    link = run_links.read(carrying(text.replace("pets.csv #", "pets.csv \\u0023")))
    assert link.recording is None and "learns from pets.csv" in link.refusal


def test_a_link_shows_only_some_plots_and_parts():
    link = run_links.read(arguments("?only=loss,health,timeline"))
    assert link.only == ("loss", "health") and link.bare
    assert {"sidebar", "transport", "menus", "lane", "inside"} <= link.hidden
    assert "timeline" not in link.hidden
    assert not run_links.read(arguments("?only=loss,transport")).bare
    assert run_links.read(arguments("?lesson=dead-relus&bare=1")).bare


def test_what_a_link_shows_alone_must_be_a_part_of_the_page():
    link = run_links.read(arguments("?only=loss,knobs"))
    assert link.only == ("loss",)
    assert link.refusal.startswith("This link shows only 'knobs', which is not a part of the page;")


def test_a_link_begins_a_challenge_of_the_operators_folder(tmp_path, monkeypatch):
    text = {"title": "Tame it!", "steps": 200, "settings": {RATE: 0.3}}
    (tmp_path / "tame.challenge.json").write_text(json.dumps(text))
    monkeypatch.setattr(run_links, "LIMITS", Limits(data=tmp_path))
    link = run_links.read(arguments("?challenge=tame-it&pace=30"))
    assert link.recording.config.optimization.learning_rate == 0.3 and not link.recording.steps
    assert "within 200 steps" in link.challenge.invitation
    assert link.pace == 30 and not link.refusal
    assert "no challenge" in run_links.read(arguments("?challenge=no-such")).refusal
    monkeypatch.setattr(run_links, "LIMITS", Limits())
    assert "no challenge" in run_links.read(arguments("?challenge=tame-it")).refusal


def test_who_loads_a_challenge_anew_takes_part_with_the_run_of_before(tmp_path, monkeypatch):
    text = {"title": "Tame it!", "steps": 200, "settings": {RATE: 0.3}}
    (tmp_path / "tame.challenge.json").write_text(json.dumps(text))
    monkeypatch.setattr(run_links, "LIMITS", Limits(data=tmp_path))
    turns = ((0, SetKnob(RATE, 0.3)), (40, SetKnob(RATE, 0.1)))
    run = packed_runs.packed(Recording(RunConfig(), turns, 90))
    for steps, goes_on in ((90, True), (199, True), (200, False), (230, False)):
        asked = f"?challenge=tame-it&run={run}&steps={steps}&then=play"
        link = run_links.read(arguments(asked))
        assert link.challenge and (link.recording.steps, link.recording.turns) == (steps, turns)
        assert link.goes_on is goes_on  # not beyond the last step: that would not count
    damaged = run_links.read(arguments("?challenge=tame-it&run=x"))
    assert damaged.refusal and damaged.challenge and not damaged.recording.steps
