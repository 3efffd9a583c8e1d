"""The command line: lists, trains, replays and searches without a page."""
