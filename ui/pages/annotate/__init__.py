"""The Annotate page: stored answers one after another, judged from the keyboard."""

from ui.pages.annotate.handlers import annotate_page

__all__ = ["annotate_page"]
