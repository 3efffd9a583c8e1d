"""Section 8 of the lecture, monitoring: what curves and update ratios reveal."""

from engine.lessons.bundled_lessons import bundled

bundled("fast-then-stuck")
bundled("flat-start-sudden-drop")
bundled("the-gap-is-overfitting")
bundled("no-gap-more-capacity")
bundled("update-ratio")
