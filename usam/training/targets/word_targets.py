"""What the aligned audio tokens are trained to say: word pieces of the LLM's own vocabulary."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerBase

# Few merges give frequent pieces that little data can teach; all of them are tokens the LLM reads.
MERGES = 3000
BLANK_SHARE = 0.3
KIND_WORDS = {"speech": "speech", "sound": "sound", "music": "music"}


class WordPieces:
    """Splits text into pieces of the LLM's vocabulary, using only its first, most frequent merges."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, merges: int = MERGES) -> None:
        spec = json.loads(tokenizer.backend_tokenizer.to_str())
        spec["model"]["merges"] = spec["model"]["merges"][:merges]
        self.full = tokenizer
        self.short = Tokenizer.from_str(json.dumps(spec))

    def pieces(self, text: str) -> list[int]:
        """Token ids of a transcript, each word led by its space."""
        return list(self.short.encode(" " + text.strip(), add_special_tokens=False).ids)

    def word(self, word: str) -> list[int]:
        """Token ids of one label word in the LLM's own segmentation."""
        return list(self.full(" " + word, add_special_tokens=False)["input_ids"])


class Targets:
    """Maps transcripts and label words to the classes of the word anchor (blank is the last class)."""

    def __init__(self, pieces: WordPieces, token_ids: Sequence[int]) -> None:
        self.pieces = pieces
        self.token_ids = list(token_ids)
        self.classes = {token: index for index, token in enumerate(self.token_ids)}
        self.blank = len(self.token_ids)

    @classmethod
    def collect(cls, pieces: WordPieces, transcripts: Iterable[str], words: Iterable[str]) -> "Targets":
        """The anchor's vocabulary: every piece a transcript or a label word uses."""
        used: Counter[int] = Counter()
        for transcript in transcripts:
            used.update(pieces.pieces(transcript))
        for word in words:
            used.update(pieces.word(word))
        return cls(pieces, sorted(used))

    def transcript(self, text: str) -> Tensor:
        """Classes [N] of a transcript, for CTC. Pieces outside the vocabulary are left out."""
        found = (self.classes.get(token) for token in self.pieces.pieces(text))
        return torch.tensor([index for index in found if index is not None], dtype=torch.long)

    def words(self, weights: dict[str, float], blank: float = BLANK_SHARE) -> Tensor:
        """A distribution [V + 1] over the classes from weighted label words and a share of blanks."""
        target = torch.zeros(self.blank + 1)
        for word, weight in weights.items():
            known = [self.classes[token] for token in self.pieces.word(word) if token in self.classes]
            for index in known:
                target[index] += weight / len(known)
        total = target.sum()
        if total > 0:
            target *= (1 - blank) / total
        target[self.blank] = 1 - target.sum()
        return target

    def collapse(self, classes: Sequence[int]) -> str:
        """Text of a CTC path: repeats merged, blanks dropped."""
        path = [
            self.token_ids[current]
            for previous, current in zip([-1, *classes[:-1]], classes, strict=True)
            if current not in (previous, self.blank)
        ]
        return str(self.pieces.full.decode(path)).strip()
