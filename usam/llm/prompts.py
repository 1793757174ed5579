"""Prompts: the text around the audio tokens, as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from usam.schema.answer import Turn


@dataclass(frozen=True)
class Prompt:
    """Token ids left and right of the audio tokens; `question` alone is what routes and what SACLM reads."""

    left: Tensor
    right: Tensor
    question: Tensor


class PromptBuilder:
    """Writes chat prompts of the form `left <audio tokens> right`.

    What a person typed is tokenised as plain text, so that nobody can write the template's own
    control tokens.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer

    @property
    def end_id(self) -> int:
        """The token that ends an answer."""
        return self.ids("<|im_end|>", control=True)[0]

    def ids(self, text: str, *, control: bool = False) -> list[int]:
        """Token ids of a text; only template text (`control`) may hold control tokens."""
        encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=not control)
        return list(encoded["input_ids"])

    def text(self, ids: Tensor | list[int], *, control: bool = True) -> str:
        """The text of token ids, with or without control tokens."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=not control))

    def build(self, question: str, history: Sequence[Turn] = ()) -> Prompt:
        """The prompt for a question about the clip, after earlier turns about the same clip."""
        left = self.ids("<|im_start|>user\n", control=True)
        right = self.ids("\n")
        for turn in history:
            right += self.ids(turn.question) + self.ids("<|im_end|>\n<|im_start|>assistant\n", control=True)
            right += self.ids(turn.answer) + self.ids("<|im_end|>\n<|im_start|>user\n", control=True)
        asked = self.ids(question)
        right += asked + self.ids("<|im_end|>\n<|im_start|>assistant\n", control=True)
        return Prompt(torch.tensor(left), torch.tensor(right), torch.tensor(asked or right[:1]))

    def answer(self, text: str) -> Tensor:
        """Token ids of an answer to train on, with its end mark."""
        return torch.tensor([*self.ids(text), self.end_id])
