"""What the viewer is sent and what can be taken away: sizes, sounds, numbers, and texts that stay texts."""

import base64
import codecs
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
import torch

from tests.ui.heard import heard_clip
from ui.inspector import sound
from ui.inspector.payload import (
    as_json,
    columns,
    entropy_bits,
    padded_end,
    payload,
    source_name,
    typical_routing,
)
from ui.report.export import export, numbers_of
from ui.report.offline_page import offline_page
from ui.studio.session import SessionAnswer
from ui.what_if.findings import Findings
from ui.what_if.outcomes import Outcome
from usam.audio.clip import Clip
from usam.audio.samples import SAMPLE_RATE
from usam.audio.spectrogram import level_range, log_mel
from usam.interpretability.attribution import Attribution, Word
from usam.interpretability.deletion import DeletionTest
from usam.schema.answer import Answer, ModelInfo, Timings, Turn
from usam.schema.interventions import Uniform
from usam.schema.trace import AudioToken, ClipSpan, TokenWord, Trace

STEP = 0.08
HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> \u2028 \" ' & `${1}`"


def trace_of(seconds: float, start: float = 0.0, word: str = "") -> Trace:
    """Tokens of 80 ms, four a window; the last one ends where the clip does."""
    tokens = []
    for i in range(math.ceil(round(seconds / STEP, 6))):
        share = (i % 11) / 10
        tokens.append(
            AudioToken(
                start=start + i * STEP,
                end=start + min((i + 1) * STEP, seconds),
                window=i // 4,
                routing=(share, (1 - share) / 4, 3 * (1 - share) / 4),
                significance=0.5 + 1e-9 * (-1) ** i,
                predictive=0.1,
                text_relevance=0.2,
                audio_saliency=0.3,
                redundant=i % 2 == 1,
                word=word,
            )
        )
    return Trace(("expert 1", "expert 2", "expert 3"), tuple(tokens), "question+answer")


def entry_of(
    seconds: float = 2.0,
    *,
    source: str = "clip.wav",
    text: str = "A dog.",
    word: str = "",
    noise: float = 0.5,
) -> SessionAnswer:
    generator = torch.Generator().manual_seed(0)
    waveform = noise * (2 * torch.rand(round(seconds * SAMPLE_RATE), generator=generator) - 1)
    clip = Clip(waveform, 0.0, seconds, seconds, "0" * 64)
    answer = Answer(
        text=text,
        task="qa",
        question=text,
        heard=ClipSpan(0.0, seconds, seconds, clip.sha256),
        trace=trace_of(seconds, word=word),
        timings=Timings(1.0, 0.1, 0.2, 0.3, 30.0, 2),
        model=ModelInfo("mini", "f" * 16, "nf4", "cpu", 1, 1.0),
        prompt="prompt",
        seed=0,
        history=(Turn(text, text),),
    )
    return SessionAnswer("0123456789", answer, heard_clip(clip), source)


def decoded(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]])


def test_thirty_seconds_of_noise_are_less_than_a_megabyte() -> None:
    """Noise is the worst case: nothing of it can be left out."""
    assert len(as_json(payload(entry_of(30.0)))) < 1_000_000


@pytest.mark.parametrize("samples", [1600, 16_000, 50_001])
def test_the_sound_to_play_has_every_sample_in_its_place(samples: int) -> None:
    times = torch.arange(samples) / SAMPLE_RATE
    wave = 0.5 * torch.sin(2 * math.pi * (300 + 200 * times) * times)
    heard = decoded(sound.opus(wave))
    assert len(heard) >= samples  # the browser cuts what a very short clip has too much
    inner = slice(samples // 4, 3 * samples // 4)
    shifts = range(-40, 41)
    match = [float(np.dot(heard[inner], np.roll(wave.numpy(), shift)[inner])) for shift in shifts]
    assert shifts[int(np.argmax(match))] == 0


def test_peaks_and_levels_keep_their_frames_and_ends() -> None:
    wave = torch.zeros(1600 + 1)
    wave[170], wave[1600] = 1.0, -0.5
    peaks = sound.peaks(wave)
    assert peaks.shape == (11, 2)
    assert peaks[1].tolist() == [0, 127]
    assert peaks[10].tolist() == [-64, 0]
    mel = log_mel(wave, 96)
    low, high = level_range(mel)
    levels = sound.levels(mel, low, high)
    assert levels.shape == (96, 11)
    assert levels.max() == 255


def test_silence_is_sent_as_silence() -> None:
    silent = payload(entry_of(1.0, noise=0.0))["sound"]
    assert set(base64.b64decode(silent["mel"])) == {0}
    assert silent["peak"] == 0.0


def test_the_numbers_are_the_traces_own() -> None:
    trace = trace_of(1.0, start=3.0)
    sent = json.loads(as_json(columns(trace)))
    # Held against the threshold in the browser: a rounding would flip a token's flag.
    assert [value <= trace.threshold for value in sent["significance"]] == [t.redundant for t in trace.tokens]
    assert sent["start"] == pytest.approx([token.start for token in trace.tokens])
    assert np.sum(sent["routing"], axis=1) == pytest.approx(1.0, abs=1e-4)
    table = numbers_of(trace)
    assert table["entropy bits"].tolist() == pytest.approx(sent["entropy"], abs=1e-4)


@pytest.mark.parametrize(
    ("weights", "bits"), [((1.0, 0.0, 0.0), 0.0), ((0.5, 0.5, 0.0), 1.0), ((1 / 3,) * 3, math.log2(3))]
)
def test_entropy_is_in_bits(weights: tuple[float, ...], bits: float) -> None:
    assert entropy_bits(weights) == pytest.approx(bits)


@pytest.mark.parametrize(
    ("seconds", "end"), [(0.64, 0.64), (0.65, 0.96), (0.96, 0.96), (1.0, 1.28), (0.1, 0.1)]
)
def test_padding_reaches_to_the_end_of_the_last_window(seconds: float, end: float) -> None:
    """A single window cannot tell its own length, so nothing is claimed about it."""
    assert padded_end(trace_of(seconds, start=5.0)) == pytest.approx(5.0 + end)


def test_typical_routing_is_what_was_measured_of_the_answers_checkpoint() -> None:
    entry = entry_of()
    found = {"load": [0.2, 0.3, 0.5], "share_by_kind": {"speech": [1.0, 0.0, 0.0]}, "tokens_led": [1, 2, 3]}
    asked: list[ModelInfo] = []

    def measured_of(model: ModelInfo) -> dict[str, Any]:
        asked.append(model)
        return found

    sent = payload(entry, measured_of)["router"]
    assert sent == {"typical": found["share_by_kind"], "load": found["load"]}
    assert asked == [entry.answer.model]
    assert payload(entry)["router"] is None
    assert typical_routing(found, 4) is None


class Scripts(HTMLParser):
    """What a browser would take for scripts and images of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.types: list[str | None] = []
        self.handlers: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "script":
            self.types.append(dict(attrs).get("type"))


def test_texts_in_the_offline_page_stay_data() -> None:
    entry = entry_of(source=f"/tmp/{HOSTILE.replace('/', '')}.wav", text=HOSTILE, word=HOSTILE)
    page = offline_page(entry, found=tried(entry))
    found = Scripts(page)
    assert found.types == ["application/json"] * 3 + [None]
    assert found.handlers == []
    assert not {"img", "link", "iframe"} & set(found.tags)
    assert "http" not in re.sub(r'http-equiv|"http://www\.w3\.org/2000/svg"', "", page)
    report = json.loads(re.findall(r'id="report">(.*?)</script>', page)[0])
    assert report["question"] == report["answer"] == HOSTILE
    assert report["history"] == [{"question": HOSTILE, "answer": HOSTILE}]


def tried(entry: SessionAnswer) -> Findings:
    """One change, a deletion test and a word, each with the answer's own text in it."""
    text, tokens = entry.answer.text, len(entry.answer.trace.tokens)
    change = Outcome("all experts equally", text, f"{text} again", -0.25, tokens, 3, 0.1, Uniform(), 0.4)
    test = DeletionTest(-0.5, -0.6, (-1.0, -1.5), -3.0, tokens, 3, text, True, "question+answer")
    words = Attribution(entry.answer, (Word(text, 0, 3),), ((0.25,) * tokens,))
    return Findings((change,), test, words)


def test_what_was_tried_is_in_the_json_and_in_the_offline_page() -> None:
    entry = entry_of()
    found = tried(entry)
    record = json.loads(export(entry, "json", found=found).content)
    [change] = record["what_if"]["interventions"]
    assert change["intervention"] == {"kind": "uniform"}
    assert (change["answer"], change["logprob_change"], change["threshold"]) == ("A dog. again", -0.25, 0.4)
    assert record["what_if"]["deletion_test"]["drop_random"] == [-1.0, -1.5]
    assert record["what_if"]["attribution"]["words"][0]["text"] == "A dog."
    assert Answer.from_json(record) == entry.answer
    assert "what_if" not in json.loads(export(entry, "json").content)
    page = export(entry, "html", found=found).content.decode()
    report = json.loads(re.findall(r'id="report">(.*?)</script>', page)[0])
    assert report["changes"][0]["words"] == [["same", "A dog."], ["ins", "again"]]
    assert report["deletion"]["rows"][2] == ["without 3 random", [-1.0, -1.5]]
    [leaning] = re.findall(r'id="leaning">(.*?)</script>', page)
    assert json.loads(leaning)["words"][0]["text"] == "A dog."


def test_the_link_stays_with_the_server(tmp_path: Path) -> None:
    entry = replace(entry_of(source=str(tmp_path / "clip.wav")), answer_id="a-stored-answer")
    sent = payload(entry)
    assert sent["link"] == "?answer=a-stored-answer"
    assert sent["source"] == source_name(entry.source)
    assert payload(entry_of(source="other.wav"))["link"] is None
    page = offline_page(entry)
    for text in ("a-stored-answer", sent["source"], str(tmp_path)):
        assert text not in page


def test_not_a_number_is_refused_rather_than_sent() -> None:
    entry = entry_of()
    broken = replace(entry.answer.trace.tokens[0], significance=float("nan"))
    answer = replace(entry.answer, trace=replace(entry.answer.trace, tokens=(broken,)))
    with pytest.raises(ValueError, match="JSON"):
        as_json(payload(replace(entry, answer=answer)))


def spoken(entry: SessionAnswer, *words: TokenWord, pruned: bool = True) -> SessionAnswer:
    """The same answer with words of the experts at its second token, its first token not read."""
    first, second, *rest = entry.answer.trace.tokens
    tokens = (replace(first, dropped=True), replace(second, words=words), *rest)
    trace = replace(entry.answer.trace, tokens=tokens, pruned=pruned)
    return replace(entry, answer=replace(entry.answer, trace=trace))


def test_the_words_of_the_experts_are_sent_by_token_with_what_was_not_read() -> None:
    entry = spoken(entry_of(), TokenWord("expert 1", "hello", 0.93), TokenWord("expert 2", "Dog", 0.4))
    sent = json.loads(as_json(payload(entry)))
    assert sent["pruned"] is True
    assert sent["tokens"]["dropped"][:3] == [True, False, False]
    assert sent["tokens"]["words"][:3] == [
        [],
        [
            {"expert": "expert 1", "text": "hello", "confidence": 0.93},
            {"expert": "expert 2", "text": "Dog", "confidence": 0.4},
        ],
        [],
    ]
    assert "1 were not read by the language model. The experts say 2 words." in sent["summary"]
    assert "not read" not in payload(entry_of())["summary"]
    assert export(entry, "csv").content.startswith(codecs.BOM_UTF8)  # without it Excel garbles the words
    table = pd.read_csv(io.BytesIO(export(entry, "csv").content), keep_default_na=False)
    assert table["words"][:2].tolist() == ["", "hello (expert 1, 0.93); Dog (expert 2, 0.40)"]
    assert table["not read"][:2].tolist() == ["yes", ""]


def test_a_word_of_an_expert_stays_text_everywhere() -> None:
    entry = spoken(entry_of(), TokenWord("expert 1", f"={HOSTILE}", 0.5))
    assert Scripts(offline_page(entry)).types == ["application/json"] * 3 + [None]
    table = pd.read_csv(io.BytesIO(export(entry, "csv").content), keep_default_na=False)
    assert table["words"][1].startswith("'=")


def test_a_word_in_the_csv_cannot_become_a_formula() -> None:
    content = export(entry_of(word="=1+1"), "csv").content.decode()
    assert ",'=1+1" in content
    assert ",=1+1" not in content


@pytest.mark.parametrize("kind", ["png", "svg", "csv", "json", "html"])
def test_every_export_has_a_name_and_a_kind(kind: str) -> None:
    file = export(entry_of(), kind)
    assert file.name == f"clip-a-dog.{kind}"
    assert base64.b64decode(file.to_json()["content"]) == file.content
    starts = {
        "png": b"\x89PNG",
        "svg": b"<?xml",
        "csv": codecs.BOM_UTF8 + b"from s",
        "json": b"{",
        "html": b"<!doctype html>",
    }
    assert file.content.startswith(starts[kind])


def test_another_kind_of_export_is_refused() -> None:
    with pytest.raises(ValueError, match="exe"):
        export(entry_of(), "exe")
