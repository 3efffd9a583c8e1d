"""Entry point of `panel serve app`."""

from app.server.session import open_page

open_page()
