"""The Browse page: everything that is stored, to look through and to search, for whoever runs the app."""

from ui.pages.browse.page import browse_page

__all__ = ["browse_page"]
