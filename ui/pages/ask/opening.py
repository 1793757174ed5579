"""A page is opened and left; meanwhile the model loads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from storage import StorageError
from storage.errors import NotFoundError
from ui.access.request import page_of
from ui.components import messages
from ui.inspector.payload import router_json
from ui.pages.ask import render
from ui.pages.ask.comparison import comparison_ready
from ui.pages.ask.display import Display
from ui.studio.service import Studio
from ui.studio.session import Session, SessionAnswer
from ui.studio.stored_answers import LINK, load_stored_answer
from ui.studio.visit import restore, with_example
from usam.errors import UsamError

Updates = dict[Any, Any]

NO_SUCH_ANSWER = (
    "No answer is stored here under this link: it was deleted, or it is on another server. "
    "You can ask about a clip of your own."
)


class OpeningHandlers:
    """banner: says how far the model is, looked at by `loading`.  who: the account that is signed in.
    player: gets the clip of the answer that is shown."""

    def __init__(
        self,
        annotator: gr.BrowserState,
        who: gr.HTML,
        banner: gr.HTML,
        loading: gr.Timer,
        player: gr.Audio,
        display: Display,
        studio: Studio,
    ) -> None:
        self.annotator = annotator
        self.who = who
        self.banner = banner
        self.loading = loading
        self.player = player
        self.display = display
        self.studio = studio

    def opened(
        self, annotator: str, visit: str, request: gr.Request, profile: gr.OAuthProfile | None = None
    ) -> Updates:
        """A page was opened: give the browser its random id, once, or the account's, say how far the model
        is, and bring back its visit. A link to a stored answer shows that."""
        annotator = self.studio.identity.annotator(annotator, request, profile)
        linked = request.query_params.get(LINK)
        session = restore(self.studio.feedback, self.studio.clips, visit)
        shown = self._linked(linked, session, annotator) if linked else self._restored(session, annotator)
        who = render.signed_in(self.studio.identity.account(request))
        return {self.annotator: annotator, self.who: who, **self.load_state(), **shown}

    def _restored(self, session: Session, annotator: str) -> Updates:
        """The visit as it was, with the clip of the answer on display where its audio was kept."""
        if session.current is None:
            return {self.display.session: session}
        session = session.each(self._playable)
        return self._shown(session, annotator)

    def _playable(self, entry: SessionAnswer) -> SessionAnswer:
        """The answer with a copy of its audio that the player may have."""
        if entry.audio is None:
            return entry
        return replace(entry, source=save_file_to_cache(entry.audio.file, self.player.GRADIO_CACHE))

    def _linked(self, answer_id: str, session: Session, annotator: str) -> Updates:
        known = next((entry for entry in session.entries if entry.answer_id == answer_id), None)
        if known:
            return self._restored(session.show(known.key), annotator)
        try:
            entry = load_stored_answer(self.studio.feedback, answer_id, self.studio.clips)
        except NotFoundError:
            return {self.display.answer.notice: messages.status(NO_SUCH_ANSWER)}
        except (StorageError, UsamError) as error:
            return {self.display.answer.notice: messages.fault(str(error))}
        return self._restored(session.add(with_example(entry, self.studio.clips)), annotator)

    def _shown(self, session: Session, annotator: str) -> Updates:
        entry = session.current
        assert entry is not None  # of the session
        return {
            **self.display.shown(session, annotator),
            **comparison_ready(self.display.comparison, session),
            **({self.player: entry.source} if entry.source else {}),
            self.display.session: session,
            self.display.question.task: entry.answer.task,
        }

    def load_state(self) -> Updates:
        state = self.studio.loader.state
        return {self.banner: render.banner(state), self.loading: gr.Timer(active=not state.ready)}

    def router_reported(self) -> Updates:
        """Once the model has loaded, the viewer gets the figures of its router."""
        router = self.studio.router()
        return {self.display.inspector.viewer: gr.update(router=router_json(router)) if router else gr.skip()}

    def left(self, request: gr.Request) -> None:
        """The page was closed: stop its answer."""
        self.studio.running.end(page_of(request))
        self.studio.running_experiments.end(page_of(request))
