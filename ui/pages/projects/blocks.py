"""What the Projects page's handlers read, fill and change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class Description:
    name: gr.Textbox
    wanted: gr.Number
    everyone: gr.Checkbox
    people: gr.Textbox
    guidelines: gr.Textbox
    save: gr.Button
    close: gr.Button
    saved: gr.HTML

    @property
    def fields(self) -> list[Any]:
        return [self.name, self.wanted, self.everyone, self.people, self.guidelines]


@dataclass(frozen=True)
class ImportForm:
    """looking: ticks while an import is under way, or will go on by itself."""

    files: gr.File
    task: gr.Dropdown
    question: gr.Textbox
    start: gr.Button
    stop: gr.Button
    retry: gr.Button
    discard: gr.Button
    status: gr.HTML
    state: gr.HTML
    looking: gr.Timer

    @property
    def shown(self) -> list[Any]:
        return [self.stop, self.retry, self.discard, self.status, self.state, self.looking]


@dataclass(frozen=True)
class GoldForm:
    words: gr.Textbox
    listed: gr.HTML
    item: gr.Dropdown
    thumb: gr.Radio
    score: gr.Radio
    text: gr.Textbox
    mark: gr.Button
    unmark: gr.Button
    marked: gr.HTML


@dataclass(frozen=True)
class ProjectsBlocks:
    """chosen: everything about one project."""

    password: gr.Textbox
    overview: gr.HTML
    choice: gr.Dropdown
    refresh: gr.Button
    about: Description
    chosen: gr.Column
    importing: ImportForm
    gold: GoldForm
    progress: gr.HTML

    @property
    def shown(self) -> list[Any]:
        about, gold = self.about, self.gold
        return [
            self.overview, self.choice, *about.fields, about.save, about.close, about.saved, self.chosen,
            *self.importing.shown, gold.listed, gold.item, gold.marked, self.progress,
        ]  # fmt: skip
