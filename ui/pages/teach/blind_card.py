"""How a blind trial of a tuned checkpoint goes, as HTML."""

from __future__ import annotations

from storage.analysis.win_rate import LEAST_PEOPLE, LEAST_VOTES, WinRate
from ui.components import messages
from ui.studio.tuning.blind_trials import BlindTrial, WritingState


def blind_card(name: str, state: WritingState, trial: BlindTrial | None, rate: WinRate) -> str:
    """rate: of the trial's votes."""
    writing = messages.working(state.message, state.share) if state.name == name else ""
    ended = messages.fault(state.ended) if state.ended else ""
    if trial is None or not (trial.pairs or trial.same):
        return writing + ended
    low, high = rate.interval
    votes = (
        f"{rate.votes} of at least {LEAST_VOTES} votes, {rate.people} of {LEAST_PEOPLE} people, new "
        f"preferred in {rate.share:.2f} ({low:.2f}–{high:.2f})."
    )
    result = messages.saved if rate.decided else messages.status
    pairs = f"{messages.counted(len(trial.pairs), 'pair')} of answers to compare on Annotate"
    same = f"; to {messages.counted(len(trial.same), 'question')} both answer the same" if trial.same else ""
    return f"{writing}{ended}{result(votes)}<p class='hint'>{_state(name, trial, rate)} {pairs}{same}.</p>"


def _state(name: str, trial: BlindTrial, rate: WinRate) -> str:
    if rate.decided:
        preferred = name if rate.share > 0.5 else "the checkpoint before"
        return f"Decided: people prefer {preferred}. Nobody is asked any longer."
    return "" if trial.open else "Ended: nobody is asked any longer."
