"""Section 9 of the lecture, announced for part 2: update rules, schedules, dropout."""

from engine.lessons.bundled_lessons import bundled

SECTION = "Summary and part 2"

bundled("update-rules")
bundled("schedules")
bundled("dropout")
