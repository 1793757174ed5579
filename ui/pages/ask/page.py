"""The layout: one page, the panels in reading order, and the states it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ui.access.identity import Identity
from ui.components.annotator_state import annotator_state
from ui.components.connection import connection_notice
from ui.components.rating import RatingPanel, rating_panel
from ui.components.tour import tour_panel
from ui.inspector.panel import InspectorPanel, inspector_panel
from ui.pages.ask import render
from ui.pages.ask.answer import AnswerPanel, answer_panel
from ui.pages.ask.clip import ClipPanel, clip_panel
from ui.pages.ask.comparison import ComparisonPanel, comparison_panel
from ui.pages.ask.history import HistoryPanel, history_panel
from ui.pages.ask.privacy import PrivacyPanel, privacy_panel
from ui.pages.ask.question import QuestionPanel, question_panel
from ui.pages.ask.recording import RecordingPanel, recording_panel
from ui.settings import Settings
from ui.studio.session import Session
from ui.what_if.panel import WhatIfPanel, what_if_panel
from usam.checkpoints.layout import CARD, bundled


@dataclass(frozen=True)
class Page:
    banner: gr.HTML
    who: gr.HTML
    clip: ClipPanel
    recording: RecordingPanel
    question: QuestionPanel
    answer: AnswerPanel
    inspector: InspectorPanel
    what_if: WhatIfPanel
    rating: RatingPanel
    comparison: ComparisonPanel
    history: HistoryPanel
    privacy: PrivacyPanel
    session: gr.State
    annotator: gr.BrowserState
    loading: gr.Timer


def model_card(preset: str) -> str:
    """The adapter's own README, without its front matter; empty when there is none."""
    file = bundled(preset) / CARD
    text = file.read_text() if file.is_file() else ""
    return text.split("\n---\n", 1)[-1] if text.startswith("---\n") else text


def build_page(settings: Settings, identity: Identity, checkpoints: Sequence[str] = ()) -> Page:
    """Lay out every panel. Called inside a `gr.Blocks` context.

    checkpoints: those that *What if* can ask, the app's own first; by default that alone.
    """
    card = model_card(settings.preset)
    gr.Navbar(main_page_name="Studio")
    with gr.Row(elem_id="top"):
        gr.HTML(render.HEADER)
        banner = gr.HTML("", elem_id="banner")
        connection_notice()
        who = gr.HTML("", elem_id="who")
        if settings.oauth:
            gr.LoginButton(size="sm", min_width=180, scale=0, elem_id="login")
    tour_panel()
    # In the order of a phone; where there is room, style.css lays them beside each other.
    with gr.Row(elem_id="work"):
        with gr.Column(min_width=280, elem_id="source"):
            clip = clip_panel(settings)
        with gr.Column(min_width=280, elem_id="talk"):
            question = question_panel()
            clip.keep.render()
            gr.HTML(render.limits(card=bool(card)), elem_id="limits")
        with gr.Column(min_width=280, elem_id="whole-recording"):
            recording = recording_panel()
        with gr.Column(min_width=280, elem_id="side"):
            with gr.Column(elem_id="reply"):
                answer = answer_panel()
            with gr.Column(elem_id="rate"):
                rating = rating_panel(settings.dimensions)
            history = history_panel()
        with gr.Column(min_width=280, elem_id="inside"):
            gr.HTML("<h2>Inside the answer</h2>")
            inspector = inspector_panel()
            what_if = what_if_panel(checkpoints or [settings.preset], settings.quantization)
    comparison = comparison_panel()
    privacy = privacy_panel(settings)
    gr.HTML(render.STAND_INS)
    if card:
        with gr.Accordion("Model card", open=False, elem_id="card"):
            gr.Markdown(card)
    return Page(
        banner,
        who,
        clip,
        recording,
        question,
        answer,
        inspector,
        what_if,
        rating,
        comparison,
        history,
        privacy,
        session=gr.State(Session()),
        annotator=annotator_state(identity),
        loading=gr.Timer(1.0),
    )
