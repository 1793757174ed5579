"""Training and evaluation of the adapter. Nothing here is needed to ask a question."""
