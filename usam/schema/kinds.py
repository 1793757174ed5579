"""The kinds of audio."""

from typing import Literal, get_args

Kind = Literal["speech", "sound", "music"]
KINDS: tuple[Kind, ...] = get_args(Kind)
