"""The class room on the page: what pages do as their room says."""
