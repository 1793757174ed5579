"""What the judgements say: agreement between people, preferences between models, ratings against internals.

Every figure comes with its count and a 95 % interval, so that a pattern is not mistaken for a proof.
"""
