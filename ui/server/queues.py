"""The queues that requests wait in, by their `concurrency_id`; Gradio keeps one for each."""

MODEL = "model"
"""For all that asks the model a question."""
STUDY = "study"
"""For experiments on an answer. The engine is free between their passes, so questions need not wait."""
