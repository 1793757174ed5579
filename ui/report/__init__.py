"""One answer as a file."""
