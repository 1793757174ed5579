"""What the model's parts say alone, on the same clips."""
