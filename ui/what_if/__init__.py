"""Change what the language model hears, and ask again."""
