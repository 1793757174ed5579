"""Around Gradio: middleware, sessions, downloads."""
