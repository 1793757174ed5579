"""The inspector's browser side."""
