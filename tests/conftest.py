"""Fixtures for all tests."""

import os
import sys
from collections.abc import Generator

import hypothesis
import pytest
from threadpoolctl import threadpool_limits

from engine import RunConfig

# Keeps the many processes that tests start from compiling Panel and Bokeh again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A test may change what a page is made of: each page is built when it is requested.
os.environ["BABYSIT_READY_PAGES"] = "0"

# No test has a time limit, and Hypothesis has none either.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")
hypothesis.settings.register_profile("thorough", max_examples=2500)  # --hypothesis-profile=thorough


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: who waits for a browser leaves its own idle."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests run where `-m` names them, not with each other choice such as `not browser`."""
    if "slow" not in config.getoption("markexpr"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Logged text can be passed to another process, even if a hostile page has sent it."""
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
    """As in the app: on small matrices more threads would only compete."""
    with threadpool_limits(1, user_api="blas"):
        yield
