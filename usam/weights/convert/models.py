"""From the published files of each model to the directory the encoders and the LLM load.

Every converter takes the folder that holds the wheels' files and the folder to fill.
"""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from usam.weights.convert.ctranslate2 import read_model
from usam.weights.convert.tensorflow import read_checkpoint

State = dict[str, Tensor]

_YAMNET_BLOCKS = 13
_YAMNET_EPSILON = 1e-4
SAME_BUT_ROUNDED = 0.99  # median cosine of two matrices' rows
_MUSICNN_EPSILON = 1e-3  # the default of tf.layers.batch_normalization


def _norm(source: State, at: str, name: str) -> State:
    return {f"{name}.weight": source[f"{at}/gamma"], f"{name}.bias": source[f"{at}/beta"]}


def _linear(source: State, at: str, name: str) -> State:
    return {f"{name}.weight": source[f"{at}/weight"], f"{name}.bias": source[f"{at}/bias"]}


def _attention(source: State, at: str, name: str) -> State:
    """CTranslate2 fuses q, k, v (self-attention) or k, v (cross-attention); k has no bias of its own."""
    fused = [source[f"{at}/linear_0/{kind}"] for kind in ("weight", "bias")]
    output = f"{at}/linear_1"
    if f"{at}/linear_2/weight" in source:
        output = f"{at}/linear_2"
        fused = [
            torch.cat([q, source[f"{at}/linear_1/{kind}"]])
            for q, kind in zip(fused, ("weight", "bias"), strict=True)
        ]
    state = _linear(source, output, f"{name}.out_proj")
    for projection, weight, bias in zip("qkv", *(tensor.chunk(3) for tensor in fused), strict=True):
        state[f"{name}.{projection}_proj.weight"] = weight.contiguous()
        if projection != "k":
            state[f"{name}.{projection}_proj.bias"] = bias.contiguous()
    return state


def whisper_state(source: State) -> State:
    """CTranslate2 Whisper variables as `WhisperForConditionalGeneration` names them."""
    state = {
        **_linear(source, "encoder/conv1", "model.encoder.conv1"),
        **_linear(source, "encoder/conv2", "model.encoder.conv2"),
        "model.decoder.embed_tokens.weight": source["decoder/embeddings/weight"],
    }
    for side in ("encoder", "decoder"):
        state[f"model.{side}.embed_positions.weight"] = source[f"{side}/position_encodings/encodings"]
        state |= _norm(source, f"{side}/layer_norm", f"model.{side}.layer_norm")
        layer = 0
        while f"{side}/layer_{layer}/ffn/linear_0/weight" in source:
            at, name = f"{side}/layer_{layer}", f"model.{side}.layers.{layer}"
            state |= _attention(source, f"{at}/self_attention", f"{name}.self_attn")
            state |= _norm(source, f"{at}/self_attention/layer_norm", f"{name}.self_attn_layer_norm")
            if side == "decoder":
                state |= _attention(source, f"{at}/attention", f"{name}.encoder_attn")
                state |= _norm(source, f"{at}/attention/layer_norm", f"{name}.encoder_attn_layer_norm")
            state |= _linear(source, f"{at}/ffn/linear_0", f"{name}.fc1")
            state |= _linear(source, f"{at}/ffn/linear_1", f"{name}.fc2")
            state |= _norm(source, f"{at}/ffn/layer_norm", f"{name}.final_layer_norm")
            layer += 1
    return state


def whisper(source: Path, target: Path) -> None:
    """Whisper base, encoder and decoder, in the precision it was published in (fp16)."""
    from tokenizers import Tokenizer
    from transformers import GenerationConfig, WhisperConfig

    joined = join(sorted(source.glob("model.bin.part*")), source / "model.bin")
    state = whisper_state(read_model(joined))
    save_file(state, target / "model.safetensors", metadata={"format": "pt"})

    vocabulary, width = state["model.decoder.embed_tokens.weight"].shape
    config = WhisperConfig(
        vocab_size=vocabulary, d_model=width,
        encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048,
        decoder_layers=6, decoder_attention_heads=8, decoder_ffn_dim=2048,
        max_source_positions=1500, max_target_positions=448,
        architectures=["WhisperForConditionalGeneration"], dtype="float16",
    )  # fmt: skip
    config.save_pretrained(target)

    published = json.loads((source / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    languages = {tokenizer.id_to_token(token): token for token in published["lang_ids"]}
    GenerationConfig(
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        eos_token_id=tokenizer.token_to_id("<|endoftext|>"),
        pad_token_id=tokenizer.token_to_id("<|endoftext|>"),
        suppress_tokens=published["suppress_ids"],
        begin_suppress_tokens=published["suppress_ids_begin"],
        alignment_heads=published["alignment_heads"],
        lang_to_id=languages,
        task_to_id={task: tokenizer.token_to_id(f"<|{task}|>") for task in ("transcribe", "translate")},
        no_timestamps_token_id=tokenizer.token_to_id("<|notimestamps|>"),
        is_multilingual=True,
        return_timestamps=False,
        max_length=448,
    ).save_pretrained(target)
    shutil.copy(source / "tokenizer.json", target)


def yamnet_state(source: State) -> State:
    """Keras MobileNet-v1 variables as `usam.encoders.yamnet.YAMNet` names them.

    Batch norm (no gamma) follows each convolution, so it is folded in: w / s and beta - mean / s with
    s = sqrt(var + eps).
    """
    root = next(name for name in source if "layer_with_weights-0/kernel" in name).split(
        "layer_with_weights-0/"
    )[0]

    def variable(layer: int, name: str) -> Tensor:
        return source[f"{root}layer_with_weights-{layer}/{name}/.ATTRIBUTES/VARIABLE_VALUE"]

    def folded(layer: int, name: str) -> State:
        depthwise = f"{root}layer_with_weights-{layer}/depthwise_kernel/.ATTRIBUTES/VARIABLE_VALUE" in source
        kernel = variable(layer, "depthwise_kernel") if depthwise else variable(layer, "kernel")
        weight = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
        scale = (variable(layer + 1, "moving_variance") + _YAMNET_EPSILON).rsqrt()
        bias = variable(layer + 1, "beta") - variable(layer + 1, "moving_mean") * scale
        return {f"{name}.weight": (weight * scale.view(-1, 1, 1, 1)).contiguous(), f"{name}.bias": bias}

    state = folded(0, "stem")
    for block in range(_YAMNET_BLOCKS):
        state |= folded(2 + 4 * block, f"blocks.{block}.depthwise")
        state |= folded(4 + 4 * block, f"blocks.{block}.pointwise")
    head = 2 + 4 * _YAMNET_BLOCKS
    return state | {
        "classifier.weight": variable(head, "kernel").T.contiguous(),
        "classifier.bias": variable(head, "bias"),
    }


def yamnet(source: Path, target: Path) -> None:
    """YAMNet and its 521 class names (`classes.json`)."""
    save_file(yamnet_state(read_checkpoint(source / "variables.index")), target / "model.safetensors")
    with (source / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as table:
        names = [row["display_name"] for row in csv.DictReader(table)]
    (target / "classes.json").write_text(json.dumps(names))


def musicnn_state(source: State) -> State:
    """musicnn variables as `usam.encoders.musicnn.MusiCNN` names them; optimizer slots are left out.

    Batch norm in inference is `scale` * x + `shift`. Front-end filters whose scale is negative are negated,
    as `usam.encoders.musicnn._PeakNorm` expects.
    """

    def numbered(name: str, index: int) -> str:
        return f"{name}_{index}" if index else name

    def norm(index: int, name: str) -> State:
        at = numbered("batch_normalization", index)
        scale = source[f"{at}/gamma"] * (source[f"{at}/moving_variance"] + _MUSICNN_EPSILON).rsqrt()
        shift = source[f"{at}/beta"] - source[f"{at}/moving_mean"] * scale
        return {f"{name}.scale": scale, f"{name}.shift": shift}

    def filters(index: int) -> tuple[Tensor, Tensor]:
        """[filters, bands, time] and [filters]."""
        at = numbered("conv2d", index)
        return source[f"{at}/kernel"].squeeze(2).permute(2, 1, 0), source[f"{at}/bias"]

    state = norm(0, "normalize") | norm(9, "pooled_norm") | norm(10, "hidden_norm")
    for index in range(5):
        timbral = index < 2
        block, layer = (
            (f"timbral.{index}", "convolution") if timbral else (f"temporal.{index - 2}", "filters")
        )
        state |= norm(index + 1, f"{block}.norm")
        weight, bias = filters(index)
        sign = state[f"{block}.norm.scale"].sign()
        weight = weight * sign.view(-1, 1, 1)
        state[f"{block}.{layer}.weight"] = (weight if timbral else weight.squeeze(1)).contiguous()
        state[f"{block}.{layer}.bias"] = bias * sign
    for index in range(3):
        weight, bias = filters(5 + index)
        state |= norm(6 + index, f"middle.{index}.norm")
        state[f"middle.{index}.convolution.weight"] = weight.contiguous()
        state[f"middle.{index}.convolution.bias"] = bias
    for at, name in (("dense", "hidden"), ("dense_1", "classifier")):
        state[f"{name}.weight"] = source[f"{at}/kernel"].T.contiguous()
        state[f"{name}.bias"] = source[f"{at}/bias"]
    return state


def musicnn(source: Path, target: Path) -> None:
    """musicnn trained on MagnaTagATune."""
    save_file(musicnn_state(read_checkpoint(source / ".index")), target / "model.safetensors")


def gguf(source: Path, target: Path) -> None:
    """A language model as bf16 safetensors with its tokenizer, both loadable by `from_pretrained`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    whole = gguf_file(source)
    model = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=whole.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    tie_again(model)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(source, gguf_file=whole.name).save_pretrained(target)


def gguf_file(source: Path) -> Path:
    """The file of a published language model, of which parts are joined in the order of their names."""
    whole = next(source.glob("*.gguf"), None)
    return whole or join(sorted(source.glob("*.bin")), source / "model.gguf")


def tie_again(model: PreTrainedModel) -> None:
    """One matrix for input and output embeddings where the file holds the same one twice.

    llama.cpp writes a tied matrix twice when it rounds the input embeddings more coarsely: the output's,
    which is nearer to what was published, then stands for both.
    """
    coarse = cast(nn.Embedding, model.get_input_embeddings())
    fine = cast(nn.Linear, model.get_output_embeddings())
    if coarse.weight is fine.weight or coarse.weight.shape != fine.weight.shape:
        return
    likeness = F.cosine_similarity(coarse.weight.float(), fine.weight.float(), dim=-1)
    if float(likeness.median()) > SAME_BUT_ROUNDED:
        coarse.weight = fine.weight
        model.config.tie_word_embeddings = True


def join(parts: Sequence[Path], whole: Path) -> Path:
    """Write the parts one after the other as one file, and remove them."""
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, out)
            part.unlink()
    return whole
