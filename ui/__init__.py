"""The web app: a Gradio page around `usam.engine.engine` and `storage`."""
