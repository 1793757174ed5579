"""The record of an answer."""
