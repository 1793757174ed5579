"""One training objective each, in the order they run."""
