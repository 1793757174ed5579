"""The Teach page: ratings teach a checkpoint, which can then answer in the place of the one before."""

from ui.pages.teach.page import teach_page

__all__ = ["teach_page"]
