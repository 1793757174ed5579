"""Reads TensorFlow V2 checkpoints (and the variables of a SavedModel) without TensorFlow.

A checkpoint `P` is `P.index`, a LevelDB table from variable name to BundleEntryProto, and data shards
`P.data-00000-of-0000N` that hold the raw values.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from usam.errors import WeightsError

_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57
_DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 19: np.float16}  # tensorflow.DataType
_ENTRY_DTYPE, _ENTRY_SHAPE, _ENTRY_SHARD, _ENTRY_OFFSET, _ENTRY_SIZE = (
    1,
    2,
    3,
    4,
    5,
)  # BundleEntryProto fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of one table block; keys are prefix-compressed against the key before."""
    if table[offset + size] != 0:
        raise WeightsError("The TensorFlow checkpoint index is compressed, which this reader does not know.")
    block = table[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    at, end, key = 0, size - 4 - 4 * restarts, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def _table(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-_FOOTER:]
    if len(footer) < _FOOTER or struct.unpack("<Q", footer[-8:]) != (_MAGIC,):
        raise WeightsError("The TensorFlow checkpoint index is not complete.")
    at = 0
    _, at = _varint(footer, at)
    _, at = _varint(footer, at)
    offset, at = _varint(footer, at)
    size, at = _varint(footer, at)
    for _, handle in _block(table, offset, size):
        offset, at = _varint(handle, 0)
        size, _ = _varint(handle, at)
        yield from _block(table, offset, size)


def _message(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) pairs of one protocol-buffer message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield field, value
        else:
            size = {1: 8, 5: 4}.get(wire, 0)
            if wire == 2:
                size, at = _varint(data, at)
            yield field, data[at : at + size]
            at += size


def _shape(data: bytes) -> list[int]:
    """TensorShapeProto: repeated field 2 is a dimension, whose field 1 is its size."""
    sizes = []
    for field, dimension in _message(data):
        if field == 2 and isinstance(dimension, bytes):
            sizes.append(int(dict(_message(dimension)).get(1, 0)))
    return sizes


def read_checkpoint(index: Path) -> dict[str, Tensor]:
    """Every numeric variable, by name and in TensorFlow's axis order, of the checkpoint with this index file.

    Raises WeightsError when the index or a shard is cut.
    """
    shards = sorted(index.parent.glob(index.name.removesuffix("index") + "data-*"))
    variables = {}
    try:
        for key, value in _table(index.read_bytes()):
            entry = dict(_message(value))
            dtype = _DTYPES.get(int(entry.get(_ENTRY_DTYPE, 0)))
            if not key or dtype is None:
                continue
            shape = entry.get(_ENTRY_SHAPE, b"")
            assert isinstance(shape, bytes)
            stored = np.memmap(shards[int(entry.get(_ENTRY_SHARD, 0))], np.uint8, "r")
            offset, size = int(entry.get(_ENTRY_OFFSET, 0)), int(entry.get(_ENTRY_SIZE, 0))
            values = np.array(stored[offset : offset + size]).view(dtype).reshape(_shape(shape))
            variables[key.decode()] = torch.from_numpy(values)
    except (struct.error, IndexError, ValueError) as cause:
        raise WeightsError(f"The TensorFlow checkpoint {index.name} is not complete.") from cause
    return variables
