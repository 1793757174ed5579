"""How often one of two is preferred, and whether that is decided, however often one looks.

Of two contestants the Bradley-Terry model has one number, the rate at which one wins. Its interval here is a
confidence sequence: with 95 % it holds at every number of votes at once, so that a trial may be looked at
after each vote and end at the first that decides, which an interval for a fixed number of votes does not
allow. It is the set of rates that the mixture of likelihood ratios over a uniform prior does not exceed by 20
(Robbins, Statistical methods related to the law of the iterated logarithm, 1970; Ville's inequality). Each
ratio is convex in the score, so half a win is allowed (Waudby-Smith and Ramdas, Estimating means of bounded
random variables by betting, 2024).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, lgamma, log

from storage.analysis.intervals import Interval

LEAST_VOTES = 30
LEAST_PEOPLE = 2
_CONTRADICTION = log(20)  # 1 / 0.05
_STEPS = 50


@dataclass(frozen=True)
class WinRate:
    """Votes between an old and a new contestant. ties: votes that prefer neither, also those that find both
    bad; half a win each, as for the strengths on the Dashboard: left out, they would hide that people mostly
    see no difference."""

    wins: int = 0
    losses: int = 0
    ties: int = 0
    people: int = 0

    @property
    def votes(self) -> int:
        return self.wins + self.losses + self.ties

    @property
    def share(self) -> float:
        """The rate at which the new one is preferred, 0.5 without votes."""
        return (self.wins + self.ties / 2) / self.votes if self.votes else 0.5

    @property
    def interval(self) -> Interval:
        return confidence_sequence(self.wins + self.ties / 2, self.votes)

    @property
    def decided(self) -> bool:
        """Whether enough votes of enough people prefer one of the two."""
        low, high = self.interval
        enough = self.votes >= LEAST_VOTES and self.people >= LEAST_PEOPLE
        return enough and not low <= 0.5 <= high


def confidence_sequence(score: float, votes: int) -> Interval:
    """The rates that the votes do not contradict. score: the sum of votes, each in [0, 1]."""
    if votes <= 0:
        return 0.0, 1.0
    mixture = lgamma(score + 1) + lgamma(votes - score + 1) - lgamma(votes + 2)

    def contradicted(rate: float) -> bool:
        likelihood = _times_log(score, rate) + _times_log(votes - score, 1 - rate)
        return mixture - likelihood > _CONTRADICTION

    share = score / votes
    return _edge(contradicted, share, 0.0), _edge(contradicted, share, 1.0)


def _edge(contradicted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where rates between `inside`, which is allowed, and `outside` begin to be contradicted."""
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if contradicted(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _times_log(count: float, rate: float) -> float:
    return 0.0 if count == 0 else count * log(rate) if rate > 0 else -inf
