"""The main page: ask about a clip."""
