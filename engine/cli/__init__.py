"""The command line: trains, repeats, searches, plays lessons and grades without a page."""
