"""Whisper in the file format of whisper.cpp, so that it runs from the same weights.

    python -m benchmarks.whisper_ggml WHISPER_FOLDER OUT.bin

After what whisper.cpp reads (`whisper_model_load`): sizes, mel filters, word pieces, tensors. Matrices are
in 8 bits (ggml's Q8_0: blocks of 32 values with a scale each), which is what its own `quantize` writes.
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from safetensors.torch import load_file
from torchaudio.functional import melscale_fbanks
from transformers import WhisperConfig
from transformers.convert_slow_tokenizer import bytes_to_unicode

MAGIC = 0x67676D6C
F32, F16, Q8_0 = 0, 1, 8  # ggml's types
FILE_TYPE = 2 * 1000 + 7  # quantisation version 2, mostly Q8_0
BLOCK = 32
BANDS, BINS = 80, 201
WHOLE = ("encoder.positional_embedding", "decoder.positional_embedding")  # in 32 bits
NAMES = {  # in the order in which they are looked for
    "encoder.layer_norm": "encoder.ln_post",
    "decoder.layer_norm": "decoder.ln",
    "embed_positions.weight": "positional_embedding",
    "embed_tokens": "token_embedding",
    "layers": "blocks",
    "self_attn_layer_norm": "attn_ln",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "final_layer_norm": "mlp_ln",
    "encoder_attn": "cross_attn",
    "self_attn": "attn",
    "q_proj": "query",
    "k_proj": "key",
    "v_proj": "value",
    "out_proj": "out",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
}


def ggml_name(name: str) -> str:
    name = name.removeprefix("model.")
    for ours, theirs in NAMES.items():
        name = name.replace(ours, theirs)
    return name


def q8_0(matrix: np.ndarray) -> bytes:
    """Rows of blocks: a scale in 16 bits, then 32 whole numbers."""
    blocks = matrix.reshape(-1, BLOCK).astype(np.float32)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    whole = np.round(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)).astype(np.int8)
    return np.concatenate([scale.astype("<f2").view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def write_tensor(file: BinaryIO, name: str, tensor: torch.Tensor) -> None:
    data = tensor.float().numpy()
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        kind, body = F32, data.reshape(-1, 1)
    elif name in WHOLE or data.ndim < 2:
        kind, body = F32, data
    elif data.ndim == 2:
        kind, body = Q8_0, data
    else:
        kind, body = F16, data
    encoded = name.encode()
    file.write(struct.pack("<3i", body.ndim, len(encoded), kind))
    file.write(struct.pack(f"<{body.ndim}i", *reversed(body.shape)))
    file.write(encoded)
    file.write(q8_0(body) if kind == Q8_0 else body.astype("<f2" if kind == F16 else "<f4").tobytes())


def convert(folder: Path, out: Path) -> None:
    config = WhisperConfig.from_pretrained(folder)
    pieces = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    of_byte = {character: byte for byte, character in bytes_to_unicode().items()}
    filters = melscale_fbanks(BINS, 0.0, 8000.0, BANDS, 16_000, norm="slaney", mel_scale="slaney").T
    sizes = (
        config.vocab_size,
        config.max_source_positions,
        config.d_model,
        config.encoder_attention_heads,
        config.encoder_layers,
        config.max_target_positions,
        config.d_model,
        config.decoder_attention_heads,
        config.decoder_layers,
        BANDS,
        FILE_TYPE,
    )
    with out.open("wb") as file:
        file.write(struct.pack("<12i", MAGIC, *sizes))
        file.write(struct.pack("<2i", BANDS, BINS) + filters.contiguous().numpy().astype("<f4").tobytes())
        texts = [bytes(of_byte[c] for c in piece) for piece in sorted(pieces, key=pieces.__getitem__)]
        file.write(struct.pack("<i", len(texts)))
        for text in texts:
            file.write(struct.pack("<i", len(text)) + text)
        for name, tensor in load_file(folder / "model.safetensors").items():
            if name != "proj_out.weight":
                write_tensor(file, ggml_name(name), tensor)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.whisper_ggml", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    convert(options.folder, options.out)


if __name__ == "__main__":
    main()
