"""Exports for trainers that hear: each row is what its trainer takes, with one clip and one place for it."""

import json
import re
import shutil
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Feedback, StorageError
from storage.export import export
from storage.export.reader import split_of
from storage.export.training.tagged import untagged

Make = Callable[..., dict[str, Any]]
Rows = list[dict[str, Any]]

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
TAGS = st.sampled_from(["<audio>", "<image>", "<VIDEO>", "< audio >", "<<audio>>"])
TEXTS = st.lists(WORDS | TAGS, min_size=1, max_size=4).map("".join).filter(str.strip)


def rows_of(folder: Path) -> Rows:
    files = (folder / f"{split}.jsonl" for split in ("train", "test"))
    return [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 1600, "NONE", ""))
        file.writeframes(bytes(3200))
    return path


@pytest.fixture
def judged(feedback: Feedback, make_record: Make, clip: Path) -> Feedback:
    """A follow-up whose answer was corrected, one liked, and one that nobody may hear."""
    turns = [{"question": "What?", "answer": "Dogs."}]
    record = make_record("two", question="How many?", history=turns)
    answer = feedback.record_answer(record, annotator="me", audio_path=str(clip))
    feedback.rate(answer, "me", thumb=-1, correction="three")
    silent = feedback.record_answer(make_record("a cat", clip="silent"), annotator="me")
    feedback.rate(silent, "me", thumb=-1, correction="a dog")
    return feedback


def test_reward_rows_hold_the_whole_conversation_twice(judged: Feedback, tmp_path: Path) -> None:
    export(judged.database, "reward", tmp_path / "out")
    (row,) = (row for row in rows_of(tmp_path / "out") if "audios" in row)
    assert set(row) == {"chosen", "rejected", "audios"}
    assert row["chosen"][:-1] == row["rejected"][:-1]
    assert [turn["content"] for turn in row["chosen"]] == ["What?", "Dogs.", "How many?", "three"]
    assert row["rejected"][-1] == {"role": "assistant", "content": "two"}


def test_ms_swift_rows_point_at_the_clip_once(judged: Feedback, tmp_path: Path) -> None:
    audit = export(judged.database, "ms-swift", tmp_path / "pairs")
    (row,) = rows_of(tmp_path / "pairs")
    assert set(row) == {"messages", "rejected_response", "audios"}
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant", "user", "assistant"]
    assert row["messages"][0]["content"] == "<audio>What?"
    assert (row["messages"][-1]["content"], row["rejected_response"]) == ("three", "two")
    assert audit.dropped["no_audio"] == 1

    export(judged.database, "ms-swift-kto", tmp_path / "labels")
    (row,) = rows_of(tmp_path / "labels")
    assert set(row) == {"messages", "label", "audios"}
    assert (row["messages"][-1]["content"], row["label"]) == ("two", False)


def test_llama_factory_rows_are_described_to_it(judged: Feedback, tmp_path: Path) -> None:
    for format, answers in (("llama-factory", {"chosen", "rejected"}), ("llama-factory-kto", {"kto_tag"})):
        out = tmp_path / format
        export(judged.database, format, out)
        (row,) = rows_of(out)
        assert set(row) == {"conversations", "audios"} | answers
        roles = [turn["from"] for turn in row["conversations"]]
        assert roles == ["human", "gpt"] * (len(roles) // 2) + ["human"] * (len(roles) % 2)
        (described,) = json.loads((out / "dataset_info.json").read_text()).values()
        assert (out / described["file_name"]).exists()
        assert described["formatting"] == "sharegpt"
        assert described.get("ranking", False) == ("chosen" in answers)
        assert set(described["columns"].values()) == set(row)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=TEXTS, answer=TEXTS, correction=TEXTS)
def test_every_row_has_as_many_places_as_clips_whatever_people_write(
    feedback: Feedback, make_record: Make, clip: Path, question: str, answer: str, correction: str
) -> None:
    record = make_record(answer, question=question)
    stored = feedback.record_answer(record, annotator="me", audio_path=str(clip))
    feedback.rate(stored, "me", thumb=-1, correction=correction)
    same = answer.strip() == correction.strip()
    with tempfile.TemporaryDirectory() as folder:
        for format in ("ms-swift", "ms-swift-kto", "llama-factory", "llama-factory-kto", "reward"):
            out = Path(folder) / format
            audit = export(feedback.database, format, out)
            rows = rows_of(out)
            assert len(rows) == audit.rows.total() == (0 if same and "kto" not in format else 1)
            for row in rows:
                assert len(row["audios"]) == 1
                assert Path(row["audios"][0]).is_file()
                if format != "reward":
                    tags = re.findall(r"<\s*(audio|image|video)\s*>", " ".join(texts(row)), re.IGNORECASE)
                    assert tags == ["audio"]
    feedback.forget(annotator="me")


def texts(value: Any) -> Iterator[str]:
    """Every text in a row, but for the paths of its clips."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "audios":
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@given(TEXTS)
def test_untagging_keeps_every_letter(text: str) -> None:
    assert len(untagged(text)) == len(text)
    assert re.sub(r"[<>()]", "", untagged(text)) == re.sub(r"[<>()]", "", text)


def folder_rows(out: Path) -> Rows:
    return [
        {**json.loads(line), "split": file.parent.name}
        for file in sorted(out.glob("*/metadata.jsonl"))
        for line in file.read_text().splitlines()
    ]


@pytest.fixture
def many(feedback: Feedback, make_record: Make, clip: Path) -> Feedback:
    """Ratings of thirty clips, two of one of them, and one of a clip that nobody may hear."""
    for n in range(30):
        answer = feedback.record_answer(
            make_record(f"answer {n}", clip=str(n)), annotator="me", audio_path=str(clip)
        )
        feedback.rate(answer, "me", score=n % 5 + 1, dimensions={"correctness": 3} if n % 2 else None)
    feedback.rate(answer, "you", flags=["unsafe"])
    feedback.rate(feedback.record_answer(make_record(clip="silent"), annotator="me"), "me", thumb=1)
    return feedback


def test_the_audio_folder_holds_each_clip_beside_its_ratings(many: Feedback, tmp_path: Path) -> None:
    out = tmp_path / "out"
    audit = export(many.database, "audiofolder", out)
    rows = folder_rows(out)
    assert len(rows) == audit.rows.total() == 31
    assert audit.dropped["no_audio"] == 1
    assert len({tuple(sorted(row)) for row in rows}) == 1, "the same columns in every row"
    for row in rows:
        assert (out / row["split"] / row["file_name"]).is_file()
        assert split_of(row["clip_sha256"]) == row["split"]
    assert [row["flag_unsafe"] for row in rows].count(True) == 1
    assert {row["dimension_correctness"] for row in rows} == {3, None}
    assert "me" not in {row["annotator"] for row in rows}


def test_another_export_replaces_the_folder_but_never_someone_elses(many: Feedback, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(many.database, "audiofolder", out)
    many.forget(annotator="me")
    export(many.database, "audiofolder", out)
    assert not list(out.rglob("*.wav")), "what was forgotten is in no export made since"
    (out / "train").mkdir()
    (out / "train" / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match="another folder"):
        export(many.database, "audiofolder", out)
    assert (out / "train" / "thesis.txt").read_text() == "mine"


def test_the_datasets_library_loads_the_audio_folder(many: Feedback, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip(
        "torchcodec", exc_type=(ImportError, RuntimeError), reason="datasets reads audio with it"
    )
    loaded = audio_folder(datasets, many, tmp_path)
    assert sum(len(split) for split in loaded.values()) == 31
    train = loaded["train"].cast_column("audio", datasets.Audio(decode=False))
    assert train[0]["audio"]["path"].endswith(".wav")
    assert set(train.unique("score")) <= {1, 2, 3, 4, 5, None}


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="torchcodec decodes with FFmpeg's libraries")
def test_the_datasets_library_hears_the_kept_clips(many: Feedback, tmp_path: Path, clip: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("torchcodec", exc_type=(ImportError, RuntimeError), reason="datasets needs it")
    heard = audio_folder(datasets, many, tmp_path)["train"][0]["audio"].get_all_samples()
    with wave.open(str(clip)) as kept:
        assert (heard.sample_rate, tuple(heard.data.shape)) == (kept.getframerate(), (1, kept.getnframes()))


def audio_folder(datasets: Any, feedback: Feedback, folder: Path) -> Any:
    export(feedback.database, "audiofolder", folder / "out")
    return datasets.load_dataset("audiofolder", data_dir=str(folder / "out"), cache_dir=str(folder / "cache"))


@pytest.mark.parametrize("format", ["dpo", "kto", "reward", "ms-swift", "ms-swift-kto", "llama-factory-kto"])
def test_the_datasets_library_loads_the_lines(judged: Feedback, tmp_path: Path, format: str) -> None:
    datasets = pytest.importorskip("datasets")
    export(judged.database, format, tmp_path / "out")
    files = [str(file) for file in (tmp_path / "out").glob("*.jsonl")]
    loaded = datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == len(rows_of(tmp_path / "out"))
