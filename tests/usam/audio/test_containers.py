"""What containers claim and what is in them: the samples decide what is heard, when, and how long it is."""

import io
import struct

import av
import numpy as np
import pytest
import torch

from tests.usam.audio.test_clip import encode, noise, peak, tone, wav
from usam.audio.clip import load_clip
from usam.audio.samples import SAMPLE_RATE

RATE = 48_000


def steps(seconds: int, rate: int = RATE) -> np.ndarray:
    """A pitch of its own for every second: float32 [samples]."""
    return np.concatenate([tone(400 + 50 * second, 1.0, rate) for second in range(seconds)])


def pitch(clip_second: torch.Tensor) -> float:
    return peak(clip_second)[0]


def with_byte_rate(file: bytes, rate: int) -> bytes:
    at = file.index(b"fmt ") + 16
    return file[:at] + struct.pack("<I", rate) + file[at + 4 :]


@pytest.mark.parametrize(
    "codec", ["adpcm_ima_wav", "adpcm_ms", "pcm_mulaw", "pcm_alaw", "pcm_s16le", "pcm_u8", "pcm_f32le"]
)
@pytest.mark.parametrize("factor", [0.25, 1, 2])
def test_a_wrong_byte_rate_moves_nothing(codec: str, factor: float) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="wav") as output:
        stream = output.add_stream(codec, rate=8000, layout="mono")
        wave = steps(24, 8000)
        convert = av.AudioResampler(stream.format.name, "mono", 8000, frame_size=stream.frame_size or 1000)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = 8000
        for piece in [*convert.resample(frame), *convert.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    file = buffer.getvalue()
    claimed = struct.unpack("<I", file[file.index(b"fmt ") + 16 :][:4])[0]
    clip = load_clip(with_byte_rate(file, round(claimed * factor)), 15.0, 16.0)
    assert pitch(clip.waveform) == pytest.approx(400 + 50 * 15, abs=3)
    assert clip.duration == pytest.approx(24.0, abs=0.3)


def test_the_length_of_an_mp3_without_a_table_is_counted() -> None:
    quiet_then_busy = np.concatenate([np.zeros(20 * RATE, np.float32), noise(10, RATE) / np.float32(2**15)])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3", options={"write_xing": "0"}) as output:
        stream = output.add_stream("libmp3lame", rate=RATE, layout="mono", options={"compression_level": "7"})
        stream.codec_context.options = {"abr": "0", "q": "5"}
        stream.codec_context.flags |= 2  # constant quality, at a variable rate
        frame = av.AudioFrame.from_ndarray(quiet_then_busy[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        output.mux([*stream.encode(frame), *stream.encode(None)])
    clip = load_clip(buffer.getvalue(), 0, 5)
    assert clip.duration == pytest.approx(30.0, abs=0.2)
    later = load_clip(buffer.getvalue(), 19.0, 21.0).waveform
    assert later[: SAMPLE_RATE * 9 // 10].abs().max() < 0.01 < 0.1 < later[SAMPLE_RATE * 11 // 10 :].std()


@pytest.mark.parametrize("rates", [(16_000, 16_000), (16_000, 24_000), (48_000, 16_000, 8_000)])
def test_every_link_of_a_chained_ogg_is_heard(rates: tuple[int, ...]) -> None:
    file = b"".join(
        encode(tone(400 + 100 * number, 3.0, rate), rate, "ogg", "flac") for number, rate in enumerate(rates)
    )
    clip = load_clip(file)
    assert clip.duration == pytest.approx(3.0 * len(rates), abs=0.05)
    for number in range(len(rates)):
        second = load_clip(file, 3.0 * number + 1, 3.0 * number + 2)
        assert pitch(second.waveform) == pytest.approx(400 + 100 * number, abs=2)
        assert second.duration == pytest.approx(3.0 * len(rates), abs=0.05)
    across = load_clip(file, 2.0, 4.0).waveform
    assert pitch(across[:SAMPLE_RATE]) == pytest.approx(400, abs=2)
    assert pitch(across[SAMPLE_RATE:]) == pytest.approx(500, abs=2)


def remuxed(file: bytes, container: str, keep: slice, shift: float = 0.0, picture: bool = False) -> bytes:
    """The file without the packets that begin within `keep.start` to `keep.stop` s, moved by `shift` s."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(file)) as source, av.open(buffer, "w", format=container) as output:
        sound = source.streams.audio[0]
        copy = output.add_stream_from_template(sound)
        if picture:
            video = output.add_stream("mpeg4", rate=10)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
            for _ in range(80):
                output.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
            output.mux(video.encode(None))
        for packet in source.demux(sound):
            if packet.pts is None:
                continue
            if keep.start <= float(packet.pts * sound.time_base) < keep.stop:
                continue
            moved = round(shift / sound.time_base)
            packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
            packet.stream = copy
            output.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("matroska", "flac"), ("mp4", "aac"), ("mpegts", "aac")]
)
def test_lost_packets_are_silence(container: str, codec: str) -> None:
    file = remuxed(encode(steps(20), RATE, container, codec), container, slice(3.0, 9.0))
    waveform = load_clip(file, 0, 12).waveform
    assert len(waveform) == 12 * SAMPLE_RATE
    for second in (1, 10, 11):
        heard = waveform[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE]
        assert pitch(heard) == pytest.approx(400 + 50 * second, abs=3)
    assert waveform[4 * SAMPLE_RATE : 8 * SAMPLE_RATE].abs().max() < 0.01
    later = load_clip(file, 5.0, 11.0)
    assert (later.start, later.end) == (5.0, 11.0)
    assert later.waveform[: 3 * SAMPLE_RATE].abs().max() < 0.01
    assert pitch(later.waveform[5 * SAMPLE_RATE :]) == pytest.approx(900, abs=3)


@pytest.mark.parametrize(("container", "codec"), [("matroska", "libopus"), ("mp4", "aac"), ("mpegts", "aac")])
def test_sound_that_begins_after_the_picture_is_heard_then(container: str, codec: str) -> None:
    file = encode(steps(3), RATE, "matroska" if codec == "libopus" else "mp4", codec)
    clip = load_clip(remuxed(file, container, slice(-1, -1), 5.0, picture=True))
    assert clip.duration == pytest.approx(8.0, abs=0.15)
    assert clip.waveform[: round(4.8 * SAMPLE_RATE)].abs().max() < 0.01
    assert pitch(clip.waveform[6 * SAMPLE_RATE : 7 * SAMPLE_RATE]) == pytest.approx(450, abs=3)


def test_of_several_tracks_the_one_with_sound_is_heard() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        tracks = [output.add_stream("flac", rate=RATE, layout="mono") for _ in range(3)]
        for track, wave in zip(
            tracks, (0 * tone(1, 2.0, RATE), 0 * tone(1, 2.0, RATE), tone(440, 2.0, RATE)), strict=True
        ):
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            output.mux([*track.encode(frame), *track.encode(None)])
    clip = load_clip(buffer.getvalue())
    assert pitch(clip.waveform) == pytest.approx(440, abs=1)
    assert clip.tracks == 3


@pytest.mark.parametrize("kind", ["rate", "layout"])
def test_a_format_that_changes_midway_is_heard_on(kind: str) -> None:
    first = encode(tone(400, 2.0, RATE), RATE, "adts", "aac")
    if kind == "rate":
        second = encode(tone(600, 2.0, 24_000), 24_000, "adts", "aac")
    else:
        second = encode(np.stack([tone(600, 2.0, RATE)] * 2), RATE, "adts", "aac")
    clip = load_clip(first + second)
    assert clip.end == pytest.approx(4.0, abs=0.2)
    assert pitch(clip.waveform[SAMPLE_RATE // 2 : SAMPLE_RATE * 3 // 2]) == pytest.approx(400, abs=2)
    assert pitch(clip.waveform[SAMPLE_RATE * 5 // 2 : SAMPLE_RATE * 7 // 2]) == pytest.approx(600, abs=2)


@pytest.mark.parametrize("samples", [8000, 8001, 8002, 8003])
def test_padding_of_wave64_is_no_sound(samples: int) -> None:
    """As FFmpeg writes it, the same sound would have another hash."""
    wave = tone(440, 2.0, RATE)[:samples] + np.float32(0.1)
    plain = load_clip(encode(wave, RATE, "wav", "pcm_s16le"))
    padded = load_clip(encode(wave, RATE, "w64", "pcm_s16le"))
    assert padded.duration == plain.duration == samples / RATE
    assert padded.sha256 == plain.sha256


def test_64_bit_samples_are_heard() -> None:
    file = bytearray(wav(np.zeros(0), 8000))
    samples = (tone(440, 1.0, 8000).astype(np.float64) * 2.0**62).astype("<i8").tobytes()
    struct.pack_into("<IHH", file, 28, 64_000, 8, 64)
    struct.pack_into("<I", file, 40, len(samples))
    frequency, amplitude = peak(load_clip(bytes(file) + samples).waveform)
    assert (frequency, amplitude) == (pytest.approx(440, abs=1), pytest.approx(0.25, rel=0.01))
