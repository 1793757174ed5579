"""The frozen encoders of U-SAM: speech, audio, music."""

from usam.encoders.base import Encoder
from usam.encoders.ced import CED
from usam.encoders.mert import MERT
from usam.encoders.musicnn import MusiCNN
from usam.encoders.whisper import Whisper
from usam.encoders.yamnet import YAMNet

__all__ = ["CED", "MERT", "Encoder", "MusiCNN", "Whisper", "YAMNet"]
