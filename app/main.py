"""Entry point of `panel serve app`."""

from app.server.page_request import open_page

open_page()
