"""From audio tokens to the trace: what each of them is, where, and how much it matters."""

from dataclasses import replace

import torch
from torch import Tensor

from usam.adapter.tokens import AudioTokens
from usam.audio.clip import Clip
from usam.errors import NumericalError
from usam.model.model import USAM
from usam.schema.trace import AudioToken, TokenWord, Trace


@torch.inference_mode()
def trace_tokens(model: USAM, clip: Clip, audio: AudioTokens, text: Tensor) -> Trace:
    """Times, routing and significance of every audio token; `text` are the ids that supervise SACLM."""
    # There is no padding in a batch of one: masked tokens were dropped, and are scored like the others.
    scores = model.significance(replace(audio, mask=torch.ones_like(audio.mask)), [text])
    if not scores.total.isfinite().all():
        raise NumericalError("redundancy scorer")
    threshold = model.adapter.saclm.threshold
    config = model.adapter.config
    edges = token_edges(clip, audio.length, config.token_seconds)
    words = anchored_words(model, audio)
    predicted: dict[int, list[TokenWord]] = {}
    for one in audio.placed:
        word = TokenWord(config.expert_names[one.expert], one.word.text, one.word.confidence)
        predicted.setdefault(one.token, []).append(word)
    tokens = tuple(
        AudioToken(
            start=edges[index],
            end=edges[index + 1],
            window=index // config.queries_per_window,
            routing=tuple(routing),
            significance=significance,
            predictive=predictive,
            text_relevance=relevance,
            audio_saliency=saliency,
            redundant=significance <= threshold,
            word=word,
            dropped=not kept,
            words=tuple(predicted.get(index, ())),
        )
        for index, (routing, significance, predictive, relevance, saliency, word, kept) in enumerate(
            zip(
                audio.routing[0].tolist(),
                scores.total[0].tolist(),
                scores.predictive[0].tolist(),
                scores.text_relevance[0].tolist(),
                scores.audio_saliency[0].tolist(),
                words,
                audio.token_mask[0].tolist(),
                strict=True,
            )
        )
    )
    pruned = audio.informative is not None
    return Trace(tuple(config.expert_names), tokens, "question", threshold, pruned=pruned)


def anchored_words(model: USAM, audio: AudioTokens) -> list[str]:
    """The word piece each token is anchored to most; empty for the blank."""
    anchor = model.adapter.anchor
    if anchor is None or audio.logits is None:
        return [""] * audio.length
    best = audio.logits[0].argmax(-1).tolist()
    ids = anchor.token_ids.tolist()
    words = {i: model.anchor_text(ids[i]) if i < len(ids) else "" for i in set(best)}
    return [words[i] for i in best]


def token_edges(clip: Clip, tokens: int, token_seconds: float) -> list[float]:
    """Where audio tokens begin and end, in seconds of the original clip: tokens + 1 edges."""
    return [*(clip.start + index * token_seconds for index in range(tokens)), clip.end]
