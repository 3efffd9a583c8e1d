"""What the tests cost: CPU seconds of each test file, with the processes that it starts.

    uv run python tests/bench/suite.py -m "not browser"
    uv run python tests/bench/suite.py tests/browser

What follows is given to pytest, which runs in one process. Wall times say little on a busy machine.
A process that has ended counts only if it was waited for.
"""

import contextlib
import sys
from collections import defaultdict
from collections.abc import Generator

import psutil
import pytest

ME = psutil.Process()


class Costs:
    """The CPU seconds of this process and of all that it starts, shared out to test files."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._before = 0.0

    def total(self) -> float:
        spent = 0.0
        for process in (ME, *ME.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                spent += sum(process.cpu_times()[:4])  # with those that it has waited for
        return spent

    def charge(self, name: str) -> None:
        now = max(self.total(), self._before)
        self.spent[name] += now - self._before
        self._before = now

    def pytest_collection_finish(self) -> None:
        self.charge("collection")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        done = yield
        self.charge(item.nodeid.partition("::")[0])
        return done


def main() -> int:
    costs = Costs()
    status = pytest.main(["-n0", *sys.argv[1:]], plugins=[costs])
    for name, seconds in sorted(costs.spent.items(), key=lambda cost: -cost[1]):
        print(f"{name:44} {seconds:7.1f}")
    print(f"{'together':44} {sum(costs.spent.values()):7.1f}")
    return status


if __name__ == "__main__":
    sys.exit(main())
