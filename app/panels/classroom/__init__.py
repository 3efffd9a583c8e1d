"""The class room on the page: what pages do in each state of their room."""
