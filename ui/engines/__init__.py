"""Which model is loaded."""
