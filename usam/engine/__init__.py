"""One loaded model, shared by threads."""
