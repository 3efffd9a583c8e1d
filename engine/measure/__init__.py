"""What is measured of a run, one file a quantity, and the snapshot that holds it all."""
