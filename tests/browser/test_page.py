"""The page in a real browser: what it shows, and that this agrees with the engine."""

import itertools
import json
import math
import re
import threading
import weakref

import numpy as np
import pytest
from playwright.sync_api import expect

from app.server.memory import MEMORY
from app.server.session import CONDUCTOR, VISITS
from engine import Choice, Status
from tests.browser.tab import ONE_PLOT, SCREEN, at_test_pace, wait_for, whole
from tests.served_page import forget_the_left
from tests.waiting import PATIENCE

VIEWS = ("loss", "accuracy", "updates", "activations")
# How far the edges of a plot are from those of the window.
ROOM_AROUND = """name => {
    const model = window.babysit.model(`view:${name}`)
    const {left, top, right, bottom} = Bokeh.index.find_one(model).el.getBoundingClientRect()
    return [left, top, innerWidth - right, innerHeight - bottom]
}"""
EIGHT_DRAWINGS = """async () => {
    for (let n = 0; n < 8; n++) await new Promise(requestAnimationFrame)
}"""


def test_material_is_compiled_once_and_fonts_are_those_of_the_characters_that_there_are(shared):
    def loaded(words: str) -> list[str]:
        return shared.page.evaluate(
            """words => performance.getEntriesByType("resource")
                .filter(({name}) => name.includes(words))
                .map(({initiatorType}) => initiatorType)""",
            words,
        )

    shared.wait_for(lambda: loaded("roboto-latin-400"))  # it comes last where all are loaded
    assert loaded("roboto-vietnamese") == loaded("roboto-cyrillic") == []
    assert loaded("panel-material-ui.bundle.js") == ["other"]  # ahead, not to become a blob


def test_all_four_plots_receive_frames(shared):
    shared.play()
    before = {view: shared.source(view) for view in VIEWS}
    for view in VIEWS:
        shared.wait_for(lambda view=view: shared.source(view) != before[view])
        assert all(len(column) > 0 for column in shared.source(view).values()), view


def test_the_browser_shows_what_the_engine_measured(shared):
    curves = shared.snapshot.curves
    shown = shared.source("loss")
    assert shown["step"] == curves["step"].tolist()
    for name, curve in {"batches": "loss", "low": "loss_low", "train": "loss_average"}.items():
        assert shown[name] == pytest.approx(curves[curve].tolist(), rel=1e-3)
    for source, curve in {
        "loss.validation": "validation_loss",
        "accuracy": "validation_accuracy",
    }.items():
        judged = curves[curve][np.isfinite(curves[curve])]
        assert shared.source(source)["validation"] == pytest.approx(judged.tolist(), rel=1e-3)
    measured = np.isfinite(curves["penalty"])
    ratios = shared.source("updates")
    for number, tensor in enumerate(shared.snapshot.tensors, start=1):
        expected = curves[f"ratio {tensor.name}"][measured].tolist()
        assert ratios[f"W{number}"] == pytest.approx(expected, rel=1e-3, nan_ok=True)


def test_no_row_is_drawn_twice_when_plots_become_visible(shared):
    shared.play()
    width = shared.page.viewport_size["width"]
    for height in (300, 900) * 15:
        shared.page.set_viewport_size({"width": width, "height": height})
        shared.page.evaluate(EIGHT_DRAWINGS)  # a requested frame may be on its way
    shared.wait_for_frames(2)
    steps = shared.source("loss")["step"]
    assert all(earlier < later for earlier, later in itertools.pairwise(steps))


def test_a_streaming_page_sends_nothing_on_the_document_socket(shared):
    shared.play()
    before = {view: len(shared.source(view)["step"]) for view in VIEWS[:3]}
    shared.page.evaluate(
        """() => {
            const prototype = WebSocket.prototype
            const {send} = prototype
            window.sent = []
            window.stop_listening = () => { prototype.send = send }
            prototype.send = function(data) {
                if (this.url.endsWith("/ws")) { window.sent.push(data) }
                return send.call(this, data)
            }
        }"""
    )
    shared.wait_for_frames(5)
    shared.page.evaluate("stop_listening()")
    assert shared.page.evaluate("window.sent") == []
    assert all(len(shared.source(view)["step"]) > before[view] for view in VIEWS[:3])


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_first_screen_needs_no_scrolling(shared, width):
    shared.page.set_viewport_size({"width": width, "height": 768 if width == 1024 else 900})
    shared.settle()
    for view in VIEWS:
        shared.wait_for(lambda view=view: min(shared.page.evaluate(ROOM_AROUND, view)) >= 0)
    shared.page.set_viewport_size(SCREEN)


def test_pause_step_and_play(shared):
    shared.play()
    shared.press("Pause")
    shared.wait_for(lambda: shared.text("status") == "paused")
    step = shared.snapshot.step
    shared.page.get_by_role("button", name="Step", exact=True).click()
    shared.wait_for(lambda: shared.text("step") == f"{step + 1:,}")
    assert shared.source("loss")["step"][-1] == step + 1
    shared.press("Play")
    shared.wait_for(
        lambda: shared.text("status") == "running" and shared.channel("step") > step + 1
    )


def test_restart_gives_the_same_run_and_new_seed_another(tab):
    tab.play()
    tab.wait_for(lambda: tab.channel("row") > 60)
    first = tab.source("loss")["train"][:50]
    tab.press("Restart")
    tab.wait_for(lambda: tab.channel("run") == 2 and tab.channel("row") > 60)
    assert tab.source("loss")["step"][:50] == list(range(50))
    assert tab.source("loss")["train"][:50] == first
    tab.press("New seed")
    tab.wait_for(lambda: tab.channel("run") == 3 and tab.channel("row") > 60)
    assert tab.snapshot.config.seed == 1
    assert tab.source("loss")["train"][:50] != first


def test_the_learning_rate_acts_without_a_reset_and_leaves_a_marker(tab):
    tab.play()
    ratio = tab.source("updates")["W1"][-1]
    step = tab.snapshot.step
    tab.slide("Learning rate", "Home")
    tab.wait_for(lambda: tab.snapshot.config.optimization.learning_rate == 1e-6)
    tab.wait_for(lambda: tab.source("loss.markers")["step"])
    assert tab.snapshot.run == 1 and tab.snapshot.step > step
    for view in ("loss", "accuracy", "updates"):
        assert tab.source(f"{view}.markers")["label"] == ["Learning rate 0.01 → 1e-6"]
    tab.wait_for(lambda: tab.source("updates")["W1"][-1] < ratio / 100)


def test_l2_acts_without_a_reset(tab):
    tab.play()

    def weights() -> float:
        return float(tab.snapshot.curves.last("penalty") / tab.snapshot.config.optimization.l2)

    before = weights()
    tab.page.get_by_role("slider", name="L2 strength").focus()
    for _ in range(4):
        tab.page.keyboard.press("PageUp")  # ten stops, one power of ten
    tab.wait_for(lambda: tab.snapshot.config.optimization.l2 == 1.0)
    tab.wait_for(lambda: weights() < before / 10)
    tab.slide("L2 strength", "Home")
    tab.wait_for(lambda: tab.snapshot.config.optimization.l2 == 0.0)
    assert tab.snapshot.run == 1


def test_the_activation_switches_without_a_reset(tab):
    tab.play()
    tab.choose("Activation", "sigmoid")
    tab.wait_for(lambda: tab.snapshot.config.model.activation == Choice("sigmoid"))
    tab.wait_for(lambda: tab.snapshot.layers[0].zero == 0)
    hidden = tab.snapshot.layers[0]
    assert hidden.counts[: len(hidden.counts) // 2].sum() == 0
    tab.wait_for(lambda: tab.source("activations.rows")["zero"][0] == "0\N{NO-BREAK SPACE}% zero")
    assert tab.snapshot.run == 1
    tab.choose("Activation", "leaky ReLU")
    tab.slide("leaky ReLU slope below", "End")
    chosen = Choice("leaky ReLU", {"slope_below": 0.5})
    tab.wait_for(lambda: tab.snapshot.config.model.activation == chosen)


def test_the_initializer_redraws_the_weights_of_the_running_network(tab):
    tab.train(1000)
    tab.wait_for(lambda: tab.snapshot.curves.last("validation_accuracy") > 0.9)
    tab.choose("Initializer", "unit normal")
    tab.wait_for(lambda: tab.snapshot.config.model.initializer == Choice("unit normal"))
    parameters = CONDUCTOR.slot(tab.visit.handle).experiment.network.parameters
    assert parameters.theta[: parameters.regularized].std() == pytest.approx(1, rel=0.05)
    tab.page.get_by_role("button", name="Step", exact=True).click()
    tab.wait_for(lambda: tab.snapshot.curves.last("validation_accuracy") < 0.5)
    assert tab.snapshot.run == 1


def test_divergence_is_reported_and_restart_works(tab):
    tab.play()
    tab.slide("Learning rate", "End")
    alert = tab.page.get_by_role("alert")
    alert.wait_for()
    tab.wait_for(lambda: tab.text("status") == "diverged")
    expect(alert).to_contain_text(f"step {tab.snapshot.step:,}", use_inner_text=True)
    expect(alert).to_contain_text("learning rate of 1e6 is too high", use_inner_text=True)
    expect(tab.page.get_by_role("button", name="Play")).to_be_disabled()
    flags = tab.page.locator("[name=loss] .flag")  # the divergence itself is no change
    expect(flags.filter(has_text="→ 1e6")).to_have_count(1)
    expect(flags.filter(has_text="changes")).to_have_count(0)
    assert sum(tab.source("activations")["top0"]) > 0  # the last finite histogram stays
    tab.press("Fix it")
    tab.wait_for(lambda: tab.text("status") == "running" and tab.channel("run") == 2)
    alert.wait_for(state="detached")
    tab.press("Restart")
    tab.wait_for(lambda: tab.text("status") == "running" and tab.channel("run") == 3)
    tab.wait_for_frames(3)
    assert tab.snapshot.status is Status.RUNNING


def test_numbers_that_are_not_finite_reach_the_browser(tab):
    assert math.isnan(tab.source("updates")["W1"][0])  # none before the first update


def test_another_data_set_starts_a_new_run_with_a_loss_that_fits_it(tab):
    tab.play()
    for run, (dataset, loss) in enumerate(
        [("spiral", "softmax cross-entropy"), ("plane", "mean squared error")], start=2
    ):
        tab.choose("Data set", dataset)
        tab.wait_for(lambda run=run: tab.snapshot.run == run)
        tab.wait_for(lambda: tab.snapshot.step > 500)
        tab.wait_for(lambda loss=loss: tab.snapshot.config.optimization.loss == Choice(loss))
    assert tab.snapshot.metrics.validation_accuracy > 0.9  # R²


def test_a_finding_is_shown_fixed_and_undone(tab):
    tab.choose("Initializer", "unit normal")
    tab.press("Show me")
    tab.page.locator(".pointed-at").wait_for()
    tab.press("Fix it")
    tab.wait_for(lambda: tab.menu("Initializer") == "Xavier")
    tab.press("Undo")
    tab.wait_for(lambda: tab.menu("Initializer") == "unit normal")


def test_after_a_divergence_is_fixed_the_tab_is_open_that_was_open_before(tab):
    tab.play()
    tab.page.get_by_role("tab", name="Data", exact=True).click()
    tab.slide("Learning rate", "End")
    tab.press("Show me")
    autopsy = tab.page.get_by_role("tab", name="Autopsy")
    expect(autopsy).to_have_attribute("aria-selected", "true")
    tab.press("Fix it")
    data = tab.page.get_by_role("tab", name="Data", exact=True)
    expect(data).to_have_attribute("aria-selected", "true")
    expect(autopsy).to_have_attribute("aria-selected", "false")


def test_layers_are_added_and_removed(tab):
    tab.play()
    tab.write("Hidden layers", "20, 20, 20, 20")
    tab.wait_for(lambda: "top4" in tab.source("activations"))
    tab.wait_for(lambda: len(tab.source("updates").get("W5", [])) > 5)
    assert tab.snapshot.run == 2
    assert tab.channel("run") == 2
    tab.press("convolutions")
    tab.write("Convolutions", "3 of 3x3")
    tab.wait_for(lambda: tab.snapshot.layers[0].name == "maps 1")
    tab.wait_for(lambda: "top5" in tab.source("activations"))
    tab.write("Convolutions", "")
    tab.write("Hidden layers", "")
    tab.wait_for(lambda: [layer.name for layer in tab.snapshot.layers] == ["scores"])
    tab.wait_for(lambda: len(tab.source("loss")["step"]) > 50)


def test_illegal_layers_are_refused_with_a_message(tab):
    tab.write("Hidden layers", "sixty-four")
    tab.page.get_by_text("layers are written like").wait_for()
    tab.write("Hidden layers", "64, 64, 64")
    tab.wait_for(lambda: len(tab.snapshot.tensors) == 4)
    tab.page.get_by_text("layers are written like").wait_for(state="detached")
    tab.press("convolutions")
    tab.write("Convolutions", "8 of 9x9")
    tab.page.get_by_text("does not fit into an image of 8").wait_for()
    assert tab.snapshot.run == 2


# The server changes a setting while the sidebar is drawn for the first time.
CHANGED_EARLY = """
const parse = JSON.parse
JSON.parse = (text, ...rest) => {
  const parsed = parse(text, ...rest)
  if (parsed?.groups != null && parsed.scales != null) {
    JSON.parse = parse
    const models = window.Bokeh.documents.flatMap((page) => [...page.all_models])
    const model = models.find((model) => model.attributes.schema == text)
    const {state} = model.attributes
    model.setv({state: {...state, values: {...state.values, CHANGED}}}, {sync: false})
  }
  return parsed
}
"""


def test_a_setting_that_changes_while_the_sidebar_is_drawn_is_shown(page, address):
    page.add_init_script(CHANGED_EARLY.replace("CHANGED", "activation: 'tanh'"))
    page.goto(address)
    menu = page.get_by_role("combobox", name=re.compile("^Activation"))
    expect(menu).to_have_text("tanh")


def test_a_run_is_followed_while_none_of_its_plots_is_visible(tab):
    tab.play()
    tab.page.get_by_role("tab", name="Lab").click()
    tab.wait_for(lambda: tab.page.evaluate("document.body && window.babysit.frames") > 0)
    tab.page.get_by_role("heading", name="Loss").wait_for(state="hidden")
    step = tab.channel("step")
    tab.wait_for_frames(2)
    assert tab.channel("step") > step
    tab.press("Pause")
    tab.wait_for(lambda: tab.text("status") == "paused")
    tab.page.get_by_role("tab", name="Knobs").click()
    tab.page.get_by_role("heading", name="Loss").wait_for()
    tab.wait_for(lambda: tab.source("loss")["step"][-1] == tab.snapshot.curves["step"][-1])


def test_two_tabs_do_not_disturb_each_other_and_closing_one_frees_its_experiment(open_tab):
    stays, leaves = open_tab(ONE_PLOT), open_tab(ONE_PLOT)
    whole(leaves)
    leaves.slide("Learning rate", "End")
    leaves.wait_for(lambda: leaves.text("status") == "diverged")
    stays.wait_for_frames(2)
    assert stays.text("status") == "running"
    assert stays.snapshot.config.optimization.learning_rate == 0.01
    assert not stays.snapshot.markers
    assert len(CONDUCTOR) == 2
    page = weakref.ref(leaves.visit.parts.layout.page)
    leaves.window.close()
    forget_the_left()
    stays.wait_for(lambda: len(CONDUCTOR) == 1)
    assert list(VISITS) == [stays.session]

    def freed() -> bool:
        MEMORY.check()  # as the server does every other second; others are here
        return page() is None

    stays.wait_for(freed)
    stays.wait_for_frames(3)
    stays.window.close()
    stays_thread = [t for t in threading.enumerate() if t.name == "conductor"]
    for thread in stays_thread:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_the_page_opens_moving_and_its_first_plot_moves_before_the_others_are_drawn(page, address):
    sent: list[dict[str, object]] = []

    def listen(socket) -> None:
        if socket.url.endswith("/frames"):
            socket.on("framesent", lambda message: sent.append(json.loads(message)))

    page.on("websocket", listen)
    page.goto(address)

    def asked() -> list[set[str]]:
        return [set(message["views"]) for message in sent if message.get("views")]

    wait_for(page, lambda: any(views >= set(VIEWS) for views in asked()))
    assert asked()[0] == {"loss"}
    for name in ("Loss", "Accuracy", "Update / weight", "Activations"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert page.title() == "Babysit"
    assert page.locator('[data-text="status"]').inner_text() == "running"
    step = page.evaluate("window.babysit.step")
    page.wait_for_function(f"window.babysit.step > {step}")


def test_the_settings_come_with_the_page_before_any_plot(page, address):
    page.route_web_socket("**/frames", lambda socket: None)  # never answered
    page.goto(address)
    page.get_by_role("slider", name="Learning rate").wait_for()
    page.get_by_role("combobox", name="Activation").wait_for()
    assert page.evaluate("window.babysit?.frames ?? 0") == 0


def test_another_bokeh_gives_a_warning_and_the_page_still_starts(page, address):
    warnings = []
    page.on("console", lambda message: warnings.append(message.text))

    def rename(route) -> None:
        response = route.fetch()
        code = response.text()
        for method in ('"_update"', '"update_position"'):
            assert method in code
            code = code.replace(method, '"renamed"')
        route.fulfill(response=response, body=code)

    page.route("**/static/bokeh_patches.js*", rename)
    page.goto(at_test_pace(f"{address}?{ONE_PLOT}"))
    page.wait_for_function("window.babysit?.frames > 0")
    told = [words for words in warnings if "renamed any more" in words]
    assert len(told) == 2
