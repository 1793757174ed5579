"""Experts by what they are known to do."""

import json

from tests.fake_engine import trace_of
from tests.ui.heard import clip, entry
from ui.inspector.experts import expert_names
from ui.inspector.payload import payload

KINDS = {"speech": [0.98, 0.0, 0.0], "sound": [0.01, 0.5, 0.2], "music": [0.01, 0.5, 0.76]}


def test_an_expert_is_named_by_the_kind_it_gets_most_of() -> None:
    trace = trace_of(clip(), "question")
    names = expert_names(trace, {"load": [1, 1, 1], "share_by_kind": KINDS})
    assert names == ("expert 1, mostly speech", "expert 2, mostly sound", "expert 3, mostly music")


def test_without_evidence_the_name_is_bare() -> None:
    trace = trace_of(clip(), "question")
    assert expert_names(trace, None) == trace.experts
    assert expert_names(trace, {"load": [1, 1], "share_by_kind": {"speech": [1, 0]}}) == trace.experts
    even = {"speech": [0.3, 0.4, 0.0], "sound": [0.3, 0.3, 0.0], "music": [0.3, 0.3, 0.0]}
    assert expert_names(trace, {"load": [1, 1, 1], "share_by_kind": even}) == trace.experts


def test_the_viewer_gets_the_same_names_everywhere() -> None:
    measured = {"load": [0.4, 0.3, 0.3], "share_by_kind": KINDS}
    sent = payload(entry("a", clip()), lambda model: measured)
    assert "expert 1, mostly speech" in sent["summary"]
    spoken = {word["expert"] for words in sent["tokens"]["words"] for word in words}
    assert spoken <= set(sent["experts"])
    assert '"expert 1"' not in json.dumps(sent)
