"""Labelled recordings inside Debian packages."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from usam.data.corpus import CorpusError
from usam.data.debian_packages import read_fillets, read_stamps


def silence(path: Path, seconds: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(16000 * seconds), np.float32), 16000)


def test_fillets_pair_the_clip_with_its_translation(tmp_path: Path) -> None:
    game = tmp_path / "games/fillets-ng"
    silence(game / "sound/city/cs/vit-1.ogg")
    dialogs = game / "script/city/dialogs_cs.lua"
    dialogs.parent.mkdir(parents=True)
    dialogs.write_text(
        'dialogId("vit-1", "font_small", "That’s \\"some\\" hat!")\ndialogStr(\n"Ty máš klobouk!")\n'
        'dialogId("vit-mute", "font_small", "No clip.")\ndialogStr("Bez zvuku.")\n',
        encoding="utf-8",
    )
    (line,) = read_fillets(tmp_path)
    assert (line.transcript, line.translation, line.language) == (
        "Ty máš klobouk!",
        'That\'s "some" hat!',
        "cs",
    )
    assert (line.group, line.seconds) == ("fillets:city", 0.5)


def test_stamps_are_captions_in_languages_and_sounds(tmp_path: Path) -> None:
    folder = tmp_path / "tuxpaint/stamps/animals"
    for name in ("lion.ogg", "lion_desc.ogg", "lion_desc_fr.ogg", "nameless.ogg"):
        silence(folder / name)
    (folder / "lion.txt").write_text("A lion.\nfr.utf8=Un lion.\n", encoding="utf-8")
    sound, english, french = read_stamps(tmp_path)
    assert (sound.kind, sound.label, sound.transcript) == ("sound", "lion", None)
    assert (english.transcript, english.translation, english.language) == ("lion", None, "en")
    assert (french.transcript, french.translation, french.language) == (None, "A lion.", "fr")
    assert len({sound.group, english.group, french.group}) == 1


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="fillets-ng-data"):
        read_fillets(tmp_path)
    with pytest.raises(CorpusError, match="tuxpaint-stamps-default"):
        read_stamps(tmp_path)
