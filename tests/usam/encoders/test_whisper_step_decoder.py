"""The step decoder against transformers' own Whisper, and the rules of its transcripts."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from usam.encoders.whisper_step_decoder import (
    ENGLISH_PRIOR,
    REPEATED,
    TOKENS_A_SECOND,
    WhisperStepDecoder,
    median,
    token_starts,
)
from usam.schema.tasks import SpeechRequest

WIDTH = 32
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
PIECES = ["Ġhe", "llo", "Ġyou", ","]
CONTROL = [
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|zh|>", "<|translate|>", "<|transcribe|>",
    "<|nospeech|>", "<|notimestamps|>", "<|0.00|>", "<|0.02|>",
]  # fmt: skip
VOCABULARY = {piece: i for i, piece in enumerate([*dict.fromkeys([*ALPHABET, *PIECES]), *CONTROL])}
END, START, NO_SPEECH, WITHOUT_TIMES = (
    VOCABULARY[name]
    for name in ("<|endoftext|>", "<|startoftranscript|>", "<|nospeech|>", "<|notimestamps|>")
)
LANGUAGES = {name: VOCABULARY[name] for name in ("<|en|>", "<|de|>", "<|zh|>")}


def tokenizer() -> Tokenizer:
    core = Tokenizer(models.BPE({k: v for k, v in VOCABULARY.items() if k not in CONTROL}, merges=[]))
    core.add_special_tokens(CONTROL)
    core.decoder = decoders.ByteLevel()
    return core


def whisper() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    sizes = WhisperConfig(
        vocab_size=len(VOCABULARY),
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=16,
        decoder_ffn_dim=48,
        pad_token_id=END,
        bos_token_id=END,
        eos_token_id=END,
        decoder_start_token_id=START,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(sizes).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "norm" not in name:
            parameter.normal_(std=0.3)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=START,
        eos_token_id=END,
        lang_to_id=LANGUAGES,
        task_to_id={"transcribe": VOCABULARY["<|transcribe|>"], "translate": VOCABULARY["<|translate|>"]},
        no_timestamps_token_id=WITHOUT_TIMES,
        suppress_tokens=[VOCABULARY["#"]],
        begin_suppress_tokens=[VOCABULARY["Ġ"], END],
        alignment_heads=[[0, 1], [1, 0], [1, 3]],
    )
    return model


MODEL = whisper()


@pytest.fixture
def decoder() -> WhisperStepDecoder:
    return WhisperStepDecoder(MODEL, tokenizer(), pack=False)


def states(seconds: float = 2.0, seed: int = 0) -> Tensor:
    """The encoder's output over a clip and 2 s of silence."""
    return torch.randn(round(seconds * 50) + 100, WIDTH, generator=torch.Generator().manual_seed(seed))


def steps(decoder: WhisperStepDecoder) -> list[tuple[int, Tensor | None]]:
    """Filled by what the decoder reads in each step, and the logits that it gives."""
    taken: list[tuple[int, Tensor | None]] = []
    step = decoder._step

    def spy(token: int, state: Any, wanted: bool = True) -> Tensor:
        logits = step(token, state, wanted)
        taken.append((token, logits.clone() if wanted else None))
        return logits

    decoder._step = spy  # type: ignore[method-assign]
    return taken


def script(decoder: WhisperStepDecoder, logits: Callable[[int], Tensor]) -> None:
    """Let the vocabulary say `logits(i)`: 0 is for the language, i for the i-th token."""
    step = 0

    def vocabulary(hidden: Tensor) -> Tensor:
        nonlocal step
        step += 1
        return logits(step - 1)[None]

    decoder.vocabulary = vocabulary  # type: ignore[assignment]


def says(tokens: Sequence[int], language: str = "<|en|>") -> Callable[[int], Tensor]:
    wanted = [LANGUAGES[language], *tokens, END]
    return lambda step: torch.nn.functional.one_hot(torch.tensor(wanted[step]), len(VOCABULARY)).float() * 20


def of_bytes(text: str) -> list[int]:
    return [
        VOCABULARY[piece]
        for piece, _ in pre_tokenizers.ByteLevel(False).pre_tokenize_str(text)
        for piece in piece
    ]


@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_every_step_gives_the_logits_of_transformers(decoder: WhisperStepDecoder, task: str) -> None:
    taken, heard = steps(decoder), states()
    transcript = decoder.transcribe(heard, 2.0, SpeechRequest(task, "en"))  # type: ignore[arg-type]
    read = [token for token, _ in taken]
    assert read[0] == START
    assert read[1] == LANGUAGES[f"<|{transcript.language}|>"]
    assert read[2:4] == [VOCABULARY[f"<|{task}|>"], WITHOUT_TIMES]
    assert len(read) > 10
    expected = MODEL(
        encoder_outputs=BaseModelOutput(heard[None]), decoder_input_ids=torch.tensor([read])
    ).logits[0]
    for (_, logits), reference in zip(taken, expected, strict=True):
        if logits is not None:
            assert torch.allclose(logits, reference, atol=1e-3, rtol=1e-3)
    first = expected[0].softmax(-1)
    assert transcript.no_speech == pytest.approx(float(first[NO_SPEECH]), rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), seconds=st.floats(0.2, 1.5))
def test_words_lie_in_the_clip_in_order_and_no_run_of_four_comes_twice(seed: int, seconds: float) -> None:
    decoder = WhisperStepDecoder(MODEL, tokenizer(), pack=False)
    # A vocabulary that prefers few tokens runs in circles, were it let.
    liked = torch.randn(len(VOCABULARY), generator=torch.Generator().manual_seed(seed)) * 4
    script(decoder, lambda step: liked.clone())
    taken = steps(decoder)
    transcript = decoder.transcribe(states(seconds, seed), seconds, SpeechRequest(language="en"))
    tokens = [token for token, _ in taken[4:]]
    runs = [tuple(tokens[i : i + REPEATED]) for i in range(len(tokens) - REPEATED + 1)]
    assert len(runs) == len(set(runs))
    assert not {VOCABULARY["#"], *range(END + 1, len(VOCABULARY))} & set(tokens)
    assert not tokens or tokens[0] not in (VOCABULARY["Ġ"], END)
    words = transcript.words
    assert all(0 <= word.start <= word.end <= seconds + 1e-6 for word in words)
    assert all(one.end == other.start for one, other in pairwise(words))
    assert all(0 <= word.confidence <= 1 for word in words)


def test_a_transcript_that_does_not_end_breaks_off_at_the_token_bound(decoder: WhisperStepDecoder) -> None:
    script(
        decoder,
        lambda step: (
            says([])(0) if step == 0 else says([VOCABULARY["a"]])(1) + torch.eye(len(VOCABULARY))[step % 90]
        ),
    )
    taken = steps(decoder)
    transcript = decoder.transcribe(states(), 2.0)
    assert transcript.broke_off
    assert len(taken) == 8 + int(2.0 * TOKENS_A_SECOND) + 8


def test_a_transcript_that_ends_has_its_words_and_how_sure_they_are(decoder: WhisperStepDecoder) -> None:
    script(decoder, says([VOCABULARY[piece] for piece in ("Ġhe", "llo", ",", "Ġyou")]))
    transcript = decoder.transcribe(states(), 2.0)
    assert not transcript.broke_off
    assert [word.text for word in transcript.words] == [" hello,", " you"]
    assert transcript.text == "hello, you"
    assert transcript.words[-1].end == 2.0
    assert all(word.confidence > 0.99 for word in transcript.words)
    assert transcript.mean_logprob == pytest.approx(0, abs=1e-3)
    assert transcript.language == "en"


def test_sentences_have_their_own_words_and_times_are_no_words(decoder: WhisperStepDecoder) -> None:
    begins, ends = VOCABULARY["<|0.00|>"], VOCABULARY["<|0.02|>"]
    hello, you = [VOCABULARY["Ġhe"], VOCABULARY["llo"]], [VOCABULARY["Ġyou"]]
    script(decoder, says([begins, *hello, ends, ends, *you]))
    taken = steps(decoder)
    one, two = decoder.transcribe_sentences(states(), 2.0)
    assert [token for token, _ in taken[:3]] == [START, LANGUAGES["<|en|>"], VOCABULARY["<|transcribe|>"]]
    assert [word.text for word in one.words] == [" hello"]
    assert [word.text for word in two.words] == [" you"]
    assert 0.0 <= one.words[0].start <= one.words[0].end == two.words[0].start <= two.words[0].end == 2.0
    assert not one.broke_off
    assert not two.broke_off


def test_a_sentence_may_say_a_run_of_four_twice_but_no_oftener(decoder: WhisperStepDecoder) -> None:
    liked = says([])(1) * 0 + torch.arange(len(VOCABULARY)) * 1e-3
    liked[VOCABULARY["a"]] = 20.0
    script(decoder, lambda step: says([])(0) if step == 0 else liked.clone())
    taken = steps(decoder)
    decoder.transcribe_sentences(states(), 2.0)
    assert [token for token, _ in taken].count(VOCABULARY["a"]) >= REPEATED + 1
    tokens = [token for token, _ in taken[3:]]
    runs = Counter(tuple(tokens[i : i + REPEATED]) for i in range(len(tokens) - REPEATED + 1))
    assert runs[(VOCABULARY["a"],) * REPEATED] == 2


def test_nothing_said_is_no_word(decoder: WhisperStepDecoder) -> None:
    script(decoder, says([]))
    decoder.begin_suppressed = []
    transcript = decoder.transcribe(states(), 2.0)
    assert transcript.words == ()
    assert not transcript.broke_off


@pytest.mark.parametrize(("language", "words"), [("<|zh|>", ["你", "好"]), ("<|en|>", ["你好"])])
def test_a_language_without_spaces_has_a_word_a_character(
    decoder: WhisperStepDecoder, language: str, words: list[str]
) -> None:
    script(decoder, says(of_bytes("你好"), language))
    assert [word.text for word in decoder.transcribe(states(), 2.0).words] == words


@pytest.mark.parametrize(("german", "expected"), [(0.9 * ENGLISH_PRIOR, "en"), (1.1 * ENGLISH_PRIOR, "de")])
def test_english_is_taken_unless_another_language_is_much_likelier(
    decoder: WhisperStepDecoder, german: float, expected: str
) -> None:
    logits = torch.full((len(VOCABULARY),), -9.0)
    logits[LANGUAGES["<|en|>"]] = 0.0
    logits[LANGUAGES["<|de|>"]] = float(np.log(german))
    script(decoder, lambda step: logits.clone() if step == 0 else says([])(1))
    decoder.begin_suppressed = []
    taken = steps(decoder)
    transcript = decoder.transcribe(states(), 1.0)
    assert transcript.language == expected
    share = 1 / (1 + german)
    assert transcript.language_probability == pytest.approx(
        share if expected == "en" else 1 - share, rel=1e-2
    )
    assert taken[1][0] == LANGUAGES[f"<|{expected}|>"]


@pytest.mark.parametrize(("made_out", "expected"), [(0.05, "en"), (4.0, "de")])
def test_of_languages_that_may_be_spoken_the_one_is_taken_in_which_most_is_made_out(
    decoder: WhisperStepDecoder, made_out: float, expected: str
) -> None:
    """German is less likely by its sound; its text is surer by so many nats a token."""
    odds = torch.full((len(VOCABULARY),), -9.0)
    odds[LANGUAGES["<|en|>"]], odds[LANGUAGES["<|de|>"]] = 0.0, -0.5
    unsure = torch.zeros(len(VOCABULARY))
    unsure[END] = 1.0
    surer = unsure.clone()
    surer[END] += made_out
    texts = {LANGUAGES["<|en|>"]: unsure, LANGUAGES["<|de|>"]: surer}
    read = steps(decoder)

    def vocabulary(hidden: Tensor) -> Tensor:
        spoken = [token for token, _ in read if token in texts]
        return (texts[spoken[-1]] if spoken else odds)[None].clone()

    decoder.vocabulary = vocabulary  # type: ignore[assignment]
    decoder.begin_suppressed = []
    transcript = decoder.transcribe(states(), 1.0)
    assert transcript.language == expected
    assert transcript.words == ()
    assert [token for token, _ in read if token in texts] == list(texts)


def test_where_one_language_is_likely_no_other_is_tried(decoder: WhisperStepDecoder) -> None:
    script(decoder, says([VOCABULARY["a"]]))
    taken = steps(decoder)
    decoder.transcribe(states(), 1.0)
    assert [token for token, _ in taken if token in LANGUAGES.values()] == [LANGUAGES["<|en|>"]]


def test_the_language_may_be_given(decoder: WhisperStepDecoder) -> None:
    taken = steps(decoder)
    transcript = decoder.transcribe(states(), 0.5, SpeechRequest(language="de"))
    assert (transcript.language, transcript.language_probability) == ("de", 1.0)
    assert [token for token, _ in taken if token in LANGUAGES.values()] == [LANGUAGES["<|de|>"]]
    (sentence, *_) = decoder.transcribe_sentences(states(), 0.5, SpeechRequest(language="zh"))
    assert (sentence.language, sentence.language_probability) == ("zh", 1.0)


def test_a_language_that_whisper_does_not_know_is_found_out(decoder: WhisperStepDecoder) -> None:
    unknown = decoder.transcribe(states(), 0.5, SpeechRequest(language="xx"))
    assert unknown == decoder.transcribe(states(), 0.5)


def starts_by_hand(likeness: np.ndarray) -> list[int]:
    """Dynamic time warping cell by cell."""
    tokens, frames = likeness.shape
    best = np.full((tokens, frames), -np.inf)
    came: dict[tuple[int, int], tuple[int, int]] = {}
    for i in range(tokens):
        for j in range(frames):
            before = [cell for cell in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if min(cell) >= 0]
            if before:
                came[i, j] = max(before, key=lambda cell: best[cell])
            best[i, j] = likeness[i, j] + (best[came[i, j]] if before else 0)
    cell, starts = (tokens - 1, frames - 1), {}
    while True:
        starts[cell[0]] = cell[1]
        if cell not in came:
            return [starts[i] for i in range(tokens)]
        cell = came[cell]


@pytest.mark.parametrize("lengths", [(3, 3, 3), (1, 5, 2), (4,), (1, 1, 1, 6)])
def test_a_token_begins_where_its_frames_do(lengths: tuple[int, ...]) -> None:
    owner = np.repeat(np.arange(len(lengths)), lengths)
    likeness = (owner == np.arange(len(lengths))[:, None]).astype(np.float32) * 2 - 1
    assert token_starts(likeness).tolist() == [0, *np.cumsum(lengths)[:-1].tolist()]


@given(st.integers(1, 9), st.integers(1, 20), st.integers(0, 10_000))
def test_the_path_is_monotone_and_the_best(tokens: int, frames: int, seed: int) -> None:
    likeness = np.random.default_rng(seed).normal(size=(tokens, frames)).astype(np.float32)
    starts = token_starts(likeness)
    assert starts[0] == 0
    assert (np.diff(starts) >= 0).all()
    assert (starts < frames).all()
    assert starts.tolist() == starts_by_hand(likeness)


def test_the_median_takes_a_spike_away_and_leaves_what_is_short() -> None:
    spike = torch.zeros(2, 3, 20)
    spike[..., 9] = 1.0
    assert not median(spike).any()
    step = torch.cat([torch.zeros(1, 10), torch.ones(1, 10)], -1)
    assert torch.equal(median(step), step)
    assert median(torch.rand(2, 3)).shape == (2, 3)
