"""What the judgements show: agreement between people, preferences between models, ratings by internals.

Every figure comes with its count and a 95 % interval, so that a pattern is not mistaken for a proof.
"""
