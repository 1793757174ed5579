"""The frozen encoders of U-SAM: speech, audio, music."""

from usam.encoders.base import Encoder
from usam.encoders.musicnn import MusiCNN
from usam.encoders.whisper import Whisper
from usam.encoders.yamnet import YAMNet

__all__ = ["Encoder", "MusiCNN", "Whisper", "YAMNet"]
