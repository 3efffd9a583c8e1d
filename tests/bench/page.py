"""One open page in Chromium: how soon it moves, its size, and the load of the browser.

    uv run python tests/bench/page.py --minutes 10

Starts a server of its own; both share the machine, so the share of the main thread is given in
seconds of the clock and of the processor. The heap is measured once a minute, after a collection.
"""

import argparse
import shutil
import time

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright
from server import served

SPELL = 20.0  # seconds for which the main thread is measured
FIGURES = ("TaskDuration", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration")


def measure(page: Page, base: str, minutes: float) -> None:
    """Open, weigh, measure, print."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for what in ("cold", "from the cache", "from the cache"):
        sizes.clear()
        seconds = opened(page, base)
        page.wait_for_timeout(3000)
        weight = f"{sum(sizes) / 1e6:.1f} MB in {len(sizes)} answers"
        print(f"first moving frame     {seconds:8.2f} s, {what}: {weight}")
    for domain, clock in (("timeTicks", "clock"), ("threadTicks", "processor")):
        devtools.send("Performance.disable")
        devtools.send("Performance.enable", {"timeDomain": domain})
        before, frames = metrics(devtools), page.evaluate("window.babysit.frames")
        page.wait_for_timeout(1000 * SPELL)
        after = metrics(devtools)
        shares = {name: 100 * (after[name] - before[name]) / SPELL for name in FIGURES}
        print(f"main thread, {clock:9} " + ", ".join(f"{k} {v:.0f} %" for k, v in shares.items()))
        rate = (page.evaluate("window.babysit.frames") - frames) / SPELL
        styles = (after["RecalcStyleCount"] - before["RecalcStyleCount"]) / SPELL
        print(f"frames/s               {rate:8.1f}, styles worked out {styles:.0f} times a second")
    heap = []
    for _ in range(round(minutes) + 1):
        devtools.send("HeapProfiler.collectGarbage")
        heap.append(metrics(devtools)["JSHeapUsedSize"] / 1e6)
        page.wait_for_timeout(60_000 if len(heap) <= minutes else 0)
    if len(heap) > 2:
        slope = np.polyfit(np.arange(len(heap) - 1), heap[1:], 1)[0]
        print(
            f"heap                   {heap[0]:8.1f} ... {heap[-1]:.1f} MB, {slope:+.2f} MB a minute"
        )


def opened(page: Page, base: str) -> float:
    """Seconds from the request to the first frame in the plots."""
    start = time.perf_counter()
    page.goto(base)
    page.wait_for_function("window.babysit?.frames >= 1")
    return time.perf_counter() - start


def metrics(devtools: CDPSession) -> dict[str, float]:
    """Chromium's metrics of the page."""
    found = devtools.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=0, help="for which the heap is watched")
    options = parser.parse_args()
    with served() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        measure(page, server.base, options.minutes)
        browser.close()


if __name__ == "__main__":
    main()
