"""The Dashboard page: how the ratings went, how far people agree, and what internals have to do with it."""

from ui.pages.dashboard.page import dashboard_page

__all__ = ["dashboard_page"]
