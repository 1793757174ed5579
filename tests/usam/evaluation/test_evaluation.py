"""The public evaluation: what is right, balanced questions, mixtures, batches that equal single questions."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from tests import tiny
from usam.data.corpus import Example
from usam.engine.engine import Engine
from usam.evaluation import judging
from usam.evaluation.ablations.deletion import SEEDS, costs_of, deletion, drawn
from usam.evaluation.ablations.inference import conditions, direct_path
from usam.evaluation.answering import Frames, ask, batches
from usam.evaluation.baselines import encoder_classifier as kinds
from usam.evaluation.baselines.linear_probe import fit, pooled_frames
from usam.evaluation.baselines.specialists import repetitive, unheard
from usam.evaluation.clips import TestClip, TestSet, mixed, silent
from usam.evaluation.metrics import likeness, ratio, share, word_errors
from usam.evaluation.questions import (
    Question,
    balanced,
    different,
    presence,
    question_sets,
    score,
    things,
)
from usam.evaluation.report import table, write
from usam.evaluation.routing import separation
from usam.schema.trace import Supervision


def clip(kind: str, seconds: float = 0.5, seed: int = 0, **truth: str) -> TestClip:
    return TestClip(f"{kind} {seed}", frozenset({kind}), tiny.clip(seconds, seed).waveform, **truth)


@pytest.fixture
def attentive(tmp_path: Path) -> Engine:
    """A tiny engine whose LLM and router heed what they get: freshly initialised, both hardly do."""
    engine = tiny.engine(tmp_path)
    with torch.no_grad():
        for parameter in engine.model.llm.get_decoder().layers.parameters():
            if parameter.dim() > 1:
                parameter.mul_(12)
        engine.model.adapter.projector.router[-1].weight.mul_(30)
    return engine


@pytest.fixture
def clips() -> TestSet:
    """A few clips of every kind, of very different lengths."""
    spoken = [
        clip("speech", 0.3 + 0.7 * seed, seed, source="fsdd", transcript=f"number {seed}")
        for seed in range(4)
    ]
    sounds = [clip("sound", 0.5, 10 + i, label=name) for i, name in enumerate(("dog", "rain", "door", "cat"))]
    music = [
        clip("music", 1.1, 20 + i, label=name) for i, name in enumerate(("flute", "piano", "tuba", "oboe"))
    ]
    single = [*spoken, *sounds, *music]
    return TestSet(single, list(mixed(single, 2)), list(silent(2)))


def test_batched_answers_are_those_of_single_questions(attentive: Engine, clips: TestSet) -> None:
    engine = attentive
    texts = ("What is this?", "Is someone speaking in this clip?")
    questions = [
        Question(clip, texts[index % 2], 5 + index % 3, task=("qa", "asr")[index % 2])
        for index, clip in enumerate(clips.single + clips.mixed)
    ]
    replies = ask(engine.model, Frames(list(engine.model.encoders)), questions)
    answers = [
        engine.ask((16_000, q.clip.waveform.numpy()), q.text, task=q.task, max_new_tokens=q.max_new_tokens)
        for q in questions
    ]
    assert [reply.text for reply in replies] == [answer.text for answer in answers]
    assert len({reply.text for reply in replies}) > 3  # they do depend on the clip
    for reply, answer in zip(replies, answers, strict=True):
        expected = torch.tensor([token.routing for token in answer.trace.tokens])
        assert torch.allclose(reply.routing, expected, atol=1e-5)


def test_an_answer_ends_at_its_end_mark(tmp_path: Path, clips: TestSet) -> None:
    model = tiny.model()
    remove = tiny.end_after(model, 3)
    [reply] = ask(model, Frames(list(model.encoders)), [Question(clips.single[0], "What?", 9)])
    remove()
    assert len(reply.ids) == 3
    assert reply.ids[-1] == model.prompts.end_id


def test_batches_hold_every_question_once_and_one_length_of_answer(clips: TestSet) -> None:
    asked = [Question(c, "What?", room) for room in (4, 30) for c in clips.single * 6]
    found = list(batches(asked))
    assert sorted(index for batch in found for index in batch) == list(range(len(asked)))
    assert all(len({(asked[i].task, asked[i].max_new_tokens) for i in batch}) == 1 for batch in found)
    assert max(map(len, found)) == 32


def test_a_clip_is_encoded_once(clips: TestSet) -> None:
    model = tiny.model()
    ask(model, Frames(list(model.encoders)), [Question(clips.single[0], text, 2) for text in ("a", "b", "c")])
    assert model.encoders[0].calls == 1


@pytest.mark.parametrize(
    ("answer", "label", "right"),
    [
        ("The sound of a dog barking.", "dog bark", True),
        ("The sound of a cat.", "dog bark", False),
        ("A sound.", "sound of music", False),  # a word that fits every clip names nothing
        ("one two three four five six seven eight nine ten eleven twelve dog", "dog", False),
    ],
)
def test_names(answer: str, label: str, right: bool) -> None:
    assert judging.names(answer, label) is right


def test_a_specialist_is_right_if_any_of_its_guesses_is() -> None:
    assert judging.listed(["Vehicle", "Animal", "Dog"], "dog bark")
    assert judging.family_listed(["ambient", "trumpet", "violin"], "tuba")
    assert not judging.family_listed(["ambient", "violin"], "tuba")


@pytest.mark.parametrize(
    ("answer", "right"),
    [("This is speech.", True), ("Speech or music.", False), ("This is music.", False), ("", False)],
)
def test_tells_kind(answer: str, right: bool) -> None:
    assert judging.tells_kind(answer, "speech") is right


@pytest.mark.parametrize(
    ("answer", "kind", "right"),
    [
        ("Someone says: hello", "speech", True),
        ("The sound of someone speaking.", "speech", True),
        ("The sound of a dog.", "speech", False),
        ("The sound of a bell.", "sound", True),
        ("Music: a dog playing.", "sound", True),  # the label is named
        ("Music: a flute playing.", "sound", False),
        ("A person speaking over music.", "music", False),
    ],
)
def test_describes(answer: str, kind: str, right: bool) -> None:
    assert judging.describes(answer, kind, None if kind == "speech" else "dog") is right


def test_a_mixture_needs_both_kinds() -> None:
    kinds = frozenset({"speech", "music"})
    assert judging.mixture_told("This is speech over music.", kinds, "flute")
    assert judging.mixture_told("Someone speaks while a flute plays.", kinds, "flute")
    assert not judging.mixture_told("This is music: a flute.", kinds, "flute")
    assert not judging.mixture_told("This is speech.", kinds, "flute")


@pytest.mark.parametrize(
    ("answer", "yes", "right"),
    [
        ("Yes, it is.", True, True),
        ("No.", True, False),
        ("no", False, True),
        ("Nothing", False, False),
        ("", True, False),
    ],
)
def test_yes_and_no(answer: str, yes: bool, right: bool) -> None:
    assert judging.says(answer, yes) is right


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("Nothing can be heard.", True),
        ("No speech can be heard.", True),
        ("I can't hear any words.", True),
        ("No one is speaking.", True),
        ("no i do not hear it", False),
        ("there was nothing left", False),  # a transcript with the word in it
    ],
)
def test_refuses(answer: str, refused: bool) -> None:
    assert judging.refuses(answer) is refused


def test_yes_is_asked_as_often_as_no(clips: TestSet) -> None:
    for questions in (presence(clips.single, 3), things(clips.single)):
        always_yes = [judge("yes") for question in questions for judge in [question.judges["yes/no"]]]
        assert len(always_yes) >= 8
        assert sum(always_yes) * 2 == len(always_yes)
    assert len(presence(clips.single, 3)) == 12


def test_things_asked_for_are_there_only_when_the_answer_is_yes(clips: TestSet) -> None:
    for question in things(clips.single):
        own = (question.clip.label or "?") in question.text
        assert question.judges["yes/no"]("yes") is own


def test_related_things_are_not_asked_for() -> None:
    assert different("dog", "rain")
    assert not different("dog bark", "dog howl")
    assert not different("snare drum", "hi-hat")  # a loop may hold both


def test_balanced_takes_the_smaller_side_whole() -> None:
    there, absent = [clip("speech", seed=i) for i in range(2)], [clip("music", seed=i) for i in range(5)]
    assert len(balanced(there, absent, 1, Random(0))) == 2
    drawn_pairs = balanced(there, absent, 9, Random(0))
    assert Counter(yes for _, yes in drawn_pairs) == {True: 2, False: 2}
    assert {c for c, yes in drawn_pairs if yes} == set(there)


def test_a_mixture_holds_both_clips_and_the_louder_is_the_speech(clips: TestSet) -> None:
    again = list(mixed(clips.single, 2))
    assert [sorted(c.kinds) for c in again] == [["music", "speech"]] * 2 + [["sound", "speech"]] * 2
    for one, same in zip(clips.mixed, again, strict=True):
        assert torch.equal(one.waveform, same.waveform)
        assert one.waveform.abs().max() <= 1
        [voice] = [c.waveform for c in clips.single if c.name == one.name.split(" + ")[0]]
        assert len(one.waveform) == len(voice)
        assert correlation(one.waveform, voice) > 0.65  # at least as strong as the rest
        rest = one.waveform - voice * (one.waveform @ voice) / (voice @ voice)
        assert rest.norm() > 0.2 * one.waveform.norm()


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))


def test_word_errors_are_pooled_over_clips_not_averaged() -> None:
    found = word_errors([("a big dog", "a big dog"), ("bark", "dark ark")])
    assert found["value"] == pytest.approx(2 / 4)
    assert found["interval"][0] == 0
    assert found["interval"][1] == pytest.approx(2)
    assert found["clips"] == 2


def test_word_errors_ignore_case_and_punctuation() -> None:
    assert word_errors([("it's a dog", "It is a dog!")])["value"] == 0


def test_intervals_narrow_with_the_number_of_answers() -> None:
    few, many = (share([True, False] * n)["interval"] for n in (8, 200))
    assert few[1] - few[0] > 3 * (many[1] - many[0])


def test_a_ratio_is_that_of_the_means() -> None:
    found = ratio(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert found["value"] == pytest.approx(0.5)
    assert found["interval"] == pytest.approx([0.5, 0.5])


def test_word_errors_are_told_by_speaker(clips: TestSet) -> None:
    questions = question_sets(clips)["transcription"]
    figures = score(questions, [q.clip.transcript or "" for q in questions])
    assert {name: figure["value"] for name, figure in figures.items()} == {
        "transcription": 0,
        "transcription, digits": 0,
    }


def test_captions_have_to_name_what_is_heard(clips: TestSet) -> None:
    questions = question_sets(clips)["captions"]
    figures = score(questions, [f"A {q.clip.label}." if q.task == "aac" else "Music." for q in questions])
    assert {name: figure["value"] for name, figure in figures.items()} == {
        "caption": 0.5,
        "caption, sound": 1,
        "caption, music": 0,
    }


def test_translations_are_scored_by_language_and_nothing_is_asked_without_any(clips: TestSet) -> None:
    assert question_sets(clips)["translation"] == []
    foreign = [
        clip("speech", seed=40 + index, language=language, translation="the door is open")
        for index, language in enumerate(("cs", "nl"))
    ]
    questions = question_sets(replace(clips, foreign=foreign))["translation"]
    figures = score(questions, ["the door is open", "xxx"])
    assert figures["translation, Czech"]["value"] == pytest.approx(1)
    assert figures["translation, Dutch"]["value"] == 0
    assert figures["translation"]["value"] == pytest.approx(0.5)


def test_a_translation_half_right_is_worth_more_than_none_and_less_than_all() -> None:
    values = [likeness([("the door is open", said)])["value"] for said in ("the floor is wet", "xxx")]
    assert 0.2 < values[0] < 0.9
    assert values[1] == 0


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("six", False),
        ("What would you have me do about all this?", False),
        ("I don't know. " * 30, True),
        ("ha" * 100, True),
    ],
)
def test_loop_guard(text: str, loops: bool) -> None:
    assert repetitive(text) is loops


def test_router_that_knows_the_kind_has_all_the_information() -> None:
    experts = torch.eye(3)
    routing = [(kind, experts[index].repeat(4, 1)) for index, kind in enumerate(("speech", "sound", "music"))]
    found = separation(routing)
    assert found["mutual_information_bits"] == pytest.approx(np.log2(3))
    assert found["load_entropy_bits"] == pytest.approx(np.log2(3))
    assert found["tokens_led"] == [4, 4, 4]
    assert found["tokens_led_by_kind"]["sound"] == [0, 4, 0]


def test_router_that_does_not_know_the_kind_has_none() -> None:
    weights = torch.tensor([[0.7, 0.2, 0.1]]).repeat(5, 1)
    found = separation([("speech", weights), ("sound", weights[:2]), ("music", weights)])
    assert found["mutual_information_bits"] == pytest.approx(0, abs=1e-6)
    assert found["tokens_led"] == [12, 0, 0]


def test_without_audio_no_clip_changes_the_answer(attentive: Engine, clips: TestSet) -> None:
    model = attentive.model
    frames = Frames(list(model.encoders))
    questions = [Question(c, "What is this?", 6) for c in clips.single]
    assert len({reply.text for reply in ask(model, frames, questions)}) > 3
    assert len({reply.text for reply in ask(model, frames, questions, listen=unheard(model))}) == 1


def test_each_ablation_is_heard_and_leaves_the_model_as_it_was(attentive: Engine, clips: TestSet) -> None:
    model = attentive.model
    frames = Frames(list(model.encoders))
    questions = [Question(c, "What is this?", 6) for c in clips.single]
    whole = [reply.text for reply in ask(model, frames, questions)]
    for name, listen in conditions(model).items():
        if name != "redundant tokens dropped":
            assert [reply.text for reply in ask(model, frames, questions, listen=listen)] != whole, name
    with direct_path(model):
        assert [reply.text for reply in ask(model, frames, questions)] != whole
    assert [reply.text for reply in ask(model, frames, questions)] == whole


def test_one_expert_alone_leads_every_token(clips: TestSet) -> None:
    model = tiny.model()
    listen = conditions(model)["expert 2 alone"]
    [reply] = ask(model, Frames(list(model.encoders)), [Question(clips.single[0], "What?", 2)], listen=listen)
    assert torch.equal(reply.routing, torch.tensor([[0.0, 1.0, 0.0]]).expand(len(reply.routing), -1))


@pytest.mark.parametrize("supervision", ["question", "question+answer"])
def test_deletion_costs_are_differences_of_the_answers_loss(
    attentive: Engine, clips: TestSet, supervision: Supervision
) -> None:
    model = attentive.model
    frames = Frames(list(model.encoders)).aligned(clips.single[3])
    answer = model.prompts.answer("a dog")
    prompt = model.prompts.build("What?")
    audio = model.embed_audio(frames[None], torch.ones(1, len(frames), dtype=torch.bool), [prompt.question])
    read = {"question": prompt.question, "question+answer": torch.cat([prompt.question, answer])}
    totals = model.significance(audio, [read[supervision]]).total
    model.adapter.saclm.threshold = float(totals.median())
    redundant = totals <= model.adapter.saclm.threshold
    whole, without = (
        float(model.answer_loss(model.assemble(given, [prompt], [answer])))
        for given in (audio, audio.keep(~redundant))
    )
    costs = costs_of(model, frames, "What?", answer, supervision)
    assert costs.share == pytest.approx(float(redundant.float().mean()))
    assert costs.redundant == pytest.approx(without - whole, abs=1e-4)
    assert costs.random != pytest.approx(costs.redundant, abs=1e-4)


def test_clips_with_nothing_or_everything_redundant_are_left_out(clips: TestSet) -> None:
    model = tiny.model()
    frames = Frames(list(model.encoders))
    questions = [Question(clip, "What?") for clip in clips.single[:2]]
    for threshold, share_redundant in ((-1.0, 0), (2.0, 1)):
        model.adapter.saclm.threshold = threshold
        found = deletion(model, frames, questions, ask(model, frames, questions))
        assert found["question"] == {"redundant_share": share_redundant}


def test_random_tokens_are_as_many_and_differ_by_seed() -> None:
    drawings = [drawn(40, 13, seed) for seed in range(SEEDS)]
    assert {int(drawing.sum()) for drawing in drawings} == {13}
    assert len({tuple(drawing.tolist()) for drawing in drawings}) == SEEDS


def test_probe_finds_what_is_linearly_there() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(300, 20, generator=generator) * 50 + 1000  # no scale or offset may matter
    classes = (features[:, 4] > features[:, 7]).long()
    fitted = fit(features[:200], classes[:200])
    assert (fitted(features[200:]) == classes[200:]).float().mean() > 0.85


def test_everything_is_written_beside_the_checkpoint(tmp_path: Path, clips: TestSet) -> None:
    model = tiny.model()
    frames = Frames(list(model.encoders))
    sets = question_sets(clips)
    questions = [question for asked in sets.values() for question in asked]
    replies = ask(model, frames, questions)
    scores = score(questions, [reply.text for reply in replies])
    result = {
        "model": {"preset": "tiny"},
        "scores": scores,
        "baselines": {"Nobody": {"kind told": share([True, False])}},
        "router": separation([("speech", replies[0].routing), ("music", replies[1].routing)]),
        "deletion": deletion(model, frames, questions[:4], replies[:4]),
    }
    write(result, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "evaluation.json",
        "evaluation.md",
        "evaluation.png",
        "routing.json",
    }
    assert (tmp_path / "evaluation.png").stat().st_size < 150_000
    text = table(result)
    assert "Nobody 0.500" in next(line for line in text.splitlines() if line.startswith("| kind told |"))
    assert len({line.count("|") for line in text.splitlines()}) == 1  # every row has every column


@pytest.mark.parametrize("hidden", [0, 16])
def test_a_classifier_of_kinds_tells_what_differs_and_heeds_a_rare_kind(hidden: int) -> None:
    truth = torch.tensor([0] * 900 + [1] * 900 + [2] * 60)
    features = torch.nn.functional.one_hot(truth, 3).repeat(1, 16) * 4.0 + torch.randn(1860, 48) * 0.3
    told = kinds.classify(features, truth, features, hidden, seed=0)
    found = kinds.figures(told, truth)
    assert min(found[kind]["value"] for kind in ("speech", "sound", "music")) > 0.8
    assert torch.equal(told, kinds.classify(features, truth, features, hidden, seed=0))


def test_the_share_of_kinds_told_is_the_mean_of_the_kinds() -> None:
    told = torch.eye(3)[[0, 0, 0, 0, 1]]
    found = kinds.figures(told, torch.tensor([0, 0, 0, 1, 2]))
    assert found["kind told"]["value"] == pytest.approx(1 / 3)


def test_pooled_frames_are_kept_and_cut(tmp_path: Path) -> None:
    clip = Path(__file__).parents[2] / "clips/piano.ogg"
    one = Example(clip, 2.0, "music", None, "piano", "g", "own", "CC0", "")
    parts = [replace(one, span=span) for span in ((0.0, 0.5), (0.5, 1.5))]
    encoders = list(tiny.model().encoders)
    file = tmp_path / "work/pooled.safetensors"
    made = pooled_frames(encoders, parts, file, lambda message: None, kinds.statistics, longest=0.5)
    assert not torch.equal(made[0], made[1])  # two spans of one file are two clips
    calls = encoders[0].calls
    again = pooled_frames(encoders, parts[::-1], file, lambda message: None, kinds.statistics, longest=0.5)
    assert encoders[0].calls == calls
    assert torch.equal(again, made.flip(0))
