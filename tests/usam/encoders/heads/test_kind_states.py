"""What the kind head's scores say is heard, alone and together."""

import pytest
import torch

from usam.encoders.heads.kind_states import kind_spans
from usam.encoders.words import KindScores

SPEECH_AND_PERHAPS_MUSIC = [0.6, -1.0, -0.04]


@pytest.mark.parametrize(("looks", "kinds"), [(1, ("speech",)), (4, ("speech", "music"))])
def test_what_may_be_behind_speech_is_expected_of_more_than_one_look(
    looks: int, kinds: tuple[str, ...]
) -> None:
    scores = KindScores(torch.tensor([SPEECH_AND_PERHAPS_MUSIC] * looks), 0.96)
    (span,) = kind_spans(scores, torch.zeros(looks, dtype=torch.bool), looks * 0.96)
    assert span.kinds == kinds
