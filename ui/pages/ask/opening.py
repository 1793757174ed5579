"""A page is opened and left; meanwhile the model loads."""

from __future__ import annotations

from typing import Any

import gradio as gr

from storage import StorageError
from storage.errors import NotFoundError
from ui.access.request import page_of
from ui.components import messages
from ui.inspector.payload import router_json
from ui.pages.ask import render
from ui.pages.ask.answer import answer_shown
from ui.pages.ask.display import Display
from ui.studio.service import Studio
from ui.studio.session import Session
from ui.studio.stored_answers import LINK, load_stored_answer
from usam.errors import UsamError

Updates = dict[Any, Any]

NO_SUCH_ANSWER = (
    "No answer is stored here under this link: it was deleted, or it is on another server. "
    "You can ask about a clip of your own."
)


class OpeningHandlers:
    """banner: says how far the model is, looked at by `loading`.  who: the account that is signed in."""

    def __init__(
        self,
        annotator: gr.BrowserState,
        who: gr.HTML,
        banner: gr.HTML,
        loading: gr.Timer,
        display: Display,
        studio: Studio,
    ) -> None:
        self.annotator = annotator
        self.who = who
        self.banner = banner
        self.loading = loading
        self.display = display
        self.studio = studio

    def opened(self, annotator: str, request: gr.Request, profile: gr.OAuthProfile | None = None) -> Updates:
        """A page was opened: give the browser its random id, once, or the account's, and say how far the
        model is. A link to a stored answer shows it."""
        annotator = self.studio.identity.annotator(annotator, request, profile)
        linked = request.query_params.get(LINK)
        shown = self._linked(linked, annotator) if linked else {}
        who = render.signed_in(self.studio.identity.account(request))
        return {self.annotator: annotator, self.who: who, **self.load_state(), **shown}

    def _linked(self, answer_id: str, annotator: str) -> Updates:
        try:
            entry = load_stored_answer(self.studio.feedback, answer_id, self.studio.clips)
        except NotFoundError:
            return {self.display.answer.notice: messages.status(NO_SUCH_ANSWER)}
        except (StorageError, UsamError) as error:
            return {self.display.answer.notice: messages.fault(str(error))}
        session = Session().add(entry)
        return {
            **answer_shown(self.display.answer, entry),
            **self.display.shown(session, annotator),
            self.display.session: session,
            self.display.question.task: entry.answer.task,
        }

    def load_state(self) -> Updates:
        state = self.studio.loader.state
        return {self.banner: render.banner(state), self.loading: gr.Timer(active=not state.ready)}

    def router_reported(self) -> Updates:
        """Once the model has loaded, the viewer gets the figures of its router."""
        router = self.studio.router()
        return {self.display.inspector.viewer: gr.HTML(router=router_json(router)) if router else gr.skip()}

    def left(self, request: gr.Request) -> None:
        """The page was closed: stop its answer."""
        self.studio.running.end(page_of(request))
        self.studio.running_experiments.end(page_of(request))
