"""The queue of annotators, and what they mark."""
