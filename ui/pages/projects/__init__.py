"""The Projects page: what a team rates together, imported, watched and exported."""

from ui.pages.projects.page import projects_page

__all__ = ["projects_page"]
