"""Section 5 of the lecture, batch normalization."""

from engine.lessons.bundled_lessons import bundled

bundled("batch-norm-rescues")
bundled("batch-norm-needs-less-of-a-start")
bundled("batch-norm-bears-higher-rates")
