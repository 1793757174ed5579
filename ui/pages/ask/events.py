"""What happens when: attaches the handlers of the page to its events."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ui.components.rating import connect_rating
from ui.components.visit import FORGET_JS, RATED_JS, SEND_VISIT_JS
from ui.inspector.annotations import Marks, connect_marks
from ui.inspector.panel import SAVE_JS
from ui.pages.ask.clip import ClipHandlers
from ui.pages.ask.comparison import ComparisonHandlers, connect_comparison
from ui.pages.ask.display import Display
from ui.pages.ask.handlers import AskHandlers
from ui.pages.ask.opening import OpeningHandlers
from ui.pages.ask.page import Page
from ui.pages.ask.privacy import connect_privacy
from ui.pages.ask.question import placeholder, suggested
from ui.pages.ask.recording.handlers import connect_recording
from ui.pages.ask.session_handlers import SessionHandlers
from ui.pages.ask.span import FIELDS_JS, REGION_JS
from ui.server.queues import MODEL
from ui.studio.service import Studio
from ui.what_if.handlers import connect_what_if

TO_ANSWER_JS = """() => {
  if (document.querySelector(".tour-target")) return;  // the tour shows the way
  const answer = document.querySelector("#reply");
  const { top } = answer.getBoundingClientRect();
  if (top >= 0 && top <= innerHeight / 4) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  answer.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
}"""
"""The page goes to the answer that is being written: from there picture and rating are in view as well."""
_FOCUS_QUESTION_JS = "() => setTimeout(() => document.querySelector('#question textarea')?.focus(), 80)"


def display_of(page: Page, studio: Studio) -> Display:
    return Display(
        page.session,
        page.question,
        page.answer,
        page.inspector,
        page.what_if,
        page.rating,
        page.comparison,
        page.history,
        studio.feedback,
        studio.clips,
        studio.pool.measured_routing,
    )


def connect(demo: gr.Blocks, page: Page, studio: Studio) -> None:
    """Attach every handler to its event. Only what needs the model waits in the model's queue."""
    clip, question, answer, rating, session = page.clip, page.question, page.answer, page.rating, page.session
    display = display_of(page, studio)
    opening = OpeningHandlers(
        page.annotator, page.who, page.banner, page.loading, clip.audio, display, studio
    )
    asking = AskHandlers(display, studio)
    clips = ClipHandlers(clip, display, studio)
    answers = SessionHandlers(display, clip.audio, studio)
    everything = [
        block
        for panel in (
            clip,
            question,
            answer,
            page.inspector,
            page.what_if,
            rating,
            page.comparison,
            page.history,
            page.privacy,
        )
        for block in vars(panel).values()
        if isinstance(block, gr.blocks.Block)
    ]
    everything += [*rating.fields, session, page.annotator, page.banner, page.who, page.loading]
    quiet: dict[str, Any] = {"outputs": everything, "show_progress": "hidden", "api_visibility": "private"}
    fast: dict[str, Any] = {**quiet, "queue": False}
    # In the queue, the only place from where a refusal shows; few outputs, because it marks every one.
    reserving: dict[str, Any] = {
        **quiet,
        "outputs": [question.ask, question.stop, answer.notice, answer.heard],
    }
    at_once = studio.settings.at_once
    model: dict[str, Any] = {**quiet, "concurrency_id": MODEL, "concurrency_limit": at_once}

    def going(turn: Dependency) -> None:
        turn.success(None, js=TO_ANSWER_JS)

    def task_changed(task: str) -> dict[Any, Any]:
        return {question.text: placeholder(task)}

    loaded_page = demo.load(opening.opened, [page.annotator, page.history.visit], js=SEND_VISIT_JS, **fast)
    loaded_page.then(opening.router_reported, None, **fast)
    connect_recording(
        page.recording,
        clip.audio,
        clip.english,
        page.annotator,
        [clip.whole.click],
        studio,
        loaded_page,
        fast,
        quiet,
    )
    demo.unload(opening.left)
    page.loading.tick(opening.load_state, None, **fast).then(opening.router_reported, None, **fast)

    beside = [clip.audio, session, page.annotator]
    clip.audio.change(clips.clip_changed, beside, **quiet)
    # In the browser alone, so that no question is asked before its span has come through.
    span = [clip.start, clip.length]
    changed = [clips.span_changed, [*span, clip.chosen, session]]
    latest: dict[str, Any] = {**fast, "trigger_mode": "always_last"}
    clip.region.chosen(None, clip.region, span, js=FIELDS_JS, trigger_mode="multiple").then(
        *changed, **latest
    )
    gr.on([field.input for field in span], None, span, clip.region, js=REGION_JS, trigger_mode="multiple")
    typed = [event for field in span for event in (field.submit, field.blur)]
    gr.on(typed, *changed, **latest)
    drawn = {**quiet, "outputs": clip.region}
    clip.region.opened(clips.waveform, [clip.audio, clip.chosen], **drawn)
    clip.region.hear(clips.hear, [clip.audio, *span, clip.chosen], **drawn)
    question.task.change(task_changed, question.task, **fast)

    asked = [clip.audio, question.task, question.text, clip.start, clip.length, clip.chosen, clip.keep]
    asked += [question.seed, question.temperature, session, page.annotator]
    turn = gr.on([question.ask.click, question.text.submit], asking.reserve, None, **reserving)
    going(turn)
    turn.success(asking.ask, asked, **model).then(asking.release, beside, **fast)
    turn = answer.retry.click(asking.reserve, None, **reserving)
    retried = [clip.audio, clip.keep, session, page.annotator]
    turn.success(asking.retry, retried, **model).then(asking.release, beside, **fast)
    for kind, examples in clip.examples.items():
        turn = examples.click(asking.reserve, None, **reserving)
        going(turn)
        loaded = turn.success(partial(clips.example_chosen, kind), [examples, session], **fast)
        loaded.failure(asking.release, beside, **fast)
        loaded.success(asking.ask, asked, **model).then(asking.release, beside, **fast)
    for kind, suggestions in question.suggestions.items():
        turn = suggestions.click(asking.reserve, None, **reserving)
        going(turn)
        filled = turn.success(partial(suggested, question, kind), suggestions, **fast)
        filled.failure(asking.release, beside, **fast)
        filled.success(asking.ask, asked, **model).then(asking.release, beside, **fast)
    question.stop.click(asking.stop, None, **fast)

    # Emptied in the browser, at once: a slow answer must not erase what was typed meanwhile.
    answer.follow_up.click(None, None, question.text, js="() => ''")
    answer.follow_up.click(answers.follow_up, [clip.audio, session], **fast).then(None, js=_FOCUS_QUESTION_JS)
    answer.edit.click(answers.edit, [clip.audio, session], **fast).then(None, js=_FOCUS_QUESTION_JS)
    question.fresh.click(answers.fresh, [question.task, session], **fast)
    reopened = [clip.audio, page.history.list, session, page.annotator]
    page.history.list.input(answers.reopen, reopened, **quiet)

    page.inspector.against.input(answers.compare, [page.inspector.against, session], **quiet)
    taken = [session, page.what_if.findings, page.annotator]
    files = page.inspector.viewer.export(answers.file_asked, taken, **quiet)
    files.success(None, page.inspector.saved, js=SAVE_JS)

    other_arrived = connect_what_if(
        page.what_if, page.inspector.viewer, clip.audio, session, page.annotator, studio, quiet
    )
    other_arrived.then(answers.other_shown, [page.what_if.new_answer, session], **fast)

    for done in connect_rating(rating, session, page.history.visit, page.annotator, studio, fast):
        done.then(None, rating.status, None, js=RATED_JS)
    marks = Marks(studio.feedback, studio.settings.span_labels)
    connect_marks(page.inspector.viewer, session, page.annotator, marks, studio.saves.take, fast)
    comparison = ComparisonHandlers(page.comparison, question, page.history, session, studio)
    connect_comparison(comparison, clip.audio, clip.keep, page.annotator, fast, reserving, model)
    connect_privacy(page.privacy, session, page.annotator, studio, display.cleared, fast)
    page.privacy.confirm.click(None, None, question.text, js=FORGET_JS)
