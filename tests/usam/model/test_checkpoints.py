"""Saving and loading, at home in transformers: a folder a hub takes as it is gives the same answers again."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModel, AutoProcessor, BatchFeature

import usam
from tests import tiny
from usam.config import USAMConfig
from usam.encoders.words import Heard
from usam.errors import RequestError, WeightsError
from usam.llm.loading import load_llm
from usam.model import loading
from usam.model import model as modelling
from usam.model import processor as processing
from usam.model.listening import Hearing
from usam.model.model import AUDIO, USAM
from usam.model.pretrained import Pretrained
from usam.model.processor import USAMProcessor

CLIP = (16_000, np.random.default_rng(0).integers(-9000, 9000, 12_000).astype(np.int16))


@pytest.fixture
def pretrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny frozen parts on disk, in place of those the index serves."""
    folder = tmp_path / "weights" / "tiny-llm"
    tiny.llm().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    monkeypatch.setattr(modelling, "fetch", lambda *_, **__: Pretrained({}, folder))
    monkeypatch.setattr(processing, "fetch", lambda *_, **__: Pretrained({}, folder))
    monkeypatch.setattr(modelling, "frozen_encoders", lambda *_: tuple(tiny.model().encoders))
    return folder


@pytest.fixture
def trained(pretrained: Path, tmp_path: Path) -> Path:
    """A checkpoint with a LoRA that does something, as training writes it."""
    llm = load_llm(pretrained)[0]
    lora = get_peft_model(llm, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    for name, parameter in lora.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    checkpoint = tmp_path / "trained"
    USAM(tiny.adapter(), lora, tiny.tokenizer()).save_pretrained(checkpoint)
    (checkpoint / "README.md").write_text("the card")
    return checkpoint


def answer(model: USAM, processor: USAMProcessor, question: str = "What is this?") -> torch.Tensor:
    return model.generate(**processor(audio=CLIP, text=question), max_new_tokens=12, do_sample=False)[0]


def test_the_adapter_comes_back_as_it_was(tmp_path: Path) -> None:
    adapter = tiny.adapter()
    adapter.save_pretrained(tmp_path)
    again = loading.load_adapter(tmp_path)
    place = {"_name_or_path": str(tmp_path), "dtype": "float32"}
    assert again.config.to_dict() == adapter.config.to_dict() | place
    for name, tensor in adapter.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    assert again.anchor is not None
    assert again.anchor.token_ids.dtype == torch.long


def test_a_saved_folder_gives_the_same_answer_again(trained: Path, tmp_path: Path) -> None:
    processor = USAMProcessor.from_pretrained(trained)
    first = USAM.from_pretrained(trained)
    first.save_pretrained(tmp_path / "copy")
    second = USAM.from_pretrained(tmp_path / "copy")
    assert torch.equal(answer(first, processor), answer(second, processor))
    assert (tmp_path / "copy" / "README.md").read_text() == "the card"


def test_the_lora_is_heard(trained: Path) -> None:
    model = USAM.from_pretrained(trained)
    bare = load_llm(trained.parent / "weights" / "tiny-llm")[0]
    weights = [llm.get_decoder().layers[0].self_attn.q_proj.weight for llm in (model.llm, bare)]
    assert not torch.equal(*weights)


def test_no_file_names_a_place_on_this_machine(trained: Path, pretrained: Path) -> None:
    lora = json.loads((trained / "lora" / "adapter_config.json").read_text())
    assert lora["base_model_name_or_path"] == "tiny-llm"
    for file in trained.rglob("*"):
        if file.is_file():
            assert str(pretrained.parent).encode() not in file.read_bytes(), file.name


def test_saving_in_place_keeps_everything(trained: Path) -> None:
    before = sorted(path.relative_to(trained) for path in trained.rglob("*"))
    USAM.from_pretrained(trained).save_pretrained(trained)
    assert sorted(path.relative_to(trained) for path in trained.rglob("*")) == before


def test_transformers_auto_classes_know_us(trained: Path) -> None:
    config = AutoConfig.from_pretrained(trained)
    assert isinstance(config, USAMConfig)
    assert list(config.encoder_dims) == list(tiny.DIMS)
    assert isinstance(AutoModel.from_pretrained(trained), USAM)
    assert isinstance(AutoProcessor.from_pretrained(trained), USAMProcessor)


def test_the_processor_comes_back_as_it_was(trained: Path, tmp_path: Path) -> None:
    processor = USAMProcessor.from_pretrained(trained)
    processor.save_pretrained(tmp_path / "hub")
    again = USAMProcessor.from_pretrained(tmp_path / "hub")
    for name, tensor in processor(audio=CLIP, text="Hi?").items():
        assert torch.equal(tensor, again(audio=CLIP, text="Hi?")[name])


def test_generate_answers_as_the_engine_does(model: USAM, tmp_path: Path) -> None:
    engine = tiny.engine(tmp_path)
    processor = USAMProcessor(tiny.tokenizer())
    expected = engine.ask(CLIP, "What is this?", max_new_tokens=12).text
    engine.model.llm.to(torch.float32)
    assert processor.decode(answer(engine.model, processor)) == expected


@pytest.mark.parametrize(("task", "wanted"), [("s2tt", "translate"), ("asr", "transcribe")])
def test_speech_is_put_into_the_words_of_the_processor_s_task(task: str, wanted: str) -> None:
    model = tiny.model(words=True)
    inputs = USAMProcessor(tiny.tokenizer())(audio=CLIP, text="What do they say?", task=task)
    model.generate(**inputs, max_new_tokens=2)
    assert model.word_streams[0].asked == [wanted]  # type: ignore[union-attr]


def test_the_processor_marks_the_audio_and_the_question() -> None:
    processor = USAMProcessor(tiny.tokenizer())
    inputs = processor(audio=[CLIP, CLIP], text=["Hi?", "And what is this, please?"], task="qa")
    assert isinstance(inputs, BatchFeature)
    assert inputs["waveform"].shape == (2, 12_000)
    for ids, mask, question in zip(
        inputs["input_ids"], inputs["attention_mask"].bool(), inputs["question_mask"], strict=True
    ):
        assert (ids[mask] == AUDIO).sum() == 1
        assert processor.decode(ids[question]) in ("Hi?", "And what is this, please?")
    assert processor.batch_decode(inputs["input_ids"][:, :3]) == ["us", "us"]


def test_the_processor_takes_samples_at_any_rate() -> None:
    processor = USAMProcessor(tiny.tokenizer())
    samples = np.sin(np.arange(24_000) / 30).astype(np.float32)
    assert processor(audio=samples, sampling_rate=48_000)["samples"].tolist() == [8_000]
    assert processor(audio=torch.tensor(samples))["samples"].tolist() == [24_000]
    assert processor(audio=tiny.clip(0.5), task="asr")["samples"].tolist() == [8_000]
    with pytest.raises(RequestError, match="2 clips but 1 questions"):
        processor(audio=[CLIP, CLIP], text=["Hi?"])
    with pytest.raises(RequestError, match="no task"):
        processor(audio=CLIP, task="sing")


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint folder"):
        USAM.from_pretrained(tmp_path / "nothing" / "here")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="cannot be read"):
        USAM.from_pretrained(tmp_path)


def test_the_package_is_light_until_it_is_used() -> None:
    code = "import sys, usam, usam.errors; assert not {'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {name: getattr(usam, name).__name__ for name in usam.__all__} == {
        name: name for name in usam.__all__
    }
    with pytest.raises(AttributeError, match="no attribute 'Motor'"):
        _ = usam.Motor


def test_masks_are_made_where_the_frames_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips and prompts come from the CPU, frames from the model's device: masks must be on the latter."""
    model = tiny.model()
    inputs = USAMProcessor(tiny.tokenizer())(audio=CLIP, text="What is this?")
    seen: list[torch.Tensor] = []

    def embed(frames: torch.Tensor, mask: torch.Tensor, questions: object, **words: object) -> None:
        seen.extend([frames, mask])

    frames = torch.empty(8, sum(tiny.DIMS), device="meta")
    monkeypatch.setattr(model, "hear", lambda clip, task: Hearing(frames, Heard(clip, {})))
    monkeypatch.setattr(model, "embed_audio", embed)
    monkeypatch.setattr(model, "respond", lambda *_, **__: None)
    model.generate(**inputs)
    frames, mask = seen
    assert frames.device == mask.device == torch.device("meta")
    assert mask.shape == frames.shape[:2]


@pytest.fixture
def with_words(pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with words, whose encoders' heads are tiny's."""
    monkeypatch.setattr(modelling, "load_word_streams", lambda *_: tiny.word_streams())
    adapter = tiny.adapter(words=True)
    torch.nn.init.normal_(adapter.words.gate.weight)
    adapter.speaker.mean.normal_()
    USAM(adapter, tiny.llm(), tiny.tokenizer()).save_pretrained(tmp_path / "with-words")
    return tmp_path / "with-words"


def test_a_checkpoint_keeps_its_words(with_words: Path, tmp_path: Path) -> None:
    processor = USAMProcessor.from_pretrained(with_words)
    first = USAM.from_pretrained(with_words)
    assert first.adapter.config.words
    assert [stream.role for stream in first.word_streams] == ["speech", "audio", "music"]
    first.save_pretrained(tmp_path / "copy")
    second = USAM.from_pretrained(tmp_path / "copy")
    for part in ("words", "speaker"):
        one, other = (getattr(model.adapter, part).state_dict() for model in (first, second))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(answer(first, processor), answer(second, processor))
    assert first.word_streams[0].asked == ["transcribe"]


def test_a_checkpoint_without_words_asks_no_head_for_any(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modelling, "load_word_streams", lambda *_: pytest.fail("words were loaded"))
    assert USAM.from_pretrained(trained).word_streams == ()


def test_generate_reads_words_as_the_engine_does(tmp_path: Path) -> None:
    engine = tiny.engine(tmp_path, words=True)
    engine.model.adapter.saclm.threshold = 0.55  # some tokens are redundant, others are read
    processor = USAMProcessor(tiny.tokenizer())
    for question in ("What is this?", "Translate this."):
        expected = engine.ask(CLIP, question, max_new_tokens=12)
        assert 0 < expected.trace.tokens_dropped < len(expected.trace.tokens)
        assert processor.decode(answer(engine.model, processor, question)) == expected.text


def test_clips_of_a_batch_are_read_with_their_own_words() -> None:
    model = tiny.model(words=True)
    model.adapter.saclm.threshold = 0.55
    processor = USAMProcessor(tiny.tokenizer())
    other = (16_000, CLIP[1][:7_000])
    questions = ["What is this?", "Translate this, please."]
    together = model.generate(
        **processor(audio=[CLIP, other], text=questions), max_new_tokens=6, do_sample=False
    )
    for row, (clip, question) in enumerate(zip((CLIP, other), questions, strict=True)):
        alone = model.generate(**processor(audio=clip, text=question), max_new_tokens=6, do_sample=False)
        assert torch.equal(together[row], alone[0])
