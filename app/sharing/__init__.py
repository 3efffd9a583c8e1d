"""What can be saved or shared of a run: links, files, reports, pinned runs, uploads."""
