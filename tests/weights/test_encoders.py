"""The pretrained encoders on real clips: what they hear, and equality with the original implementations."""

import math
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import WhisperFeatureExtractor
from transformers.modeling_outputs import BaseModelOutput

from usam.audio.clip import load_clip
from usam.config import USAMConfig
from usam.encoders import MusiCNN, Whisper, YAMNet
from usam.encoders import whisper as whisper_module
from usam.encoders import yamnet as yamnet_module
from usam.encoders.registry import load_encoders
from usam.encoders.whisper_decoder import Transcriber, load_transcriber
from usam.errors import WeightsError
from usam.model.pretrained import Pretrained, fetch, models
from usam.weights.cache import verify

Encoders = tuple[Whisper, YAMNet, MusiCNN]

CLIPS = Path(__file__).parents[1] / "clips"
SENTENCE = "there was no lack of air and light for the new jail and several exercising yards"


def clip(name: str) -> Tensor:
    return load_clip(CLIPS / f"{name}.ogg").waveform


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9' ]", "", text.lower()).strip()


@pytest.fixture(scope="module")
def paths() -> Pretrained:
    return fetch()


@pytest.fixture(scope="module")
def encoders(paths: Pretrained) -> Encoders:
    return load_encoders(paths.encoders)


@pytest.fixture(scope="module")
def transcriber(paths: Pretrained) -> Transcriber:
    return load_transcriber(paths.encoders["whisper-base"])


def test_the_fetched_weights_match_their_hashes(paths: Pretrained) -> None:
    verify(models(USAMConfig.from_preset("mini")))


def test_whisper_transcribes_read_speech(transcriber: Transcriber) -> None:
    assert words(transcriber.transcribe(clip("speech_jail"))) == SENTENCE
    assert "lived just where" in words(transcriber.transcribe(clip("speech_chapter")))


def test_whisper_frames_of_the_heard_length_carry_the_sentence(
    encoders: Encoders, transcriber: Transcriber
) -> None:
    """Whisper's own decoder reads the frames although positions and mel were cropped.

    Without silence behind it the decoder starts the sentence again, so only the beginning is compared.
    """
    frames = encoders[0].frames(clip("speech_jail"))
    tokens = transcriber.model.generate(
        encoder_outputs=BaseModelOutput(last_hidden_state=frames[None]),
        language="en",
        task="transcribe",
        max_new_tokens=24,
    )
    text = transcriber.tokenizer.decode(tokens[0].tolist(), skip_special_tokens=True)
    assert words(text).startswith(SENTENCE)


def test_whisper_equals_transformers_on_thirty_seconds(encoders: Encoders, transcriber: Transcriber) -> None:
    heard = clip("speech_jail")
    padded = F.pad(heard, (0, 480_000 - len(heard)))
    expected_mel = WhisperFeatureExtractor()(
        padded.numpy(), sampling_rate=16_000, return_tensors="pt"
    ).input_features
    assert torch.allclose(whisper_module.log_mel(padded), expected_mel[0], atol=1e-3)
    expected = transcriber.model.model.encoder(expected_mel).last_hidden_state[0]
    assert torch.allclose(encoders[0].frames(padded), expected, atol=2e-2)


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("siren", {"Siren": 0.6214, "Police car (siren)": 0.7996, "Alarm": 0.5262}),
        ("piano", {"Music": 0.9995, "Piano": 0.1103}),
        ("speech_jail", {"Speech": 0.9985}),
    ],
)
def test_yamnet_equals_the_original_on_its_first_patch(
    encoders: Encoders, name: str, scores: dict[str, float]
) -> None:
    """Scores of the first 0.96 s, computed by the published TensorFlow graph."""
    yamnet = encoders[1]
    patch = yamnet_module.log_mel(clip(name)[:15_600])
    assert patch.shape == (96, 64)
    features = yamnet.blocks(F.relu(yamnet.stem(F.pad(patch[None, None], (0, 1, 0, 1)))))
    heard = yamnet.scores(features.mean(dim=(2, 3)))[0]
    for label, score in scores.items():
        assert heard[yamnet.classes.index(label)].item() == pytest.approx(score, abs=5e-3), label


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("piano", {"piano": 0.8500, "classical": 0.3175, "slow": 0.2495}),
        ("guitar", {"guitar": 0.7331, "slow": 0.3144, "classical": 0.1383}),
    ],
)
def test_musicnn_equals_the_original_on_its_first_patch(
    encoders: Encoders, name: str, tags: dict[str, float]
) -> None:
    """Scores of the first 187 frames, computed by the published TensorFlow graph."""
    musicnn = encoders[2]
    heard = musicnn.scores(clip(name))[0]
    for tag, score in tags.items():
        assert heard[musicnn.tags.index(tag)].item() == pytest.approx(score, abs=5e-3), tag


@pytest.mark.parametrize(
    ("name", "label"),
    [("siren", "Police car (siren)"), ("piano", "Music"), ("guitar", "Music"), ("speech_chapter", "Speech")],
)
def test_yamnet_names_whole_clips(encoders: Encoders, name: str, label: str) -> None:
    yamnet = encoders[1]
    assert yamnet.top(yamnet.frames(clip(name)), 1)[0][0] == label


@pytest.mark.parametrize("instrument", ["piano", "guitar"])
def test_musicnn_names_the_instrument(encoders: Encoders, instrument: str) -> None:
    assert encoders[2].top(clip(instrument), 1)[0][0] == instrument


def test_bfloat16_frames_stay_close_to_float32(paths: Pretrained, encoders: Encoders) -> None:
    heard = clip("speech_jail")
    for exact, rough in zip(encoders, load_encoders(paths.encoders), strict=True):
        frames = exact.frames(heard)
        rough = rough.to(torch.bfloat16)
        assert next(rough.parameters()).dtype == torch.bfloat16
        other = rough.frames(heard)
        assert other.dtype == torch.float32
        assert (other - frames).norm() < 0.05 * frames.norm(), exact.name


def test_a_tenth_of_a_second_and_half_a_minute_are_heard(encoders: Encoders) -> None:
    for seconds in (0.1, 30.0):
        noise = torch.randn(int(seconds * 16_000), generator=torch.Generator().manual_seed(0)) / 10
        for encoder in encoders:
            frames = encoder.frames(noise)
            assert len(frames) == math.ceil(seconds * encoder.frame_rate)
            assert frames.isfinite().all()


@pytest.mark.parametrize("encoder", [Whisper, YAMNet, MusiCNN])
def test_a_directory_without_weights_is_refused(
    encoder: type[Whisper] | type[YAMNet] | type[MusiCNN], tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        encoder.load(tmp_path)


def test_the_language_model_answers_and_splits_numbers_into_digits(paths: Pretrained) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(paths.llm)
    assert tokenizer.tokenize("in 2024") == ["in", "Ġ", "2", "0", "2", "4"]
    model = AutoModelForCausalLM.from_pretrained(paths.llm)
    assert model.dtype == torch.bfloat16
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    answer = model.generate(**prompt, max_new_tokens=8, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(answer)
