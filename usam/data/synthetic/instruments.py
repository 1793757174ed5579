"""Instruments with exact labels: phrases for General MIDI programs, rendered by fluidsynth with a soundfont.

`python -m usam.data.synthetic.instruments --out rendered` needs fluidsynth, fluid-soundfont-gm (apt) and mido
(pip). Phrase `i` depends on the seed and `i` alone; what is there already is not rendered again.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from usam.audio.samples import SAMPLE_RATE
from usam.data.corpus import Example
from usam.data.debian_packages import seconds_of
from usam.errors import UsamError

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
_TICKS = 480  # a quarter note
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))

# Program numbers (from 0), the lowest and highest key the instrument is at home in.
_INSTRUMENTS: dict[str, tuple[tuple[int, ...], int, int]] = {
    "piano": ((0, 1, 3), 36, 90),
    "electric piano": ((4, 5), 36, 84),
    "harpsichord": ((6,), 40, 84),
    "clavinet": ((7,), 36, 76),
    "celesta": ((8,), 60, 96),
    "glockenspiel": ((9,), 72, 100),
    "music box": ((10,), 60, 96),
    "vibraphone": ((11,), 53, 88),
    "marimba": ((12,), 48, 88),
    "xylophone": ((13,), 60, 96),
    "tubular bells": ((14,), 60, 78),
    "dulcimer": ((15,), 48, 84),
    "organ": ((16, 17, 18), 36, 84),
    "church organ": ((19,), 36, 84),
    "accordion": ((21,), 53, 84),
    "harmonica": ((22,), 60, 84),
    "bandoneon": ((23,), 50, 84),
    "classical guitar": ((24,), 40, 76),
    "acoustic guitar": ((25,), 40, 76),
    "electric guitar": ((26, 27, 28), 40, 80),
    "distorted electric guitar": ((29, 30), 40, 76),
    "double bass": ((32, 43), 28, 52),
    "bass guitar": ((33, 34, 36), 28, 52),
    "violin": ((40,), 55, 91),
    "viola": ((41,), 48, 79),
    "cello": ((42,), 36, 72),
    "pizzicato strings": ((45,), 43, 84),
    "harp": ((46,), 36, 91),
    "timpani": ((47,), 38, 55),
    "string orchestra": ((48, 49), 40, 84),
    "choir": ((52,), 48, 79),
    "trumpet": ((56,), 55, 84),
    "trombone": ((57,), 41, 70),
    "tuba": ((58,), 29, 55),
    "muted trumpet": ((59,), 55, 82),
    "french horn": ((60,), 41, 74),
    "brass section": ((61,), 43, 80),
    "saxophone": ((64, 65, 66, 67), 46, 80),
    "oboe": ((68,), 58, 88),
    "english horn": ((69,), 52, 80),
    "bassoon": ((70,), 34, 67),
    "clarinet": ((71,), 50, 86),
    "piccolo": ((72,), 74, 100),
    "flute": ((73,), 60, 91),
    "recorder": ((74,), 65, 91),
    "pan flute": ((75,), 60, 88),
    "ocarina": ((79,), 65, 88),
    "synthesizer": ((80, 81, 88, 90), 36, 88),
    "sitar": ((104,), 48, 76),
    "banjo": ((105,), 50, 84),
    "shamisen": ((106,), 50, 79),
    "koto": ((107,), 50, 84),
    "kalimba": ((108,), 55, 88),
    "bagpipes": ((109,), 55, 79),
    "fiddle": ((110,), 55, 88),
    "steel drum": ((114,), 60, 84),
    "taiko drum": ((116,), 40, 60),
}
_PLAYS_CHORDS = frozenset(
    "piano harpsichord organ accordion guitar harp strings orchestra choir celesta synthesizer".split()
)
# Keys of the percussion channel.
_DRUMS: dict[str, tuple[int, ...]] = {
    "bass drum": (35, 36),
    "snare drum": (38, 40),
    "snare drum rimshot": (37,),
    "hand clap": (39,),
    "hi-hat": (42, 44, 46),
    "tom drum": (41, 43, 45, 47, 48, 50),
    "crash cymbal": (49, 57),
    "ride cymbal": (51, 59),
    "tambourine": (54,),
    "cowbell": (56,),
    "bongo drum": (60, 61),
    "conga drum": (62, 63, 64),
    "timbale drum": (65, 66),
    "agogo bell": (67, 68),
    "cabasa": (69,),
    "maracas": (70,),
    "guiro": (73, 74),
    "claves": (75,),
    "wood block": (76, 77),
    "cuica": (78, 79),
    "triangle": (80, 81),
}
_KIT = "drum kit"
LABELS = (*_INSTRUMENTS, *_DRUMS, _KIT)
Note = tuple[int, int, int, int]  # start and end in ticks, key, velocity


def render(out: Path, phrases: int, seed: int = 0, soundfont: Path = SOUNDFONT) -> int:
    """Write `phrases` clips of each label, 16 kHz FLAC; returns how many are there.

    Raises UsamError if fluidsynth or the soundfont is missing.
    """
    if shutil.which("fluidsynth") is None or not soundfont.is_file():
        raise UsamError("Rendering needs fluidsynth and fluid-soundfont-gm: install them with apt-get.")
    out.mkdir(parents=True, exist_ok=True)
    for number, label in enumerate(LABELS):
        for index in range(phrases):
            clip = out / f"{label.replace(' ', '_')}_{index:03d}.flac"
            if not clip.exists():
                _play(label, np.random.default_rng((seed, number, index)), soundfont, clip)
    return len(LABELS) * phrases


def read_rendered(folder: Path) -> list[Example]:
    """Clips that `render` wrote, all for training. Raises UsamError if there are none."""
    found = []
    for clip in sorted(folder.glob("*.flac")):
        label = clip.stem.rpartition("_")[0].replace("_", " ")
        group = f"rendered:{label}"
        licence = "MIT (FluidR3 GM soundfont)"
        found.append(Example(clip, seconds_of(clip), "music", None, label, group, "rendered", licence, ""))
    if not found:
        raise UsamError(f"No rendered instruments were found in {folder}.")
    return found


def phrase(label: str, rng: np.random.Generator) -> tuple[list[Note], int, int]:
    """Notes, MIDI channel and program of one phrase of 1 to 8 s."""
    step = int(_TICKS * rng.choice([0.25, 0.5, 0.5, 1.0]))
    count = int(rng.integers(1, 14))
    if label == _KIT:
        return list(_beat(rng, step)), 9, 0
    if label in _DRUMS:
        key = int(rng.choice(_DRUMS[label]))
        rests = rng.random(count) < 0.3
        hits = [i for i in range(count) if i == 0 or not rests[i]]
        return [(i * step, i * step + step, key, _velocity(rng)) for i in hits], 9, 0
    programs, low, high = _INSTRUMENTS[label]
    return list(_melody(rng, label, low, high, step, count)), 0, int(rng.choice(programs))


def _melody(
    rng: np.random.Generator, label: str, low: int, high: int, step: int, count: int
) -> Iterator[Note]:
    """A walk over a scale, in chords where the instrument plays them and chance says so."""
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    root = int(rng.integers(12))
    keys = [key for key in range(low, high + 1) if (key - root) % 12 in scale]
    chords = bool(set(label.split()) & _PLAYS_CHORDS) and rng.random() < 0.4
    place, time = int(rng.integers(len(keys))), 0
    for _ in range(count):
        length = step * int(rng.choice([1, 1, 2, 4]))
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(keys) - 1))
        for offset in (0, 2, 4) if chords else (0,):
            yield time, time + length, keys[min(place + offset, len(keys) - 1)], _velocity(rng)
        time += length


def _beat(rng: np.random.Generator, step: int) -> Iterator[Note]:
    """A pattern of bass drum, snare and hi-hat, with a fill now and then."""
    for beat in range(int(rng.integers(8, 17))):
        start = beat * step
        yield start, start + step, int(rng.choice([42, 42, 46])), _velocity(rng)
        if beat % 4 == 0 or rng.random() < 0.15:
            yield start, start + step, 36, _velocity(rng)
        if beat % 4 == 2:
            yield start, start + step, 38, _velocity(rng)
        if rng.random() < 0.08:
            yield start, start + step, int(rng.choice([45, 47, 49])), _velocity(rng)


def _velocity(rng: np.random.Generator) -> int:
    return int(rng.integers(50, 120))


def _play(label: str, rng: np.random.Generator, soundfont: Path, clip: Path) -> None:
    """Render one phrase with a draw of tempo, reverberation and level."""
    import mido
    import soundfile

    notes, channel, program = phrase(label, rng)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(int(rng.integers(80, 180))))])
    track.append(mido.Message("program_change", channel=channel, program=program))
    events = [(start, "note_on", key, velocity) for start, _, key, velocity in notes]
    events += [(end, "note_off", key, 0) for _, end, key, _ in notes]
    now = 0
    for time, kind, key, velocity in sorted(events):
        track.append(mido.Message(kind, channel=channel, note=key, velocity=velocity, time=time - now))
        now = time
    with tempfile.TemporaryDirectory() as scratch:
        score, wav = Path(scratch, "phrase.mid"), Path(scratch, "phrase.wav")
        mido.MidiFile(ticks_per_beat=_TICKS, tracks=[track]).save(score)
        reverb = ["-R", str(int(rng.random() < 0.5)), "-C", "0", "-g", "0.6"]
        command = ["fluidsynth", "-q", "-ni", *reverb, "-r", str(SAMPLE_RATE), "-F", str(wav)]
        subprocess.run([*command, str(soundfont), str(score)], check=True, capture_output=True, timeout=60)
        samples, rate = soundfile.read(wav, dtype="float32")
    samples = samples.mean(axis=1)[: 8 * SAMPLE_RATE]
    heard = np.flatnonzero(np.abs(samples) > 1e-3)
    samples = samples[: heard[-1] + 1] if len(heard) else samples
    peak = max(float(np.abs(samples).max()), 1e-6)
    soundfile.write(clip, samples * (10 ** (rng.uniform(-25, -2) / 20) / peak), rate, format="FLAC")


def main() -> None:
    parser = argparse.ArgumentParser(description="Render instruments with exact labels.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phrases", type=int, default=8, help="clips of each label")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--soundfont", type=Path, default=SOUNDFONT)
    options = parser.parse_args()
    try:
        count = render(options.out, options.phrases, options.seed, options.soundfont)
    except UsamError as error:
        sys.exit(str(error))
    print(f"{options.out} holds {count} clips.")


if __name__ == "__main__":
    main()
