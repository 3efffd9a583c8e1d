"""Every statistic of a run, one file each, and the snapshot that collects them."""
