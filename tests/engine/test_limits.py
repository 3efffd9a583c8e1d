"""Limits of a process: read from the environment, refused in one sentence, enforced."""

import numpy as np
import pytest
from msgspec.structs import replace

from engine import Choice, Experiment, Limits, RunConfig, SetKnob, read_limits, read_upload
from engine import limits as limits_of_process
from engine.limits import limits
from engine.training.layer_specs import Convolution


@pytest.fixture
def environment(monkeypatch):
    """Sets environment variables and has the limits read again."""

    def put(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        limits.cache_clear()

    yield put
    monkeypatch.undo()
    limits.cache_clear()


def test_default_limits_suit_a_class():
    assert read_limits({}) == Limits()
    assert read_limits({"BABYSIT_MAX_VISITORS": " ", "BABYSIT_DATA": ""}) == Limits()


def test_each_variable_sets_one_limit(tmp_path):
    assert read_limits(
        {
            "BABYSIT_MAX_VISITORS": "7",
            "BABYSIT_MAX_PARAMETERS": "1_000_000",
            "BABYSIT_MAX_UPLOAD_MB": "2.5",
            "BABYSIT_FRAME_RATE": "4",
            "BABYSIT_PIN_CORE": "0",
            "BABYSIT_BEHIND_PROXY": "1",
            "BABYSIT_DATA": str(tmp_path),
            "BABYSIT_READY_PAGES": "3",
        }
    ) == Limits(7, 1_000_000, 2_621_440, 4.0, False, tmp_path, ready_pages=3, behind_proxy=True)


@pytest.mark.parametrize(
    ("name", "said", "allowed"),
    [
        ("MAX_VISITORS", "0", "a whole number from 1 to 10,000"),
        ("MAX_VISITORS", "2.5", "a whole number from 1 to 10,000"),
        ("MAX_VISITORS", "many", "a whole number from 1 to 10,000"),
        ("MAX_PARAMETERS", "1e30", "a whole number from 1,000 to 1e9"),
        ("MAX_UPLOAD_MB", "-1", "a number from 0.001 to 512"),
        ("FRAME_RATE", "nan", "a number from 0.5 to 60"),
        ("FRAME_RATE", "inf", "a number from 0.5 to 60"),
        ("PIN_CORE", "2", "a whole number from 0 to 1"),
        ("PIN_CORE", "no", "a whole number from 0 to 1"),
        ("READY_PAGES", "-1", "a whole number from 0 to 1,000"),
        ("DATA", "/nowhere/at/all", "a folder that can be read"),
        ("DATA", "a\0b", "a folder that can be read"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(name, said, allowed):
    with pytest.raises(ValueError, match=f"^BABYSIT_{name} must be ") as refusal:
        read_limits({f"BABYSIT_{name}": said})
    assert allowed in str(refusal.value) and repr(said) in str(refusal.value)


def test_a_network_with_more_parameters_is_refused(environment, config):
    environment(BABYSIT_MAX_PARAMETERS="5000")
    with pytest.raises(ValueError, match=r"8,970 parameters; at most 5,000"):
        Experiment(config)


def test_an_upload_that_is_larger_is_refused(environment):
    environment(BABYSIT_MAX_UPLOAD_MB="0.001")
    with pytest.raises(ValueError, match="at most 1,048 can be uploaded"):
        read_upload(b"a,label\n" + b"1,x\n2,y\n" * 200, "a.csv")


def images(*convolutions: Convolution, batch: int = 32, hidden: tuple[int, ...] = (8,)):
    config = RunConfig().replace("data.dataset", Choice("Fashion-MNIST"))
    config = config.replace("optimization.batch_size", batch)
    model = replace(config.model, convolutions=convolutions, hidden=hidden)
    return replace(config, model=model)


def test_layers_with_too_large_buffers_are_refused_before_allocation(monkeypatch):
    taken: list[int] = []
    zeros = np.zeros

    def watched(shape, *rest, **more):
        array = zeros(shape, *rest, **more)
        taken.append(array.nbytes)
        return array

    config = images(Convolution(512, 5, padding=4, pool=1), Convolution(512, 5), batch=1024)
    monkeypatch.setattr(np, "zeros", watched)
    with pytest.raises(ValueError, match="for a batch of 1,024 the network would hold"):
        Experiment(config)
    assert max(taken, default=0) < 4 * limits_of_process().buffers


def test_a_refused_batch_size_leaves_the_run_unchanged(environment):
    experiment = Experiment(images(Convolution(8, 5), batch=4))
    experiment.train(3)
    environment(BABYSIT_MAX_PARAMETERS="200000")
    with pytest.raises(ValueError, match="a smaller batch"):
        experiment.apply(SetKnob("optimization.batch_size", 1024))
    assert experiment.config.optimization.batch_size == 4
    experiment.train(3)
    assert experiment.step == 6


def test_origins_that_may_show_the_page_in_a_frame_are_listed():
    said = "https://moodle.example, http://localhost:* https://*.uni.example:8443"
    ancestors = read_limits({"BABYSIT_FRAME_ANCESTORS": said}).frame_ancestors
    assert ancestors == (
        *("https://moodle.example", "http://localhost:*", "https://*.uni.example:8443"),
    )


@pytest.mark.parametrize(
    "said", ["*", "moodle.example", "https://a;script-src *", "https://a/b", "'self'", "https://"]
)
def test_what_is_no_origin_is_refused(said):
    with pytest.raises(ValueError, match="BABYSIT_FRAME_ANCESTORS must be origins such as https"):
        read_limits({"BABYSIT_FRAME_ANCESTORS": said})
