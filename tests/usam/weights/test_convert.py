"""Readers of foreign weight files: everything written is read back, and a cut file is never half read."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from tests import tiny
from usam.errors import WeightsError
from usam.weights.convert.ctranslate2 import read_model
from usam.weights.convert.models import join, tie_again
from usam.weights.convert.tensorflow import read_checkpoint

Variables = dict[str, np.ndarray]

names = st.text("abcdefghij/_0123456789", min_size=1, max_size=20)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)


def variables(*dtypes: type) -> st.SearchStrategy[Variables]:
    arrays = st.sampled_from(dtypes).flatmap(lambda dtype: hnp.arrays(dtype, shapes))
    return st.dictionaries(names, arrays, min_size=1, max_size=6)


def same(read: dict[str, torch.Tensor], written: Variables) -> bool:
    return read.keys() == written.keys() and all(
        read[name].shape == array.shape and read[name].numpy().tobytes() == array.tobytes()
        for name, array in written.items()
    )


def ctranslate2_model(written: Variables, aliases: dict[str, str]) -> bytes:
    codes = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}

    def string(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    data = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<II", 3, len(written))
    for name, array in written.items():
        data += string(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        data += struct.pack("<BI", codes[array.dtype.name], array.nbytes) + array.tobytes()
    data += struct.pack("<I", len(aliases))
    return data + b"".join(string(alias) + string(name) for alias, name in aliases.items())


@settings(max_examples=30, deadline=None)
@given(written=variables(np.float32, np.float16, np.int8, np.int16, np.int32), cut=st.floats(0, 1))
def test_a_ctranslate2_model_is_read_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, written: Variables, cut: float
) -> None:
    path = tmp_path_factory.mktemp("ct2") / "model.bin"
    first = next(iter(written))
    data = ctranslate2_model(written, {"~tied": first})
    path.write_bytes(data)
    assert same(read_model(path), written | {"~tied": written[first]})
    path.write_bytes(data[: int(cut * (len(data) - 1))])
    with pytest.raises(WeightsError):
        read_model(path)


def test_a_later_ctranslate2_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(struct.pack("<I", 99))
    with pytest.raises(WeightsError, match="format 99"):
        read_model(path)


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block whose keys share their prefixes, with the type byte and checksum that follow it."""
    data, before = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        data += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return data + struct.pack("<II", 0, 1) + b"\0" + b"\0\0\0\0"


def tensorflow_checkpoint(folder: Path, written: Variables) -> Path:
    codes = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
    entries, shard = [(b"", b"\x08\x01")], b""
    for name, array in sorted(written.items()):
        dimensions = b"".join(
            b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(s) for s in array.shape)
        )
        entry = b"\x08" + varint(codes[array.dtype.name])
        entry += b"\x12" + varint(len(dimensions)) + dimensions
        entry += b"\x20" + varint(len(shard)) + b"\x28" + varint(array.nbytes) + b"\x35\0\0\0\0"
        entries.append((name.encode(), entry))
        shard += array.tobytes()
    # A text value, as SavedModels have one for their object graph: not a weight, so not read.
    entries.append((b"~graph", b"\x08\x07" + b"\x20" + varint(len(shard)) + b"\x28\x03"))
    table = block(entries)
    handle = varint(0) + varint(len(table) - 5)
    top = block([(b"~", handle)])
    footer = varint(0) + varint(0) + varint(len(table)) + varint(len(top) - 5)
    footer = footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    (folder / "variables.index").write_bytes(table + top + footer)
    (folder / "variables.data-00000-of-00001").write_bytes(shard + b"abc")
    return folder / "variables.index"


@settings(max_examples=30, deadline=None)
@given(written=variables(np.float32, np.float64, np.int32, np.int64), cut=st.floats(0, 1))
def test_a_tensorflow_checkpoint_is_read_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, written: Variables, cut: float
) -> None:
    folder = tmp_path_factory.mktemp("tf")
    index = tensorflow_checkpoint(folder, written)
    assert same(read_checkpoint(index), written)
    shard = folder / "variables.data-00000-of-00001"
    values = shard.read_bytes()[:-3]
    shard.write_bytes(values[: int(cut * (len(values) - 1))])
    with pytest.raises(WeightsError):
        read_checkpoint(index)
    data = index.read_bytes()
    index.write_bytes(data[: int(cut * (len(data) - 1))])
    with pytest.raises(WeightsError):
        read_checkpoint(index)


@pytest.mark.parametrize(("noise", "tied"), [(0.002, True), (1.0, False)])
def test_a_matrix_that_was_written_twice_is_one_again(noise: float, tied: bool) -> None:
    llm = tiny.llm(64)
    exact = llm.get_input_embeddings().weight.detach().clone()
    llm.lm_head.weight = nn.Parameter(exact)
    llm.get_input_embeddings().weight = nn.Parameter(exact + noise * torch.randn_like(exact) * exact.std())
    llm.config.tie_word_embeddings = False
    tie_again(llm)
    assert (llm.get_input_embeddings().weight is llm.lm_head.weight) == tied
    assert llm.config.tie_word_embeddings == tied
    assert torch.equal(llm.lm_head.weight, exact)


def test_parts_of_a_file_are_joined_in_their_order(tmp_path: Path) -> None:
    for number in (2, 1, 3):
        (tmp_path / f"part0{number}.bin").write_bytes(bytes([number] * 3))
    whole = join(sorted(tmp_path.glob("*.bin")), tmp_path / "whole")
    assert whole.read_bytes() == bytes([1] * 3 + [2] * 3 + [3] * 3)
    assert list(tmp_path.iterdir()) == [whole]
