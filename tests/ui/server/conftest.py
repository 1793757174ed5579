"""These tests serve the app, too, and keep their uploads apart from another run's."""

from tests.browser.conftest import uploads_of_our_own

__all__ = ["uploads_of_our_own"]
