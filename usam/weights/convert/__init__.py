"""Readers for foreign weight files, and what maps them onto this project's modules."""
