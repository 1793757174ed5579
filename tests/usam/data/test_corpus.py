"""Readers of labelled audio and the held-out split."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from usam.data.corpus import CorpusError, Example, read_corpus, read_synthesis
from usam.data.debian_packages import read_fillets, read_stamps
from usam.data.labels import label_words, spoken_words
from usam.data.splits import split

COLUMNS = "path,seconds,kind,label_or_transcript,language,speaker_or_group,licence"


def example(source: str, group: str, name: str, kind: str = "sound") -> Example:
    return Example(
        path=Path("corpus") / kind / source / name,
        seconds=1.0,
        kind=kind,  # type: ignore[arg-type]
        transcript=None,
        label="bell",
        group=group,
        source=source,
        licence="CC0",
        language="",
    )


def write_corpus(folder: Path, *rows: str) -> Path:
    (folder / "manifest.csv").write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    return folder


def silence(path: Path, seconds: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(16000 * seconds), np.float32), 16000)


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["berklee", "petz", "dc_tts_reader", "picovoice_wakeword", "blanket"]),
            st.integers(0, 40),
        ),
        max_size=80,
    ),
    st.sets(st.integers(0, 79), max_size=5),
)
def test_split_is_a_partition_that_keeps_groups_whole(drawn: list[tuple[str, int]], named: set[int]) -> None:
    examples = [example(source, f"{source}:{n}", f"{i}.ogg") for i, (source, n) in enumerate(drawn)]
    listed = {one.name for i, one in enumerate(examples) if i in named}
    train, heldout = split(examples, also_heldout=listed)
    assert sorted(one.name for one in train + heldout) == sorted(one.name for one in examples)
    assert not {one.group for one in train} & {one.group for one in heldout}
    assert listed <= {one.name for one in heldout}
    assert all(one.source != "petz" for one in train)


def test_split_of_a_clip_does_not_depend_on_the_others() -> None:
    examples = [example("berklee", f"berklee:{n}", f"{n}.ogg") for n in range(200)]
    _, heldout = split(examples)
    _, alone = split(examples[::2])
    assert 4 <= len(heldout) <= 40  # 8 % of 200 groups
    assert {one.name for one in alone} == {one.name for one in heldout} & {one.name for one in examples[::2]}


def test_last_quarter_of_the_single_reader_is_held_out() -> None:
    examples = [example("dc_tts_reader", f"sentence {n}", f"{n}.ogg", "speech") for n in range(8)]
    train, heldout = split(examples)
    assert (train, heldout) == (examples[:6], examples[6:])


def test_synthetic_speech_is_never_held_out() -> None:
    examples = [
        replace(example("synthesis", f"synthesis:{n}", f"{n}.flac"), kind="speech") for n in range(50)
    ]
    assert split(examples) == (examples, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DON'T stop, it’s Tom's!", "don't stop it's tom's"),
        ("He said \"go\", and 'went' -- twice-over.", "he said go and went twice over"),
        ("Mr. Bennet refers to a gentleman", "mister bennet refers to a gentleman"),
        ("printed in 1490", None),
        ("fish & chips", None),
        ("déjà vu", None),
        ("...", None),
    ],
)
def test_spoken_words(text: str, words: str | None) -> None:
    assert spoken_words(text) == words


@given(st.text())
def test_spoken_words_are_words_and_stay_as_they_are(text: str) -> None:
    words = spoken_words(text)
    if words is not None:
        assert set(words) <= set("abcdefghijklmnopqrstuvwxyz' ")
        assert spoken_words(words) == words
        assert words == " ".join(words.split())


def test_label_words_keep_content_in_order() -> None:
    assert label_words("Footsteps in the long grass, grass") == ["footsteps", "long", "grass"]
    assert label_words("hi-hat (drum machine)") == ["hi", "hat", "drum", "machine"]


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
