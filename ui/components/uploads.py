"""Keeps a component that takes files to uploads and recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import gradio as gr

FileComponent = TypeVar("FileComponent", gr.Audio, gr.File)


def uploads_only(component: FileComponent) -> FileComponent:
    """Let the component refuse a URL in place of a file. Returns it.

    Gradio would fetch it for the visitor, however large. A subclass would be clearer, but Gradio writes
    a stub beside the source of each one, and the source may be read-only.
    """
    take = component.async_move_resource_to_block_cache

    async def take_file(url_or_file_path: str | Path | None) -> str | None:
        if str(url_or_file_path).lower().startswith(("http://", "https://")):
            raise gr.Error("Upload the file itself: addresses are not fetched.", print_exception=False)
        return await take(url_or_file_path)

    component.async_move_resource_to_block_cache = take_file  # type: ignore[method-assign]
    return component
