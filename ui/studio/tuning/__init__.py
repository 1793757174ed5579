"""Teaching a model from ratings: a run and its progress, blind trials, promotion and what is kept of it."""
