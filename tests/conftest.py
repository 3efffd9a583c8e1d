"""What every test shares."""

import pytest

from engine import RunConfig


@pytest.fixture
def config() -> RunConfig:
    """The run that the page opens with."""
    return RunConfig()
