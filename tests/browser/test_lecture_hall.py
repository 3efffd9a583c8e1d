"""In projector mode all text can be read: large enough, nothing cut, nothing overlapping."""

import pytest

from tests.browser.tab import whole

SCREENS = [(1440, 900), (1280, 720)]
SMALLEST = 11  # pixels, for exponents; other text has 14 in plots and 15 on the page
PANELS = {  # of the sidebar, and a text that shows that each is complete
    "Lessons": "Predict, and it runs.",
    "Checks": "Run all checks",
    "Lab": "Beside the slide",
    "Search": "Start a search",
}
TABS = ("Signal", "Health", "Weights", "Data", "Functions", "Network", "Cost")

# Records the text on each canvas with its colour and clipping region, since the canvas was last
# cleared.
PENS = """
window.written = new Map()
const pen = CanvasRenderingContext2D.prototype
const clips = new WeakMap(), paths = new WeakMap()
const clips_of = (ctx) => clips.get(ctx) ?? clips.set(ctx, [null]).get(ctx)
function wrap(name, before) {
    const real = pen[name]
    pen[name] = function(...args) { before(this, ...args); return real.apply(this, args) }
}
function placed(ctx, left, top, right, bottom) {
    const m = ctx.getTransform()
    const at = [[left, top], [right, top], [left, bottom], [right, bottom]].map(
        ([x, y]) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f])
    const [xs, ys] = [at.map(([x]) => x), at.map(([, y]) => y)]
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
wrap("save", (ctx) => clips_of(ctx).push(clips_of(ctx).at(-1)))
wrap("restore", (ctx) => clips_of(ctx).length > 1 && clips_of(ctx).pop())
wrap("beginPath", (ctx) => paths.set(ctx, null))
wrap("rect", (ctx, x, y, w, h) => paths.set(ctx, placed(ctx, x, y, x + w, y + h)))
wrap("clip", (ctx) => { clips_of(ctx)[clips_of(ctx).length - 1] = paths.get(ctx) })
wrap("clearRect", (ctx) => written.set(ctx.canvas, []))
wrap("fillText", (ctx, text, x, y) => {
    const ink = ctx.measureText(text)
    const box = placed(ctx, x - ink.actualBoundingBoxLeft, y - ink.actualBoundingBoxAscent,
        x + ink.actualBoundingBoxRight, y + ink.actualBoundingBoxDescent)
    const size = Number(/([\\d.]+)px/.exec(ctx.font)[1])
    if (!written.has(ctx.canvas)) written.set(ctx.canvas, [])
    written.get(ctx.canvas).push({text: text.trim(), box, size, clip: clips_of(ctx).at(-1)})
})
"""

# All visible text, or text that would be visible if it were not cut: on the page and in plots.
WORDS = """() => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]
    )
    const elements = all(document.body)
    const up = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host
    const meet = (a, b) => b == null ? a : [
        Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]
    const edges = (e) => { const b = e.getBoundingClientRect()
        return [b.left, b.top, b.right, b.bottom] }
    // What an element has by itself and by those around it, of which each is looked at once.
    const inherited = (find) => {
        const known = new Map()
        return (e) => known.get(e) ?? known.set(e, find(e, up(e))).get(e)
    }
    // What an element is clipped to by those around it, by their scroll ports if they scroll.
    const EVERYWHERE = [-1e6, -1e6, 1e6, 1e6]
    const clip_of = inherited((e, around) => {
        const style = getComputedStyle(e), box = edges(e)
        let clip = EVERYWHERE
        if (style.overflowX == "hidden" || style.overflowX == "clip") {
            clip = meet(clip, [box[0], -1e6, box[2], 1e6])
        }
        if (style.overflowY == "hidden" || style.overflowY == "clip") {
            clip = meet(clip, [-1e6, box[1], 1e6, box[3]])
        }
        const scrolls = /auto|scroll/.test(style.overflowY) // what it shows can be scrolled to
        return scrolls || around == null ? clip : meet(clip, clip_of(around))
    })
    // ... and what of it is in sight just now.
    const sight_of = inherited((e, around) => {
        const {overflowX, overflowY} = getComputedStyle(e)
        const own = overflowX != "visible" || overflowY != "visible" ? edges(e) : EVERYWHERE
        return around == null ? own : meet(own, sight_of(around))
    })
    const hidden = inherited((e, around) => {
        const style = getComputedStyle(e)
        return style.clipPath != "none" || style.visibility == "hidden" || style.opacity == "0"
            || style.textOverflow == "ellipsis" || style.fontSize == "0px"
            || e.matches("fieldset") || (around != null && hidden(around))
    })
    const words = []
    for (const element of elements.filter((e) => !e.matches("style, script, .icon"))) {
        for (const node of element.childNodes) {
            const text = node.nodeType == Node.TEXT_NODE ? node.data.trim() : ""
            const range = document.createRange()
            range.selectNodeContents(node)
            const boxes = text.length > 1 ? [...range.getClientRects()] : []
            if (boxes.length == 0 || hidden(element) || !element.checkVisibility()) continue
            const size = parseFloat(getComputedStyle(element).fontSize)
            for (const {left, top, right, bottom} of boxes) {
                const trim = (bottom - top) * 0.2 // the line's own room
                words.push({text, size, box: [left, top + trim, right, bottom - trim],
                    clip: clip_of(element), sight: sight_of(element)})
            }
        }
    }
    for (const canvas of elements.filter((e) => e.matches("canvas"))) {
        const at = edges(canvas), scale = canvas.width / (at[2] - at[0])
        if (!(at[2] > at[0])) continue
        const move = (box) => box == null ? null :
            [0, 1, 2, 3].map((n) => at[n % 2] + box[n] / scale)
        for (const {text, box, size, clip} of window.written.get(canvas) ?? []) {
            if (text == "") continue
            words.push({text, size, box: move(box), sight: sight_of(canvas),
                clip: meet(meet(at, move(clip)), clip_of(canvas))})
        }
    }
    return words
}"""


@pytest.fixture
def hall(kept_tab):
    """A paused page in projector mode, whose canvases are recorded."""
    tab = kept_tab(in_the_hall)
    tab.page.get_by_role("tab", name="Knobs", exact=True).click()
    return tab


def in_the_hall(tab) -> None:
    whole(tab)
    tab.page.evaluate(PENS)  # redraws everything in larger type
    tab.press("Projector")
    tab.wait_for(lambda: tab.snapshot.step > 1000)
    tab.wait_for_frames(1)
    tab.press("Pause")


def test_all_text_of_the_run_can_be_read(hall):
    for name in TABS:
        hall.page.get_by_role("tab", name=name, exact=True).click()
        read(hall, name)


@pytest.mark.parametrize("panel", PANELS)
def test_all_text_of_a_panel_can_be_read(hall, panel):
    hall.page.get_by_role("tab", name=panel, exact=True).click()
    hall.page.get_by_text(PANELS[panel]).first.wait_for()
    read(hall, panel)


def read(hall, name: str) -> None:
    """Soon, when everything is drawn, all text can be read."""
    for width, height in SCREENS:
        hall.page.set_viewport_size({"width": width, "height": height})
        try:
            hall.wait_for(lambda: not faults(hall.page.evaluate(WORDS)))
        except AssertionError:
            pytest.fail(f"{name}, {width} wide: {faults(hall.page.evaluate(WORDS))}")


def faults(words: list[dict]) -> list[str]:
    """The text that cannot be read, and why."""
    found = [f"{w['text']!r} has {w['size']:.0f} px" for w in words if w["size"] < SMALLEST]
    found += [f"{w['text']!r} is cut" for w in words if not within(w["box"], w["clip"])]
    seen = [(word, meet(word["box"], word["sight"])) for word in words]
    seen.sort(key=lambda pair: pair[1][1])
    for number, (one, box) in enumerate(seen):
        for other, lower in seen[number + 1 :]:
            if lower[1] > box[3]:
                break
            if overlap(box, lower):
                found.append(f"{one['text']!r} is over {other['text']!r}")
    return sorted(set(found))


def meet(box: list[float], other: list[float]) -> list[float]:
    return [max(box[n], other[n]) if n < 2 else min(box[n], other[n]) for n in range(4)]


def within(box: list[float], clip: list[float]) -> bool:
    slack = 1.5  # pixels: drawn text is measured to the pixel
    return all(box[n] >= clip[n] - slack for n in (0, 1)) and all(
        box[n] <= clip[n] + slack for n in (2, 3)
    )


def overlap(one: list[float], other: list[float]) -> bool:
    across, down = (min(one[n + 2], other[n + 2]) - max(one[n], other[n]) for n in (0, 1))
    return across > 2 and down > 2
