"""The Dashboard page: how the ratings went, how far people agree, and how ratings relate to internals."""

from ui.pages.dashboard.page import dashboard_page

__all__ = ["dashboard_page"]
