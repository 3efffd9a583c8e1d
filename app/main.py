"""Entry point of `panel serve app`."""

from app.session import open_page

open_page()
