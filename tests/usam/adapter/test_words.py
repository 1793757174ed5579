"""Words on the token axis: where they lie, what is read of them, and how loud they are."""

import re
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests import tiny
from usam.adapter.tokens import AudioTokens
from usam.adapter.words import REPEAT_TOKENS, PlacedWord, WordGrid, WordMixer, batch, grid, place, repeated
from usam.schema.words import Word

SECONDS = 0.08


def pieces(text: str) -> list[int]:
    """A piece a character: what is read can be read back."""
    return list(map(ord, text))


@st.composite
def streams(draw: st.DrawFn) -> list[list[Word]]:
    """Spoken words in order of time, then brackets of sounds and of music."""
    times = st.floats(0, 4)
    starts = sorted(draw(st.lists(times, max_size=30)))
    speech = [
        Word(
            start, start + draw(st.floats(0.01, 0.5)), draw(st.text("abc", min_size=1, max_size=6)), 0.5, " "
        )
        for start in starts
    ]
    brackets = []
    for opening, closing in ("()", "{}"):
        found = []
        for start in draw(st.lists(times, max_size=4)):
            count = draw(st.integers(1, 3))
            found += [
                Word(
                    start,
                    start + 1,
                    f"n{i}",
                    0.5,
                    ", " if i else f" {opening}",
                    "" if i < count - 1 else closing,
                )
                for i in range(count)
            ]
        brackets.append(found)
    return [speech, *brackets]


@given(streams(), st.integers(1, 60))
def test_words_keep_their_order_and_names_make_way(words: list[list[Word]], tokens: int) -> None:
    placed = place(words, tokens, SECONDS)
    assert [one.token for one in placed] == sorted(one.token for one in placed)
    assert all(0 <= one.token < tokens for one in placed)
    spoken = [one for one in placed if one.expert == 0]
    assert [one.word for one in spoken] == words[0]
    assert all(one.token == min(tokens - 1, int(one.word.start / SECONDS)) for one in spoken)
    for expert in (1, 2):
        own = [one for one in placed if one.expert == expert]
        assert sorted(id(one.word) for one in own) == sorted(map(id, words[expert]))
        taken = {one.token for one in placed if one.expert < expert}
        going_on = {
            token
            for one in spoken
            for token in range(one.token, min(tokens - 1, int((one.word.end - 1e-6) / SECONDS)))
        }
        assert not going_on & {one.token for one in own}
        if len(taken | going_on) < tokens:
            assert not taken & {one.token for one in own}
    # Each bracket is read without anything inside it.
    read = "".join(one.word.read for one in placed)
    depth = 0
    for character in read:
        depth += (character in "({") - (character in ")}")
        assert 0 <= depth <= 1
    assert depth == 0


@pytest.mark.parametrize(("start", "token"), [(0.0, 1), (0.16, 3), (0.32, 5), (9.0, 5)])
def test_a_name_lies_at_the_nearest_token_without_a_spoken_word(start: float, token: int) -> None:
    said = [Word(at * SECONDS + 0.01, at * SECONDS + 0.05, "a", 1.0, " ") for at in (0, 2, 4)]
    placed = place([said, [Word(start, start + 1, "dog", 1.0, " (", ")")], []], 6, SECONDS)
    assert [one.token for one in placed if one.expert == 1] == [token]


@settings(max_examples=50)
@given(streams(), st.integers(1, 60))
def test_no_name_is_read_between_the_pieces_of_a_word(words: list[list[Word]], tokens: int) -> None:
    ends = [Word(a.start, min(a.end, b.start), a.text, 1.0, " ") for a, b in pairwise(words[0])]
    one = grid(place([ends, *words[1:]], tokens, SECONDS), tokens, SECONDS, pieces)
    read = "".join(map(chr, one.ids[0][one.ids[0] >= 0].tolist()))
    without = "".join(map(chr, one.ids[0][one.expert[0] == 0].tolist()))
    assert without == "".join(word.read for word in ends)
    for name in re.findall(r" [({][^)}]*[)}]", read):
        read = read.replace(name, "|", 1)
    assert not re.search(r"\|+[^ |]", read), "a word begins with its space"


@settings(max_examples=50)
@given(streams(), st.integers(1, 60))
def test_every_piece_is_read_once_and_tokens_without_words_are_their_own(
    words: list[list[Word]], tokens: int
) -> None:
    placed = place(words, tokens, SECONDS)
    one = grid(placed, tokens, SECONDS, pieces)
    owner, ids = one.owner[0].tolist(), one.ids[0].tolist()
    assert owner == sorted(owner)
    assert set(owner) == set(range(tokens))
    said = [piece for one in placed for piece in pieces(one.word.read)]
    assert sorted(piece for piece in ids if piece >= 0) == sorted(said)
    speech = [piece for piece, expert in zip(ids, one.expert[0].tolist(), strict=True) if expert == 0]
    if all(a.end <= b.start for a, b in zip(words[0], words[0][1:], strict=False)):
        assert speech == [piece for word in words[0] for piece in pieces(word.read)]
    with_words = {token for token, piece in zip(owner, ids, strict=True) if piece >= 0}
    alone = [token for token, piece in zip(owner, ids, strict=True) if piece < 0]
    assert alone == [token for token in range(tokens) if token not in with_words]
    assert bool(one.mask.all())


def test_a_long_word_is_spread_over_its_time_and_nothing_else_is_read_there() -> None:
    placed = [PlacedWord(1, 0, Word(0.08, 0.40, "abcd", 1.0))]
    one = grid(placed, 6, SECONDS, pieces)
    assert one.owner[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert one.ids[0].tolist() == [-1, *pieces("abcd"), -1]
    assert one.spoken[0].tolist() == [False, True, True, True, True, False]


def clip_words() -> tuple[WordGrid, WordGrid]:
    first = grid(place([[Word(0.1, 0.3, "hi", 0.9, " ")], [], []], 5, SECONDS), 5, SECONDS, pieces)
    music = [[], [], [Word(0.0, 1.0, "a piano", 0.4, " {", "}")]]
    return first, grid(place(music, 9, SECONDS), 9, SECONDS, pieces)


def test_a_clip_reads_the_same_alone_and_in_a_batch() -> None:
    adapter = tiny.adapter(words=True)
    adapter.attach(torch.randn(400, 32))
    table = torch.randn(400, 32)
    torch.manual_seed(0)
    clips = [torch.randn(5, 24), torch.randn(9, 24)]
    grids = clip_words()
    prompts = torch.randn(2, 32)

    def project(tokens: Tensor, mask: Tensor, prompt: Tensor, words: WordGrid) -> AudioTokens:
        return adapter.project(tokens, mask, prompt, None, words, table[words.ids.clamp_min(0)])

    mask = torch.arange(9) < torch.tensor([5, 9])[:, None]
    padded = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    together = project(padded, mask, prompts, batch(grids))
    for row, (clip, words) in enumerate(zip(clips, grids, strict=True)):
        alone = project(clip[None], torch.ones(1, len(clip), dtype=torch.bool), prompts[row : row + 1], words)
        count = alone.mask.shape[1]
        assert together.mask[row].tolist() == [True] * count + [False] * (together.mask.shape[1] - count)
        assert torch.allclose(together.tokens[row, :count], alone.tokens[0], atol=1e-5)
        assert torch.equal(together.informative[row][together.mask[row]], alone.informative[0])
        assert together.token_mask[row].tolist() == mask[row].tolist()


def test_words_push_the_router_to_their_expert_and_are_read_there() -> None:
    adapter = tiny.adapter(words=True)
    adapter.attach(torch.randn(400, 32))
    words, _ = clip_words()
    table = torch.randn(400, 32)
    tokens, mask, prompt = torch.randn(1, 5, 24), torch.ones(1, 5, dtype=torch.bool), torch.randn(1, 32)
    read = table[words.ids.clamp_min(0)]
    audio = adapter.project(tokens, mask, prompt, None, words, read)
    assert audio.routing[0, 1].argmax() == 0
    assert audio.routing[0, 1, 0] > 0.99
    said = words.ids[0] >= 0
    assert torch.allclose(audio.tokens[0, said], read[0, said], atol=0.5)
    plain = adapter.project(tokens, mask, prompt)
    assert torch.allclose(audio.routing[0, 4], plain.routing[0, 4])
    assert audio.informative is not None
    assert audio.informative[0, said].all()
    # While something is said, a token's own projection is the blank's vector and says nothing.
    silent = words.spoken.gather(1, words.owner)[0] & ~said
    assert not audio.informative[0, silent].any()
    assert adapter.anchor is not None
    assert (audio.tokens[0, silent] == adapter.anchor.blank_word).all()


def test_what_the_router_thinks_silences_no_word() -> None:
    """Behind speech the router is as good as sure of the speech expert."""
    adapter = tiny.adapter(words=True)
    adapter.attach(torch.randn(400, 32))
    last = adapter.projector.router[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([20.0, 0.0, 0.0]))
    behind = grid(place([[], [Word(0.1, 0.3, "rain", 0.1, " (", ")")], []], 5, 0.08), 5, 0.08, pieces)
    table = torch.randn(400, 32)
    audio = adapter.project(
        torch.randn(1, 5, 24), torch.ones(1, 5, dtype=torch.bool), torch.randn(1, 32), None, behind,
        table[behind.ids.clamp_min(0)],
    )  # fmt: skip
    assert audio.word_share is not None
    assert audio.word_share[behind.ids >= 0].min() > 0.9
    without = audio.routing[0, behind.owner[0, behind.ids[0] < 0]]
    assert without.argmax(-1).eq(0).all()


def test_an_adapter_with_words_reads_a_clip_without_them_as_one_that_has_none() -> None:
    with_words, without = tiny.adapter(words=True), tiny.adapter()
    without.load_state_dict(
        {k: v for k, v in with_words.state_dict().items() if not k.startswith(("words.", "speaker."))}
    )
    tokens, mask, prompt = torch.randn(1, 5, 24), torch.ones(1, 5, dtype=torch.bool), torch.randn(1, 32)
    table = torch.randn(400, 32)
    with_words.attach(table)
    without.attach(table)
    one, other = with_words.project(tokens, mask, prompt), without.project(tokens, mask, prompt)
    assert torch.equal(one.tokens, other.tokens)
    assert one.informative is None
    assert one.owner.tolist() == [[0, 1, 2, 3, 4]]


def test_words_need_an_anchor_and_an_expert_for_every_encoder() -> None:
    with pytest.raises(ValueError, match="anchor_tokens"):
        tiny.config(words=True, anchor_tokens=0)
    with pytest.raises(ValueError, match="every encoder"):
        tiny.config(words=True, num_experts=2, expert_names=("a", "b"))


def mixed(gate: float, routing: float) -> tuple[Tensor, Tensor, Tensor, WordGrid]:
    torch.manual_seed(0)
    mixer = WordMixer(tiny.config(words=True))
    with torch.no_grad():
        mixer.gate.bias.fill_(gate)
    words, _ = clip_words()
    own, read = torch.randn(1, 5, 32), torch.randn(*words.ids.shape, 32)
    weights = torch.full((1, 5, 3), (1 - routing) / 2)
    weights[..., 0] = routing
    share = mixer.share(torch.randn(1, 5, 24), weights, words)
    return mixer(own, read, share, words), own, read, words


@pytest.mark.parametrize(
    ("gate", "routing", "share"), [(-99.0, 1.0, 0), (99.0, 0.0, 0), (99.0, 1.0, 1), (0.0, 0.5, 0.25)]
)
def test_a_word_is_as_loud_as_the_gate_and_the_router_let_it_be(
    gate: float, routing: float, share: float
) -> None:
    vectors, own, read, words = mixed(gate, routing)
    owned = own[0, words.owner[0]]
    said = words.ids[0] >= 0
    expected = (1 - share) * owned + share * read[0]
    assert torch.allclose(vectors[0, said], expected[said], atol=1e-5)
    assert torch.equal(vectors[0, ~said], owned[~said])


def test_the_surest_word_of_an_expert_counts_for_its_token() -> None:
    placed = [
        PlacedWord(0, 0, Word(0, 0.01, "a", 0.3)),
        PlacedWord(0, 0, Word(0, 0.01, "b", 0.8)),
        PlacedWord(2, 2, Word(0.2, 1, "c", 0.5)),
    ]
    one = grid(placed, 3, SECONDS, pieces)
    assert torch.allclose(one.token_confidence(3)[0], torch.tensor([[0.8, 0, 0], [0, 0, 0], [0, 0, 0.5]]))
    padded = batch([one, grid([], 9, SECONDS, pieces)])
    assert torch.allclose(padded.token_confidence(3)[0, :3], one.token_confidence(3)[0])
    assert not padded.token_confidence(3)[0, 3:].any()


def logits(best: list[int], vocabulary: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor([best]), vocabulary + 1).float()


def test_what_is_blank_or_was_just_said_says_nothing_new() -> None:
    blank = 2
    said = logits([0, 0, 1, blank, 0, 1], 2)
    assert repeated(said, torch.ones(1, 6, dtype=torch.bool))[0].tolist() == [
        False,
        True,
        False,
        True,
        True,
        True,
    ]
    again = logits([0] + [blank] * (REPEAT_TOKENS - 1) + [0], 2)
    assert not repeated(again, torch.ones(1, REPEAT_TOKENS + 1, dtype=torch.bool))[0, -1]
    soon = logits([0] + [blank] * (REPEAT_TOKENS - 2) + [0], 2)
    assert repeated(soon, torch.ones(1, REPEAT_TOKENS, dtype=torch.bool))[0, -1]
    padded = repeated(said, torch.tensor([[True] * 2 + [False] * 4]))
    assert padded[0].tolist() == [False] + [True] * 5


def test_values_of_vectors_by_token_and_tokens_left_out() -> None:
    owner = torch.tensor([[0, 0, 1, 2, 0]])
    mask = torch.tensor([[True, True, True, True, False]])
    audio = AudioTokens(torch.randn(1, 5, 4), mask, torch.rand(1, 3, 3), None, owner)
    assert audio.length == 3
    assert audio.by_token(torch.tensor([[0.1, 0.4, 0.3, 0.2, 9.0]]))[0].tolist() == pytest.approx(
        [0.4, 0.3, 0.2]
    )
    kept = audio.keep([[False, True, True]])
    assert kept.mask[0].tolist() == [False, False, True, True, False]
    assert kept.token_mask[0].tolist() == [False, True, True]
