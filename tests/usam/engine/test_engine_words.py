"""Answers of a model with words: where they lie in the trace, what is read, and that no prompt holds them."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from usam.engine.engine import Engine
from usam.llm.prompts import PromptBuilder
from usam.schema.answer import Answer
from usam.schema.events import Encoded
from usam.schema.interventions import DropSpan, ForceExpert, ReadAll
from usam.schema.trace import Trace

SAID = ("French", "bon", "jour", "welcome", "dog", "growl", "piano", "man", "woman", "child")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    built = tiny.engine(tmp_path, words=True)
    # Vectors of both kinds are there: what says nothing is redundant.
    built.model.adapter.saclm.threshold = 0.55
    return built


def ask(engine: Engine, **options: object) -> Answer:
    return engine.ask(tiny.clip(1.0), max_new_tokens=3, **options)  # type: ignore[arg-type]


def read(engine: Engine, **options: object) -> Trace:
    """The trace by which it is decided what the language model reads, before the answer scores it again."""
    first = next(engine.stream(tiny.clip(1.0), max_new_tokens=3, **options))  # type: ignore[arg-type]
    assert isinstance(first, Encoded)
    return first.trace


def words(answer: Answer) -> dict[int, list[str]]:
    """The words of each token that has some; the speaker is the untrained head's and left out."""
    tokens = enumerate(answer.trace.tokens)
    said = {i: [word.text for word in token.words if word.text in SAID[:7]] for i, token in tokens}
    return {token: texts for token, texts in said.items() if texts}


def test_words_lie_at_the_tokens_of_their_time(engine: Engine) -> None:
    # Tokens of 0.08 s: 0.2 s is in token 2, 0.45 s in 5, 0.8 s in 10.
    answer = ask(engine)
    assert words(answer) == {0: ["dog", "growl"], 2: ["French", "bon"], 5: ["jour"], 10: ["piano"]}
    experts = {word.text: word.expert for token in answer.trace.tokens for word in token.words}
    assert [experts[text] for text in ("bon", "dog", "piano")] == ["expert 1", "expert 2", "expert 3"]
    sure = {word.text: word.confidence for token in answer.trace.tokens for word in token.words}
    assert (sure["jour"], sure["growl"]) == (0.8, 0.4)
    # The router follows them.
    tokens = answer.trace.tokens
    assert [max(range(3), key=tokens[i].routing.__getitem__) for i in (0, 2, 10)] == [1, 0, 2]


def test_redundant_tokens_are_dropped_unless_all_are_to_be_read(engine: Engine) -> None:
    tokens = read(engine).tokens
    assert {token.redundant for token in tokens} == {True, False}
    assert [token.dropped for token in tokens] == [token.redundant for token in tokens]
    everything = read(engine, intervention=ReadAll())
    assert everything.pruned
    assert everything.tokens_dropped == 0


def test_a_model_without_words_reads_every_token(tmp_path: Path) -> None:
    plain = tiny.engine(tmp_path)
    plain.model.adapter.saclm.threshold = 0.55
    trace = ask(plain).trace
    assert any(token.redundant for token in trace.tokens)
    assert trace.tokens_dropped == 0
    assert not trace.pruned
    assert not any(token.words for token in trace.tokens)


def test_a_dropped_span_takes_its_words_along(engine: Engine) -> None:
    redundant = [token.redundant for token in read(engine).tokens]
    assert not redundant[2]
    answer = ask(engine, intervention=DropSpan(0.16, 0.24))
    dropped = [token.dropped for token in answer.trace.tokens]
    assert dropped == [said_before or i == 2 for i, said_before in enumerate(redundant)]
    assert words(answer)[2] == ["French", "bon"]
    audio = engine.audio_tokens_of(tiny.clip(1.0), answer)
    assert not audio.mask[audio.owner == 2].any()
    assert audio.token_mask[0].tolist() == [not token for token in dropped]


def test_a_forced_expert_says_its_own_words_alone(engine: Engine) -> None:
    clip = tiny.clip(1.0)
    tokens = {expert: engine.encode(clip, "?", ForceExpert(expert)) for expert in (0, 1)}
    vectors = engine.model.embeddings.weight
    heard = {
        expert: [
            bool((audio.tokens[0, audio.owner[0] == token] - vectors[:, None]).norm(dim=-1).amin() < 0.2)
            for token in (0, 5)
        ]
        for expert, audio in tokens.items()
    }
    # " (dog" lies at token 0, " jour" at token 5: near their pieces' embeddings only where they are loud.
    assert heard == {0: [False, True], 1: [True, False]}
    assert ask(engine, intervention=ForceExpert(1)).trace.tokens[2].routing == (0.0, 1.0, 0.0)


def test_no_prompt_holds_a_word(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[torch.Tensor] = []
    build = PromptBuilder.build

    def spy(self: PromptBuilder, *asked: object) -> object:
        prompt = build(self, *asked)  # type: ignore[arg-type]
        written.extend((prompt.left, prompt.right, prompt.question))
        return prompt

    monkeypatch.setattr(PromptBuilder, "build", spy)
    answer = ask(engine, question="What is this?")
    assert written
    texts = [answer.prompt, *(engine.model.prompts.text(ids) for ids in written)]
    assert not [(text, word) for text in texts for word in SAID if word in text]
    plain = tiny.engine(engine.checkpoint)
    assert ask(plain, question="What is this?").prompt == answer.prompt


def test_words_are_asked_for_once_a_clip_and_wish_and_translated_where_asked(engine: Engine) -> None:
    speech, audio, music = engine.model.word_streams
    assert words(ask(engine, question="What is it?"))[2] == ["French", "bon"]
    ask(engine, question="And now?")
    assert speech.asked == ["transcribe"]
    translated = ask(engine, task="s2tt")
    assert [w.text for t in translated.trace.tokens for w in t.words if w.text == "welcome"] == ["welcome"]
    assert 5 not in words(translated)
    ask(engine, question="Please translate this.")
    assert speech.asked == ["transcribe", "translate"]
    assert audio.asked == music.asked == ["transcribe"]
    engine.ask(tiny.clip(1.0, seed=1), max_new_tokens=1)
    assert speech.asked == ["transcribe", "translate", "transcribe"]


def test_words_change_the_answer(engine: Engine, tmp_path: Path) -> None:
    first = engine.encode(tiny.clip(1.0), "?")
    engine.model.word_streams[0].said["translate"] = []
    second = engine.encode(tiny.clip(1.0), "Translate.", task="s2tt")
    assert first.tokens.shape[1] > second.tokens.shape[1] > second.length
