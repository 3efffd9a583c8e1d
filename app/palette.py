"""The colours of the page: the only place for colour literals.

They are readable on white and on black. With the line dashes they can be distinguished without
colour vision. Each colour has the same meaning in every plot.
"""

import math

TRAIN = "#2f7fd6"

VALIDATION = "#e8751a"

VALIDATION_DASH = "dashed"

STRIP = "#3f6fb5"  # histograms along the run; more opaque where there are more values

STRIP_PALETTE = tuple(f"{STRIP}{round(255 * (share / 255) ** 0.7):02x}" for share in range(256))

GAP = "#c9a227"  # between the two

LAYERS = (  # CIE76 distance at least 23 for any two, also for red- and green-blind people
    "#0e773e",
    "#8168ed",
    "#ae8c16",
    "#319ac9",
    "#ed6e7d",
    "#865081",
)  # first to last, repeated

LAYER_DASHES = ("solid", "dashed", "dotdash")  # the next one when the colours repeat

FORWARD = "#7c68dc"  # what goes forward through the layers: the signal

BACKWARD = "#bf6022"  # the gradient, on its way back

PINNED = ("#b5487f", "#9c6b30", "#486642", "#2a9d8f", "#7b5ea7", "#6d8b1e")  # runs to compare with

SLIDE = "#bf7a00"  # what the lecture prints

PLAIN = ""  # the colour of a number in a headline that belongs to no line or bar

TICKS = "#757b85"  # text along axes, on white and on black

QUIET = "#8a8f98"  # grids, ticks, reference lines

ACCENT = "#d62f4b"  # what deserves attention: markers, the bar of exact zeros

INK = "#5d636c"  # behind white text

HEALTHY = "#157355"  # ... of a run without findings

GOOD = "#1b8a68"  # the healthy range, and a run that does well


def dash(layer: int) -> str:
    """The line dash of a layer, so that colour is never the only difference."""
    return LAYER_DASHES[layer // len(LAYERS) % len(LAYER_DASHES)]


def colour(layer: int) -> str:
    """The colour of a layer, in every plot."""
    return LAYERS[layer % len(LAYERS)]


def past(place: int) -> str:
    """The colour of a pinned run."""
    return PINNED[place % len(PINNED)]


NEGATIVE = "#2f74d0"

POSITIVE = "#d8432f"

CLASSES = (
    "#3f78c4",
    "#e07b39",
    "#2a9d6a",
    "#b65fc2",
    "#c9a227",
    "#35a7bd",
    "#d2557f",
    "#7d7f87",
)  # of points on a plane, repeated

GREY = 150  # a point with the value 0: visible on white and on black

COLOUR_LEVELS = 6  # of red, green and blue in a coloured picture


def sheer(colour: str, opacity: float) -> str:
    """A transparent colour, which is readable on white and on black."""
    return f"{colour}{round(255 * opacity):02x}"


# For bytes: 0 is the most negative, 128 is zero, 255 the most positive.
DIVERGING = [sheer(NEGATIVE, (128 - n) / 128) for n in range(128)] + [
    sheer(POSITIVE, (n - 128) / 127) for n in range(128, 256)
]

# 0 is no picture, then from black to white.
GREYS = [sheer("#000000", 0), *(f"#{n:02x}{n:02x}{n:02x}" for n in range(1, 256))]

# Red, green and blue as the digits of a number; unused entries come last.
COLOURS = [
    "#" + "".join(f"{round(255 * level / (COLOUR_LEVELS - 1)):02x}" for level in (red, green, blue))
    for red in range(COLOUR_LEVELS)
    for green in range(COLOUR_LEVELS)
    for blue in range(COLOUR_LEVELS)
]

COLOURS += [sheer("#000000", 0)] * (256 - len(COLOURS))

# 0 is never, up to 127 more and more wrong, from 128 on more and more right.
MISTAKES = [sheer(ACCENT, 0 if n == 0 else 0.12 + 0.6 * n / 127) for n in range(128)] + [
    sheer(GOOD, 0.4 * (n - 128) / 127) for n in range(128, 256)
]


def territory(classes: int) -> list[str]:
    """For bytes: the colour of each class in turn, by increasing certainty; 256 entries in all."""
    levels = 256 // classes
    colours = [
        sheer(CLASSES[n % len(CLASSES)], 0.08 + 0.52 * level / max(1, levels - 1))
        for n in range(classes)
        for level in range(levels)
    ]
    return colours + [sheer("#000000", 0)] * (256 - len(colours))


def points(classes: int) -> list[str]:
    """The colour of a point of each class."""
    return [CLASSES[n % len(CLASSES)] for n in range(classes)]


def blended(share: float) -> str:
    """An opaque colour of `DIVERGING`: from 0, negative, to 1, positive."""
    end, part = (POSITIVE, 2 * share - 1) if share > 0.5 else (NEGATIVE, 1 - 2 * share)
    mixed = (round(GREY + part * (int(end[n : n + 2], 16) - GREY)) for n in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


# A validation accuracy has the same colour in every plot of every search. The scale is stretched
# near 100 %, where good trials differ little.
SCORES = ("#8a8f98", "#8f6fd0", "#2f7fd6", "#1b9e77", "#c9a227")

SCORES_SHOWN = (0.5, 0.8, 0.9, 0.95)

SCORE_STEPS = 64

STRETCH = 3.0


def score_place(score: float) -> float:
    """The place of a score on the colour scale, from 0 to 1."""
    return 0.0 if math.isnan(score) else min(max(score, 0.0), 1.0) ** STRETCH


def score_colour(score: float) -> str:
    """The colour of a validation accuracy; grey if it is unknown, or as bad as possible."""
    place = round(SCORE_STEPS * score_place(score)) / SCORE_STEPS * (len(SCORES) - 1)
    first = min(int(place), len(SCORES) - 2)
    low, high = ([int(SCORES[n][i : i + 2], 16) for i in (1, 3, 5)] for n in (first, first + 1))
    mixed = (round(a + (b - a) * (place - first)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
