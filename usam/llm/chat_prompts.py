"""Prompts under a language model's own chat template, for one that was not trained with ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import torch
from jinja2 import TemplateError

from usam.errors import RequestError
from usam.llm.prompts import Prompt, PromptBuilder
from usam.schema.answer import Turn

GUIDE = (
    "You hear a clip of audio as audio tokens. They give speech as [speaker, language] and its words, sounds "
    "as (names) and music as {tags}, the surest first, in the order in which they are heard. Answer the "
    "question about the clip in one short sentence. If the clip does not tell, say so."
)
_PLACE = "\ue000{}\ue001"  # stands for a text while the template is filled; no chat template holds it
_PLACES = re.compile("\ue000(\\d+)\ue001")


class ChatPromptBuilder(PromptBuilder):
    """As `PromptBuilder`, in the form that the tokenizer's chat template gives a conversation.

    Raises RequestError when first used if there is no such template, or it takes no conversation.
    """

    @cached_property
    def end_id(self) -> int:
        """The token that ends an answer: the first of those that the template writes after one."""
        text = self._fill(
            [{"role": "user", "content": "0"}, {"role": "assistant", "content": _PLACE.format(1)}]
        )
        after = _PLACES.split(text)[-1].lstrip()
        ids = self.ids(after, control=True) if after else []
        end = self.tokenizer.eos_token_id if not ids else ids[0]
        if end is None:
            raise RequestError("The language model's chat template does not say where an answer ends.")
        return int(end)

    def build(self, question: str, history: Sequence[Turn] = ()) -> Prompt:
        texts: list[str] = []

        def place(text: str) -> str:
            texts.append(text)
            return _PLACE.format(len(texts) - 1)

        audio = place("")
        messages = []
        for turn in history:
            messages.append({"role": "user", "content": audio + place("\n" + turn.question)})
            messages.append({"role": "assistant", "content": place(turn.answer)})
            audio = ""
        messages.append({"role": "user", "content": audio + place("\n" + question)})
        pieces = _PLACES.split(self._fill(messages, answer=True))
        left = self.ids(pieces[0], control=True)
        right: list[int] = []
        for index, template in zip(pieces[1::2], pieces[2::2], strict=True):
            right += self.ids(texts[int(index)]) + self.ids(template, control=True)
        asked = self.ids(question)
        return Prompt(torch.tensor(left), torch.tensor(right), torch.tensor(asked or right[:1]))

    def _fill(self, messages: list[dict[str, str]], answer: bool = False) -> str:
        """The conversation as one text; the guide is the system's word, or the user's where there is none."""
        first, *others = messages
        guided = {**first, "content": f"{GUIDE}\n{first['content']}"}
        for given in ([{"role": "system", "content": GUIDE}, *messages], [guided, *others]):
            try:
                filled = str(
                    self.tokenizer.apply_chat_template(given, tokenize=False, add_generation_prompt=answer)
                )
            except (TemplateError, ValueError, KeyError):
                continue
            if GUIDE in filled:
                return filled
        raise RequestError("The language model has no chat template that can be used.")
