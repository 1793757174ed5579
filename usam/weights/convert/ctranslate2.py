"""Reads a CTranslate2 `model.bin` without CTranslate2.

Layout (little-endian): u32 format version, string spec name, u32 spec revision, u32 variable count; then for
each variable its name, u8 rank, u32 dimensions, u8 type, u32 byte count, data; then u32 alias count and
(alias, variable) pairs of names. A string is a u16 byte count, which counts its closing zero, and the bytes.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from usam.errors import WeightsError

_VERSIONS = (4, 5, 6)
_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


class _Cursor:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.offset = 0

    def integer(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self.data, self.offset)
        self.offset += struct.calcsize(code)
        return int(value)

    def take(self, size: int) -> memoryview:
        if self.offset + size > len(self.data):
            raise EOFError
        self.offset += size
        return self.data[self.offset - size : self.offset]

    def string(self) -> str:
        return bytes(self.take(self.integer("H"))).rstrip(b"\0").decode()


def read_model(path: Path) -> dict[str, Tensor]:
    """Variables by name, in their stored precision; an alias shares its variable's tensor.

    Raises WeightsError when the file is cut or of an unknown version or type.
    """
    cursor = _Cursor(memoryview(path.read_bytes()))
    try:
        version = cursor.integer("I")
        if version not in _VERSIONS:
            raise WeightsError(
                f"{path.name} is CTranslate2 format {version}, which this reader does not know."
            )
        cursor.string()
        cursor.integer("I")
        variables = {}
        for _ in range(cursor.integer("I")):
            name = cursor.string()
            shape = [cursor.integer("I") for _ in range(cursor.integer("B"))]
            dtype = _DTYPES[cursor.integer("B")]
            data = cursor.take(cursor.integer("I"))
            variables[name] = torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())
        for _ in range(cursor.integer("I")):
            alias = cursor.string()
            variables[alias] = variables[cursor.string()]
    except (struct.error, EOFError, KeyError, ValueError) as cause:
        raise WeightsError(f"{path.name} is not a complete CTranslate2 model.") from cause
    return variables
