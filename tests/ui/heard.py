"""Clips of tests as answers hold them."""

from ui.studio.clips import ClipCache, HeardClip
from usam.audio.clip import Clip


def heard_clip(clip: Clip) -> HeardClip:
    """The clip, whatever its file says."""
    return ClipCache(lambda file, start, end: clip).load(__file__)
