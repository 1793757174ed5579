"""What the page and the API share: the clip that is kept, and the one that is gone."""

from pathlib import Path
from typing import Any

import pytest

from ui.examples import EXAMPLES
from ui.settings import Settings, sqlite_url
from ui.studio.service import Studio, heard_file
from usam.audio.clip import load_clip
from usam.errors import UsamError


def test_the_kept_file_holds_exactly_what_was_heard() -> None:
    heard = load_clip(EXAMPLES["Sound"][0].path, 1.0, 4.0)
    with heard_file(heard) as path:
        assert load_clip(path).sha256 == heard.sha256


def test_a_clip_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    nothing: Any = None
    studio = Studio(nothing, nothing, Settings(tmp_path, sqlite_url(tmp_path)))
    with pytest.raises(UsamError, match="upload it again"):
        studio.clips.load(str(tmp_path / "swept.ogg"))
