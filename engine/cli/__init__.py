"""The engine without a page: list what there is, train, replay; for a shell or another program."""
