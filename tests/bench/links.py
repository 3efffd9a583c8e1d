"""How soon a link shows the step that it shares, beside a page that is opened without one.

    uv run --group bench python tests/bench/links.py --steps 130000 --rounds 5
    uv run --group bench python tests/bench/links.py --folder BEFORE

A link carries the state of a run of so many steps. It and the plain page are opened in turns, each
in a window that has cached nothing. Told are the seconds from the request until a plot is drawn and
the header names a step, which step that is, and when the run had been repeated and compared with
the shared one.
"""

import argparse
import shutil
import statistics
import time

from playwright.sync_api import Browser, Page, sync_playwright
from server import served
from threadpoolctl import threadpool_limits

from app.sharing import run_links
from engine import Experiment, RunConfig, record

PATIENCE = 180_000  # milliseconds for a run to be repeated
VERDICT = "This is the shared run, at step"

# Notes the first moment at which a curve can be seen: its canvas has been painted on.
WATCH = """
const find = (root, selector) => {
  const found = root.querySelector(selector)
  if (found != null) return found
  for (const {shadowRoot} of root.querySelectorAll("*")) {
    const inside = shadowRoot && find(shadowRoot, selector)
    if (inside != null) return inside
  }
  return null
}
const painted = () => {
  const place = find(document.body, "babysit-view")
  const canvas = place && find(place, "canvas")
  if (!(canvas?.width > 0 && canvas.height > 0)) return false
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  return data.some((value) => value > 0)
}
const look = () => {
  const step = document.body && find(document.body, "[data-text=step]")?.dataset.value
  if (step != null && painted()) {
    window.first_seen = {seconds: performance.now() / 1000, step}
  } else {
    requestAnimationFrame(look)
  }
}
requestAnimationFrame(look)
"""


def shared_link(steps: int) -> str:
    """What follows the page's address, for a default run of so many steps."""
    with threadpool_limits(1, user_api="blas"):
        experiment = Experiment(RunConfig())
        experiment.train(steps)
    carried = run_links.fragment(experiment.packed_state())
    return run_links.query(record(experiment), goes_on=False, hidden=()) + carried


def first_seen(page: Page, address: str) -> tuple[float, str]:
    """Seconds until something is seen, and the step that it is of."""
    page.add_init_script(WATCH)
    page.goto(address)
    seen = page.wait_for_function("window.first_seen").json_value()
    return seen["seconds"], seen["step"]


def verified(page: Page) -> float:
    """Seconds from the request until the page says that the repeated run is the shared one."""
    page.get_by_text(VERDICT).wait_for(timeout=PATIENCE)
    return float(page.evaluate("performance.now() / 1000"))


def measure(browser: Browser, base: str, link: str, rounds: int) -> None:
    """Open both in turns, and tell."""
    seconds: dict[str, list[float]] = {"plain page": [], "link": []}
    for _ in range(rounds):
        for what, address in (("plain page", base), ("link", base + link)):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            taken, step = first_seen(page, address)
            seconds[what].append(taken)
            end = f", verified after {verified(page):.1f} s" if what == "link" else ""
            print(f"{what:12} {taken:6.2f} s, step {step}{end}", flush=True)
            context.close()
            time.sleep(1.0)  # the server lets the visitor go
    for what, all_of_it in seconds.items():
        print(f"{what:12} {statistics.median(all_of_it):6.2f} s median, {max(all_of_it):.2f} worst")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=130_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the program lies, if not here")
    options = parser.parse_args()
    link = shared_link(options.steps)
    with served(folder=options.folder) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        measure(browser, server.base, link, options.rounds)
        browser.close()


if __name__ == "__main__":
    main()
