"""What the app can do, without Gradio."""
