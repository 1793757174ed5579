"""The web app: a Gradio page around `usam.engine` and `storage.feedback`."""
