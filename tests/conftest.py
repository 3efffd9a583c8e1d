"""What every test shares."""

import pytest
from threadpoolctl import threadpool_limits

from engine import RunConfig


@pytest.fixture
def config() -> RunConfig:
    """The run that the page opens with."""
    return RunConfig()


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    """As in the app, where several would only get in each other's way."""
    with threadpool_limits(1, user_api="blas"):
        yield
