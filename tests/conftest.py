"""What every test shares."""

import os
import sys
from collections.abc import Generator

import hypothesis
import pytest
from threadpoolctl import threadpool_limits

from engine import RunConfig

# Of the many processes that tests start, none should compile Panel and Bokeh anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No test says how long anything takes, nor does Hypothesis.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")
hypothesis.settings.register_profile("thorough", max_examples=2500)  # --hypothesis-profile=thorough


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was logged can be told to another process, though a hostile page has sent it."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture
def config() -> RunConfig:
    """The run that the page opens with."""
    return RunConfig()


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    """As in the app, where several would only get in each other's way."""
    with threadpool_limits(1, user_api="blas"):
        yield
