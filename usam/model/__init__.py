"""U-SAM put together."""
