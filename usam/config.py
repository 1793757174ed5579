"""The configuration of U-SAM: sizes of its parts and the constants that follow from them."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from transformers import PreTrainedConfig

from usam.errors import RequestError
from usam.presets import PRESETS

Role = Literal["speech", "audio", "music"]
"""What an encoder listens for."""

# One rate for the concatenated encoder frames U. Whisper's own, the finest of the three.
FRAME_RATE = 50.0


class USAMConfig(PreTrainedConfig):
    """Sizes of the adapter (Q-Former, projector, SACLM) and of the frozen parts around it.

    encoder_names: of `usam.encoders.registry`, in the order in which their frames are concatenated.
    encoder_roles: what each listens for. encoder_dims: channels of each (paper section 2.1).
    llm_name: of `usam.llm.registry`, a folder, or `owner/name` on the hub.
    window_frames, queries_per_window: a window of `window_frames` frames of U becomes that many tokens.
    conv_kernel: width, in tokens, of the depthwise convolution that lets windows see their neighbours.
    slow_size: hidden width of the audio and music encoders' own path to the tokens; 0 leaves it out.
    anchor_tokens: size of the sub-vocabulary audio tokens are anchored in; 0 turns anchoring off.
    blank_by_place: nats taken off the blank of the token at each place of a window, where one place's tokens
    came out of training blanker than others'; none for nothing taken off.
    words: whether tokens hold the words of the encoders' own heads (`usam.adapter.words`), an expert an
    encoder. background_kinds: whether the audio expert's words say music or sound behind speech where they
    can name nothing. kind_head: whether a head over all encoders' frames tells which kinds are heard
    (`usam.adapter.kinds`), by which the words of sounds and music are chosen. names: of sounds
    and music, by kind, that another such head tells (`usam.adapter.names`); none for no such head.
    chat_template: whether prompts have the form of the LLM's own chat template, for one that was not trained
    with ours. lora_*: of the LLM; speech_lora_*: of the speech encoder's upper layers, for a checkpoint that
    tunes them.
    """

    model_type = "usam"

    preset: str = "mini"
    encoder_names: list[str] | tuple[str, ...] = ("whisper-base", "yamnet", "musicnn")
    encoder_roles: list[Role] | tuple[Role, ...] = ("speech", "audio", "music")
    encoder_dims: list[int] | tuple[int, ...] = (512, 1024, 753)
    llm_name: str = "SmolLM2-135M-Instruct"
    llm_dim: int = 576

    window_frames: int = 16
    queries_per_window: int = 4
    hidden_size: int = 384
    num_layers: int = 2
    num_heads: int = 6
    feedforward_size: int = 768
    conv_kernel: int = 7
    dropout: float = 0.1

    slow_size: int = 0

    num_experts: int = 3
    expert_size: int = 768
    expert_names: list[str] | tuple[str, ...] = ("expert 1", "expert 2", "expert 3")
    anchor_tokens: int = 0
    blank_by_place: list[float] | tuple[float, ...] = ()
    words: bool = False
    background_kinds: bool = False
    kind_head: bool = False
    names: dict[str, list[str]] = field(default_factory=dict)
    chat_template: bool = False

    num_slots: int = 4
    beta: float = 0.5
    threshold: float = 0.5
    margin: float = 0.2

    lora_rank: int = 16
    lora_alpha: int = 32
    lora_targets: list[str] | tuple[str, ...] = (
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    )
    speech_lora_rank: int = 32
    speech_lora_alpha: int = 64
    speech_lora_targets: list[str] | tuple[str, ...] = (
        "q_proj",
        "k_proj",
        "v_proj",
        "out_proj",
        "fc1",
        "fc2",
    )

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoConfig") -> None:
        """Nothing: a saved folder names our classes already, and takes no copy of this module."""

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        if self.window_frames % self.queries_per_window:
            raise ValueError("window_frames must be a multiple of queries_per_window")
        if len(self.expert_names) != self.num_experts:
            raise ValueError("expert_names must name every expert")
        if not len(self.encoder_names) == len(self.encoder_roles) == len(self.encoder_dims):
            raise ValueError("encoder_roles and encoder_dims must say something of every encoder")
        if self.words and not (self.anchor_tokens and self.num_experts == len(self.encoder_names)):
            raise ValueError("words need anchor_tokens, and an expert for every encoder")
        if len(self.blank_by_place) not in (0, self.queries_per_window):
            raise ValueError("blank_by_place must say something of every place of a window, or nothing")
        if self.names and not self.kind_head:
            raise ValueError("names need kind_head: which of them are said depends on the kinds heard")

    @property
    def frame_dim(self) -> int:
        """Channels of U, the encoders' frames side by side."""
        return sum(self.encoder_dims)

    def channels(self, role: Role) -> slice:
        """Those channels of U that are of the first encoder with that role; none where there is no such."""
        if role not in self.encoder_roles:
            return slice(0, 0)
        index = list(self.encoder_roles).index(role)
        start = sum(self.encoder_dims[:index])
        return slice(start, start + self.encoder_dims[index])

    def width(self, role: Role) -> int:
        """How many `channels` those are."""
        channels = self.channels(role)
        return int(channels.stop - channels.start)

    @property
    def frames_per_token(self) -> int:
        """Frames of U that seed one query."""
        return self.window_frames // self.queries_per_window

    @property
    def token_seconds(self) -> float:
        """Seconds of audio that one token stands for."""
        return self.frames_per_token / FRAME_RATE

    @property
    def window_seconds(self) -> float:
        return self.window_frames / FRAME_RATE

    @classmethod
    def from_preset(cls, preset: str) -> USAMConfig:
        """The configuration of a preset. Raises RequestError if there is none or it does not fit."""
        fields = PRESETS[preset].fields
        unknown = sorted(name for name in fields if name not in cls.__dataclass_fields__)
        if unknown:
            raise RequestError(
                f"The preset {preset!r} has a field {unknown[0]!r}, which no configuration has."
            )
        try:
            return cls(**{**fields, "preset": preset})
        except (TypeError, ValueError) as error:
            raise RequestError(f"The preset {preset!r} does not fit ({error}).") from error
