"""What every test shares."""

import hypothesis
import pytest
from threadpoolctl import threadpool_limits

from engine import RunConfig

hypothesis.settings.register_profile("thorough", max_examples=2500)  # --hypothesis-profile=thorough


@pytest.fixture
def config() -> RunConfig:
    """The run that the page opens with."""
    return RunConfig()


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    """As in the app, where several would only get in each other's way."""
    with threadpool_limits(1, user_api="blas"):
        yield
