"""Readers of labelled audio."""

import json
from pathlib import Path

import pytest

from usam.data.corpus import CorpusError, read_corpus, read_synthesis

COLUMNS = "path,seconds,kind,label_or_transcript,language,speaker_or_group,licence"


def write_corpus(folder: Path, *rows: str) -> Path:
    (folder / "manifest.csv").write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    return folder


def test_reads_transcripts_labels_and_annotations_apart(tmp_path: Path) -> None:
    write_corpus(
        tmp_path,
        'speech/speechocean762/1.ogg,3.1,speech,"IT\'S ME, TOM",en,speechocean762:0001;gender=m;age=6,free',
        "speech/librispeech_gender/2.ogg,8,speech,[gender] female,en,librispeech:103;gender=female,CC BY 4.0",
        "sound/petz/3.ogg,0.5,sound,rat squeak,,,CC0",
    )
    said, voice, squeak = read_corpus(tmp_path)
    assert (said.transcript, said.label, said.group) == ("it's me tom", None, "speechocean762:0001")
    assert (voice.transcript, voice.label) == (None, "[gender] female")
    assert (said.speaker, voice.speaker, squeak.speaker) == ("child", "woman", None)
    assert (squeak.transcript, squeak.label, squeak.kind) == (None, "rat squeak", "sound")
    assert squeak.path == tmp_path / "sound/petz/3.ogg"
    assert squeak.name == "sound/petz/3.ogg"


def test_takes_of_one_object_are_one_group(tmp_path: Path) -> None:
    write_corpus(
        tmp_path,
        "music/avl_drumkits/a.ogg,1,music,snare drum,,38-PearlSnare2-2,CC BY-SA",
        "music/avl_drumkits/b.ogg,1,music,snare drum,,38-PearlSnare2-5,CC BY-SA",
        "music/avl_drumkits/c.ogg,1,music,snare drum,,38-PorkpieSnare-1,CC BY-SA",
    )
    first, second, other = read_corpus(tmp_path)
    assert first.group == second.group != other.group


@pytest.mark.parametrize(
    "manifest", [None, "path,seconds\na/b/c.ogg,1\n", f"{COLUMNS}\na/b/c.ogg,x,sound,,,,\n"]
)
def test_broken_corpus_is_reported(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.csv").write_text(manifest, encoding="utf-8")
    with pytest.raises(CorpusError):
        read_corpus(tmp_path)


def test_unfinished_line_of_growing_synthesis_is_left_for_later(tmp_path: Path) -> None:
    line = {"path": "000/00000.flac", "seconds": 2.5, "transcript": "good night", "voice": "flite-slt"}
    (tmp_path / "manifest.jsonl").write_text(
        json.dumps(line) + "\n" + json.dumps(line)[:20], encoding="utf-8"
    )
    (only,) = read_synthesis(tmp_path)
    assert (only.transcript, only.seconds, only.kind) == ("good night", 2.5, "speech")
