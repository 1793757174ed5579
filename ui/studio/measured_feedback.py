"""The feedback store, with each rating that is saved counted for `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from storage import Feedback
from storage.ratings.results import Rating
from storage.ratings.validation import RatingInput
from ui.server.metrics import Metrics


@dataclass(frozen=True)
class MeasuredFeedback(Feedback):
    metrics: Metrics

    def rate(self, answer_id: str, annotator: str, **values: Unpack[RatingInput]) -> Rating:
        with self.metrics.save():
            return super().rate(answer_id, annotator, **values)
