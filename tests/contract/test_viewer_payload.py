"""What the viewer is sent has exactly the keys that its scripts are type-checked against."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from storage.annotation.spans import Span
from tests import tiny
from tests.ui.heard import heard_clip
from ui.inspector.payload import attribution_json, payload, router_json, viewer_json
from ui.studio.session import SessionAnswer
from ui.viewer.assets import FOLDER
from usam.engine.engine import Engine
from usam.interpretability.attribution import attribute
from usam.schema.trace import TokenWord

TYPES = (FOLDER / "types.d.ts").read_text("utf-8")
SCRIPTS = "\n".join(file.read_text("utf-8") for file in FOLDER.rglob("*.js"))
CLIP = tiny.clip(1.0)
MEASURED = {"share_by_kind": {"speech": [0.5, 0.3, 0.2]}, "load": [0.4, 0.3, 0.3]}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny.engine(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def entry(engine: Engine) -> SessionAnswer:
    answer = engine.ask(CLIP, "What do you hear?")
    tokens = list(answer.trace.tokens)
    tokens[3] = replace(tokens[3], words=(TokenWord("expert 1", "hello", 0.9),))
    answer = replace(answer, trace=replace(answer.trace, tokens=tuple(tokens)))
    return SessionAnswer("key", answer, heard_clip(CLIP), "clip.wav", answer_id="one")


def declared(name: str) -> set[str]:
    """The keys of an interface of the scripts."""
    found = re.search(rf"^export interface {name} {{\n(.*?)^}}", TYPES, re.MULTILINE | re.DOTALL)
    assert found, name
    return set(re.findall(r"^  (\w+)\??:", found[1], re.MULTILINE))


def inline(interface: str, key: str) -> set[str]:
    """The keys of an object that an interface declares in one line."""
    body = TYPES[TYPES.index(f"export interface {interface} {{") :]
    found = re.search(rf"^  {key}: {{(.*?)}}", body, re.MULTILINE)
    assert found, key
    return set(re.findall(r"(\w+):", found[1]))


def test_a_trace_has_the_keys_that_the_scripts_declare(entry: SessionAnswer) -> None:
    sent = payload(entry, lambda model: MEASURED)
    assert sent.keys() == declared("TraceData")
    assert sent["tokens"].keys() == declared("Tokens")
    assert sent["sound"].keys() == declared("SoundData")
    assert sent["heard"].keys() == inline("TraceData", "heard")
    assert sent["tokens"]["words"][3][0].keys() == declared("TokenWord")
    assert sent["router"].keys() == inline("TraceData", "router")


def test_the_other_parts_have_them_too(entry: SessionAnswer, engine: Engine) -> None:
    router = {**engine.health(), "fingerprint": "f00d"}
    assert json.loads(router_json(router)).keys() == declared("RouterHealth")
    words = json.loads(attribution_json(entry, attribute(engine, CLIP, entry.answer)))["words"]
    assert words[0].keys() == declared("WordAttribution")
    shown = json.loads(viewer_json(entry, replace(entry, key="other")))
    assert shown["trace"].keys() == shown["other"].keys() == declared("TraceData")
    span = Span("id", "answer", 0.0, 1.0, "missed", None, 1, *2 * [None])  # type: ignore[list-item]
    assert span.to_json().keys() == declared("Mark")


@pytest.mark.parametrize(
    "interface", ["TraceData", "Tokens", "TokenWord", "SoundData", "RouterHealth", "WordAttribution"]
)
def test_every_key_that_is_sent_is_read(interface: str) -> None:
    unread = {key for key in declared(interface) if not re.search(rf"\b{key}\b", SCRIPTS)}
    assert unread == set()


@pytest.mark.parametrize("key", ["trace", "other", "words"])
def test_the_outer_keys_are_read(key: str) -> None:
    readers = [(FOLDER / name).read_text("utf-8") for name in ("gradio.js", "viewer.js")]
    report = (Path(__file__).parents[2] / "ui" / "report" / "report.js").read_text("utf-8")
    assert any(re.search(rf"\.{key}\b", text) for text in (*readers, report))
