"""The three frozen encoders of U-SAM: speech, audio, music."""

from usam.encoders.base import Encoder
from usam.encoders.musicnn import MusiCNN
from usam.encoders.whisper import Whisper
from usam.encoders.yamnet import YAMNet
from usam.weights.cache import WeightPaths

__all__ = ["Encoder", "MusiCNN", "Whisper", "YAMNet", "load_encoders"]


def load_encoders(paths: WeightPaths) -> tuple[Whisper, YAMNet, MusiCNN]:
    """The encoders in the order their frames are concatenated. Raises WeightsError."""
    return Whisper.load(paths.whisper), YAMNet.load(paths.yamnet), MusiCNN.load(paths.musicnn)
