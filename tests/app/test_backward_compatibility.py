"""Links and files made by commit a72427d still open."""

import pytest

from app.sharing.packed_runs import unpacked
from engine import Recording, replay

LINK = (
    "eNqdU01v2zAM_SuDzmpgZ2my5bbbDjsV2CkIDEZiYm36gkRnaQP_91JOmjkuCgw7SRQfnx4fpbNQwe_NQazPQgPB"
    "25qRytaDQ7EW2hwMZSHFbx92mRN9L0VMGFNQmLPxhxFYoaeEE3CLVjehY9JqNpcCT-CiRc76zloplIWcS7jZSpER"
    "9SXBhS5otIWddR6D7cgEf8W1Rmv0vF8u5HLBB6DIHKEgRnKe8MfPiRjjDRmw5gXTCPh9qtmH5ApqyuiDn0J1CvHa"
    "XcVhiGTcqNAiJM8uNQkIB1B9A91pcMGxe52b0GfVou4sjl1mGwg8TZB_ILmmi3yHFDsg1TaZrxDrz2y6DTmPGHLY"
    "k4PTJ5X4_KEMLcTnCZ2dD2qrotfWw55HAqemeHMNlTXxrfHL6PiQtSW6DfFX6JIHHuNm81jJs6DnOCjAIj8CtRyM"
    "PZvdGybFEWx3MW7eb-Vm9RHJ8Fpmo3dwK721zaa1d10Wwq__pOrvxN7TftPg_pP242arut-"
    "WD0EYmbSes7H8FTGzs6L-stK60rt99bha6moh-lcuBkLE"
)
FILE = """{"config": {
 "data": {"dataset": {"name": "moons", "knobs": {}},
  "preprocessing": {"name": "centre", "knobs": {}},
  "held_out": 0.2, "examples": null, "classes": [], "seed": null},
 "model": {"convolutions": [], "hidden": [64, 64], "activation": {"name": "tanh", "knobs": {}},
  "initializer": {"name": "He", "knobs": {}}, "normalization": {"name": "none", "knobs": {}},
  "dropout": 0.0},
 "optimization": {"learning_rate": 0.01, "optimizer": {"name": "momentum", "knobs": {}},
  "schedule": {"name": "constant", "knobs": {}}, "warm_up": 0, "batch_size": 32,
  "loss": {"name": "softmax cross-entropy", "knobs": {}},
  "l2": 0.0001, "l1": 0.0, "max_norm": 0.0, "clip": 0.0},
 "seed": 0, "start": null},
 "journal": [[59, {"type": "step"}]], "steps": 60, "digest": "2856c3911176cbcb"}"""


def test_a_link_repeats_its_run():
    recording = unpacked(LINK)
    experiment = replay(recording.config, recording.journal, recording.steps)
    metrics = experiment.snapshot().metrics
    assert experiment.step == 120
    assert experiment.config.optimization.optimizer.name == "Adam"
    assert metrics.train_loss == pytest.approx(0.288472, rel=1e-3)
    assert metrics.validation_accuracy == pytest.approx(0.935933, abs=0.006)


def test_a_file_repeats_its_run():
    recording = Recording.from_json(FILE)
    metrics = replay(recording.config, recording.journal, recording.steps).snapshot().metrics
    assert metrics.validation_loss == pytest.approx(0.1519, rel=2e-3)
    assert metrics.validation_accuracy == pytest.approx(0.95, abs=0.006)
