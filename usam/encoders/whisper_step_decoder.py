"""Whisper's decoder token by token: what is said, when, in which language, and how sure it is.

transformers' `generate` takes 16 to 30 ms a token on a CPU, most of it not arithmetic. Here a step is the
arithmetic alone, on keys and values allocated once, and the vocabulary is read in 4 bits before the likely
tokens are scored as they are. Times come from the cross-attention of the heads that follow the sound
(Whisper's `alignment_heads`), by dynamic time warping as in OpenAI's `timing.py`.

The decoder was trained on spans of 30 s, but it needs silence after the clip, not 30 s of it: with 2 s and
repeated 4-grams forbidden it errs as seldom as with all of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GenerationConfig, WhisperForConditionalGeneration

from usam.encoders.base import readable
from usam.encoders.whisper_timestamps import TimestampRules
from usam.packed_linear import PACKED_ROWS, Linear, is_packed, side_by_side
from usam.quantization import quantized
from usam.schema.tasks import SpeechRequest
from usam.threads import on_cores

REPEATED = 4  # tokens in a row that may not come twice
REPEATED_AT_LENGTH = 3  # times that a run may not come in sentences, in which people do repeat themselves
MOST_TOKENS = 440  # of a transcript
TOKENS_A_SECOND = 12  # nobody speaks faster; what is longer is a loop
# Priors that unsure sounds are decided by. Accented English is else taken for the language of the accent, and
# Czech for one of a dozen that few of the clips are in.
ENGLISH_PRIOR = 2.0
LIKELY = frozenset({"en", "es", "fr", "de", "it", "pt", "nl", "pl", "cs", "ru"})
UNLIKELY_PRIOR = 0.05  # of any other language
# Of 65 lines of Czech, 33 were taken for it by the languages' odds alone, and 40 by what can be made out as
# well; of 80 of English as many as before.
DOUBTFUL = 0.05  # share of the likeliest language's odds from which on others are tried
DOUBTS = 3  # languages that are tried at most
MADE_OUT = 10.0  # weight of the mean log-probability of the text beside the language's own
CANDIDATES = 64  # tokens that the 4-bit vocabulary proposes
MEDIAN = 7  # frames of the median filter over the attention
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})  # languages that write no space between words


@dataclass(frozen=True)
class SpokenWord:
    """A word of a transcript, with times in seconds from the clip's start.

    `text` begins with a space where the language writes one. confidence: the mean probability of its
    tokens, in [0, 1].
    """

    start: float
    end: float
    text: str
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What is said. `language` is Whisper's code, `language_probability` and `no_speech` are in [0, 1],
    `mean_logprob` is in nats a token. `broke_off`: it ran out of tokens."""

    words: tuple[SpokenWord, ...]
    language: str
    language_probability: float
    no_speech: float
    mean_logprob: float
    broke_off: bool = False

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()


@dataclass(frozen=True)
class _Layer:
    self_norm: nn.LayerNorm
    self_in: Linear
    self_out: Linear
    cross_norm: nn.LayerNorm
    cross_query: Linear
    cross_out: Linear
    cross_key: nn.Linear
    cross_value: nn.Linear
    ff_norm: nn.LayerNorm
    ff_in: Linear
    ff_out: Linear


@dataclass
class _State:
    """Keys and values of one clip: own [layers, 2, heads, room, D] of which `length` are filled, and of the
    sound [layers] x (keys [heads, D, T], values [heads, T, D]); attention of the aligned heads by token."""

    own: Tensor
    sound: list[tuple[Tensor, Tensor]]
    length: int = 0
    attention: list[Tensor] = field(default_factory=list)


def with_priors(odds: Mapping[str, float]) -> dict[str, float]:
    """How probable Whisper finds each language (its code), times how usual it is."""
    priors = dict.fromkeys(LIKELY, 1.0) | {"en": ENGLISH_PRIOR}
    return {code: chance * priors.get(code, UNLIKELY_PRIOR) for code, chance in odds.items()}


def doubtful(odds: Mapping[str, float]) -> list[str]:
    """The languages (their codes) that may be spoken, the likeliest first; one where there is no doubt."""
    chances = with_priors(odds)
    ordered = sorted(chances, key=lambda code: -chances[code])
    least = DOUBTFUL * chances[ordered[0]]
    return ordered[:1] + [code for code in ordered[1:DOUBTS] if code in LIKELY and chances[code] >= least]


class WhisperStepDecoder:
    """Greedy transcripts with word times from the encoder's output. Safe to share between threads."""

    def __init__(
        self, model: WhisperForConditionalGeneration, tokenizer: Tokenizer, pack: bool = True
    ) -> None:
        """pack: read the layers and the vocabulary in 4 bits where the processor can."""
        decoder = model.model.decoder
        generation: Any = model.generation_config
        self.tokenizer = tokenizer
        self.heads = model.config.decoder_attention_heads
        self.width = model.config.d_model
        self.embed = decoder.embed_tokens.weight
        self.positions = decoder.embed_positions.weight
        self.final_norm = decoder.layer_norm
        self.vocabulary = model.proj_out
        self.layers = [_read(layer, pack) for layer in decoder.layers]
        self.propose = _proposal(model.proj_out) if pack else None
        self.aligned: dict[int, list[int]] = {}
        for layer, head in generation.alignment_heads:
            self.aligned.setdefault(layer, []).append(head)
        self.start, self.end = generation.decoder_start_token_id, generation.eos_token_id
        self.languages = {token.strip("<|>"): i for token, i in generation.lang_to_id.items()}
        self.tasks = dict(generation.task_to_id)
        self.without_times = generation.no_timestamps_token_id
        self.no_speech_id = self.without_times - 1  # in every multilingual Whisper
        suppressed = torch.zeros(len(self.embed), dtype=torch.bool)
        suppressed[[i for i in generation.suppress_tokens if i >= 0]] = True
        suppressed[self.end + 1 :] = True  # languages, tasks and times
        self.suppressed = suppressed.nonzero().flatten()
        self.suppressed_but_times = self.suppressed[self.suppressed <= self.without_times]
        self.begin_suppressed = list(generation.begin_suppress_tokens)

    @classmethod
    def load(cls, directory: Path, pack: bool = True) -> WhisperStepDecoder:
        """Raises WeightsError when the directory's weights are unreadable."""
        with readable(directory):
            model = WhisperForConditionalGeneration.from_pretrained(directory, dtype=torch.bfloat16)
            model.generation_config = GenerationConfig.from_pretrained(directory)
            tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        return cls(model.eval().requires_grad_(False), tokenizer, pack)

    @torch.inference_mode()
    @on_cores(1)  # a step is too little for two: waking the other takes longer than it saves
    def transcribe(
        self, states: Tensor, seconds: float, request: SpeechRequest = SpeechRequest()
    ) -> Transcript:
        """The encoder's output [T, D] over `seconds` of the clip and the silence after it -> its words.

        Where the request names no language that this Whisper knows, the likeliest one is taken; of several
        that may be spoken, the one in which most can be made out.
        """
        state, no_speech, odds = self._begin(states, seconds, request)
        chances = with_priors(odds)
        begun = state.length
        found = []
        for code in doubtful(odds):
            state.length = begun
            blank = Transcript((), code, odds[code], no_speech, 0.0)
            found.append(self._transcribe_in(blank, state, seconds, request))
        return max(
            found, key=lambda one: math.log(max(chances[one.language], 1e-9)) + MADE_OUT * one.mean_logprob
        )

    def _transcribe_in(
        self, begun: Transcript, state: _State, seconds: float, request: SpeechRequest
    ) -> Transcript:
        """The transcript in the language of one without words."""
        self._step(self.languages[begun.language], state, wanted=False)
        self._step(self.tasks[request.task], state, wanted=False)
        logits = self._step(self.without_times, state).float()
        state.attention.clear()
        logits[self.begin_suppressed] = -torch.inf

        def allow(logits: Tensor, tokens: list[int]) -> None:
            logits.index_fill_(0, self.suppressed.to(logits.device), -torch.inf)
            self._unlooped(logits, tokens, 2)

        tokens, logprobs, ended = self._write(logits, state, allow)
        (words,) = self._words([list(range(len(tokens)))], tokens, logprobs, state, seconds, begun.language)
        return replace(begun, words=tuple(words), mean_logprob=mean(logprobs), broke_off=not ended)

    @torch.inference_mode()
    @on_cores(1)
    def transcribe_sentences(
        self, states: Tensor, seconds: float, request: SpeechRequest = SpeechRequest()
    ) -> list[Transcript]:
        """The same, sentence by sentence, of `seconds` in which several people may speak, with pauses.

        Whisper then writes times as well, without which it leaves out sentences; it needs 30 s of sound and
        silence together for them. The last sentence may not be the last that is spoken.
        """
        state, no_speech, odds = self._begin(states, seconds, request)
        spoken = doubtful(odds)[0]
        begun = Transcript((), spoken, odds[spoken], no_speech, 0.0)
        self._step(self.languages[spoken], state, wanted=False)
        logits = self._step(self.tasks[request.task], state).float()
        state.attention.clear()
        rules = TimestampRules(self.without_times + 1, self.end, seconds)

        def allow(logits: Tensor, tokens: list[int]) -> None:
            logits.index_fill_(0, self.suppressed_but_times.to(logits.device), -torch.inf)
            rules.apply(logits, tokens)
            self._unlooped(logits, [token for token in tokens if token < rules.first], REPEATED_AT_LENGTH)

        tokens, logprobs, ended = self._write(logits, state, allow)
        sentences = rules.sentences(tokens)
        found = self._words(sentences, tokens, logprobs, state, seconds, begun.language)
        return [
            replace(
                begun,
                words=tuple(words),
                mean_logprob=mean([logprobs[index] for index in sentence]),
                broke_off=not ended and sentence is sentences[-1],
            )
            for sentence, words in zip(sentences, found, strict=True)
        ]

    def _begin(
        self, states: Tensor, seconds: float, request: SpeechRequest
    ) -> tuple[_State, float, dict[str, float]]:
        """What is read up to the language, how probable it is that nobody speaks, and each language: that of
        the request is certain."""
        room = 8 + min(MOST_TOKENS, int(seconds * TOKENS_A_SECOND) + 8)
        state = self._prepare(states.to(self.embed.dtype), room)
        first = self._step(self.start, state).float()
        no_speech = float(first.softmax(-1)[self.no_speech_id])
        odds = dict(
            zip(self.languages, first[list(self.languages.values())].softmax(-1).tolist(), strict=True)
        )
        if request.language in odds:
            odds = {code: float(code == request.language) for code in odds}
        return state, no_speech, odds

    def _write(
        self, logits: Tensor, state: _State, allow: Callable[[Tensor, list[int]], None]
    ) -> tuple[list[int], list[float], bool]:
        """Tokens and the log-probability of each, and whether they ended; `allow` rules out what may not
        follow, in place."""
        tokens: list[int] = []
        logprobs: list[float] = []
        room = state.own.shape[3]
        while state.length < room:
            allow(logits, tokens)
            token = int(logits.argmax())
            logprobs.append(float(logits.log_softmax(-1)[token]))
            if token == self.end:
                return tokens, logprobs, True
            tokens.append(token)
            logits = self._step(token, state).float()
        return tokens, logprobs, False

    def _unlooped(self, logits: Tensor, tokens: list[int], times: int) -> None:
        """Rules out, in place, what would repeat a run of four so many times."""
        last = tuple(tokens[1 - REPEATED :])
        runs = Counter(
            tokens[i + REPEATED - 1]
            for i in range(len(tokens) - REPEATED + 1)
            if tuple(tokens[i : i + REPEATED - 1]) == last
        )
        if ruled_out := [token for token, count in runs.items() if count >= times - 1]:
            logits[ruled_out] = -torch.inf

    def _prepare(self, states: Tensor, room: int) -> _State:
        sound = []
        for layer in self.layers:
            keys = layer.cross_key(states).view(len(states), self.heads, -1).permute(1, 2, 0).contiguous()
            values = layer.cross_value(states).view(len(states), self.heads, -1).transpose(0, 1).contiguous()
            sound.append((keys, values))
        head = self.width // self.heads
        own = states.new_zeros(len(self.layers), 2, self.heads, room, head)
        return _State(own, sound)

    def _step(self, token: int, state: _State, wanted: bool = True) -> Tensor:
        """Append a token; logits [V] of what may follow it, if they are wanted."""
        place, head = state.length, self.width // self.heads
        x = (self.embed[token] + self.positions[place])[None]
        scale = head**-0.5
        for index, layer in enumerate(self.layers):
            query, key, value = layer.self_in(layer.self_norm(x)).view(3, self.heads, head)
            own = state.own[index]
            own[0, :, place], own[1, :, place] = key, value
            keys, values = own[:, :, : place + 1]
            attended = F.scaled_dot_product_attention(query[:, None], keys, values)
            x = x + layer.self_out(attended.reshape(1, -1))
            query = layer.cross_query(layer.cross_norm(x)).view(self.heads, 1, head)
            keys, values = state.sound[index]
            weights = torch.matmul(query * scale, keys).float().softmax(-1)
            if index in self.aligned:
                state.attention.append(weights[self.aligned[index], 0])
            x = x + layer.cross_out(torch.matmul(weights.to(x.dtype), values).reshape(1, -1))
            x = x + layer.ff_out(F.gelu(layer.ff_in(layer.ff_norm(x))))
        state.length += 1
        if not wanted:
            return x
        hidden = self.final_norm(x)
        if self.propose is None:
            return self.vocabulary(hidden)[0]
        proposed = self.propose(hidden)[0]
        ids = proposed.topk(CANDIDATES).indices
        return proposed.index_copy(0, ids, F.linear(hidden, self.vocabulary.weight[ids])[0])

    def _words(
        self,
        sentences: list[list[int]],
        tokens: list[int],
        logprobs: list[float],
        state: _State,
        seconds: float,
        language: str,
    ) -> list[list[SpokenWord]]:
        """The words of each sentence, of which the indices of the tokens are given."""
        spoken = [index for sentence in sentences for index in sentence]
        if not spoken:
            return [[] for _ in sentences]
        # A token begins where these heads are when it is read; when it is predicted they are still before it.
        per_token = len(self.aligned)
        rows = [torch.cat(state.attention[i * per_token : (i + 1) * per_token]) for i in spoken]
        frames = max(2, round(seconds * 50))
        weights = torch.stack(rows, dim=1)[:, :, :frames].float()  # [heads, tokens, frames]
        weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-9)
        deviation, average = torch.std_mean(weights, dim=1, keepdim=True, unbiased=False)
        weights = (weights - average) / deviation.clamp_min(1e-6)
        starts = token_starts(median(weights).mean(0).cpu().numpy()) / 50
        edges = dict(zip(spoken, pairwise([*starts.tolist(), seconds]), strict=True))
        found: list[list[SpokenWord]] = []
        for sentence in sentences:
            words: list[SpokenWord] = []
            for places in self._groups([tokens[i] for i in sentence], language not in UNSPACED):
                group = [sentence[place] for place in places]
                text = self.tokenizer.decode([tokens[i] for i in group], skip_special_tokens=True)
                confidence = float(np.mean([np.exp(logprobs[i]) for i in group]))
                words.append(SpokenWord(edges[group[0]][0], edges[group[-1]][1], text, confidence))
            found.append(words)
        return found

    def _groups(self, tokens: list[int], spaced: bool) -> list[list[int]]:
        """Indices of the tokens of each word: it begins with a space or, in a language that writes none,
        where the characters before it are whole."""
        groups: list[list[int]] = []
        for index, token in enumerate(tokens):
            piece = self.tokenizer.decode([token])
            so_far = self.tokenizer.decode([tokens[i] for i in groups[-1]]) if groups else ""
            begins = piece.startswith(" ") or not spaced
            if not groups or (begins and not so_far.endswith("\N{REPLACEMENT CHARACTER}")):
                groups.append([index])
            else:
                groups[-1].append(index)
        return groups


def mean(logprobs: list[float]) -> float:
    return sum(logprobs) / max(1, len(logprobs))


def median(weights: Tensor) -> Tensor:
    """Median over MEDIAN neighbouring frames of [..., frames]."""
    reach = MEDIAN // 2
    if weights.shape[-1] <= reach:
        return weights
    padded = F.pad(weights, (reach, reach), mode="reflect")
    return padded.unfold(-1, MEDIAN, 1).median(-1).values


def token_starts(likeness: np.ndarray) -> np.ndarray:
    """likeness [tokens, frames] -> the frame at which each token begins, by dynamic time warping.

    The path may stay in a frame or in a token; costs of one anti-diagonal are computed at once.
    """
    tokens, frames = likeness.shape
    cost = np.full((tokens + 1, frames + 1), np.inf, np.float32)
    cost[0, 0] = 0
    came = np.zeros((tokens + 1, frames + 1), np.int8)
    for diagonal in range(2, tokens + frames + 1):
        i = np.arange(max(1, diagonal - frames), min(tokens, diagonal - 1) + 1)
        j = diagonal - i
        steps = np.stack([cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1]])
        best = steps.argmin(0)
        cost[i, j] = steps[best, np.arange(len(i))] - likeness[i - 1, j - 1]
        came[i, j] = best
    starts = np.zeros(tokens, np.float32)
    i, j = tokens, frames
    while i > 0 and j > 0:
        starts[i - 1] = j - 1
        step = came[i, j]
        i, j = i - (step != 2), j - (step != 1)
    return starts


def _read(layer: Any, pack: bool) -> _Layer:
    own, cross = layer.self_attn, layer.encoder_attn

    def ready(*parts: nn.Linear) -> Linear:
        """Without their 4-bit form, layers of one input are one matrix."""
        if pack and all(part.out_features % PACKED_ROWS == 0 for part in parts):
            return _packed(*parts)
        weight = torch.cat([part.weight for part in parts])
        bias = torch.cat(
            [
                part.bias if part.bias is not None else part.weight.new_zeros(part.out_features)
                for part in parts
            ]
        )
        return lambda x: F.linear(x, weight, bias)

    # Keys have no bias in Whisper, the queries and values have.
    return _Layer(
        layer.self_attn_layer_norm,
        _stacked(ready(own.q_proj, own.k_proj, own.v_proj)),
        ready(own.out_proj),
        layer.encoder_attn_layer_norm,
        ready(cross.q_proj),
        ready(cross.out_proj),
        cross.k_proj,
        cross.v_proj,
        layer.final_layer_norm,
        ready(layer.fc1),
        ready(layer.fc2),
    )


def _stacked(linear: Linear) -> Linear:
    """Queries, keys and values [1, 3 D] as [3, D]."""
    return lambda x: linear(x).view(3, -1)


def _packed(*layers: nn.Linear) -> Linear:
    copies = []
    for layer in layers:
        copy = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
        copy.weight = layer.weight
        copies.append(quantized(copy, "nf4", layer.weight.device))
    bias = torch.cat(
        [
            layer.bias if layer.bias is not None else layer.weight.new_zeros(layer.out_features)
            for layer in layers
        ]
    )
    multiply = side_by_side(*copies)
    return lambda x: multiply(x) + bias


def _proposal(vocabulary: nn.Linear) -> Linear | None:
    """The output layer in 4 bits; its rows are filled up to what the kernel takes together."""
    rows = vocabulary.out_features
    copy = nn.Linear(vocabulary.in_features, rows + -rows % PACKED_ROWS, bias=False, device="meta")
    copy.weight = nn.Parameter(F.pad(vocabulary.weight.data, (0, 0, 0, -rows % PACKED_ROWS)))
    small = quantized(copy, "nf4", vocabulary.weight.device)
    if not is_packed(small):
        return None
    multiply = side_by_side(small)
    return lambda x: multiply(x)[..., :rows]
