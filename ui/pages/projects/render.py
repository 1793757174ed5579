"""What the Projects page shows, as HTML. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from storage.annotation.gold import Gold
from storage.annotation.imports import Added, WaitingItem
from storage.annotation.projects import Item, PersonProgress, Progress, Project, Projects
from ui.components import messages
from ui.studio.projects.importer import ELSEWHERE, ENDING, ImportState
from ui.studio.projects.team import Team
from ui.studio.stored_answers import LINK

HINT = (
    "<p class='hint'>A team rates the items of a project by its guidelines, on the Annotate page: each item "
    "as often as is wanted, gold items among them, whose right judgement is known.</p>"
)
NONE_YET = "<p class='hint'>There are no projects yet. Describe one below.</p>"
SHORT = 70  # characters of a question or an answer in a list


def overview(projects: Sequence[tuple[Project, Progress]]) -> str:
    rows = [
        (
            project.name,
            "closed" if project.closed else "open to all" if project.open_to_all else _list(project.members),
            f"{progress.done:,} of {progress.items:,}",
            f"{progress.judgements:,} of {progress.judgements_wanted:,}",
            f"{progress.gold:,}",
        )
        for project, progress in projects
    ]
    return _table(("Project", "For", "Items done", "Judgements", "Gold"), rows) if rows else NONE_YET


def link(project: Project) -> str:
    """Where people find it."""
    return (
        "<p class='hint'>People choose it on the Annotate page, or come by the link "
        f"<a href='./annotate?project={quote(project.name)}' target='_blank' rel='noopener'>"
        f"annotate?project={escape(quote(project.name))}</a>.</p>"
    )


def project_progress(projects: Projects, team: Team, name: str) -> str:
    """See `progress`. Raises StorageError, RequestError."""
    return progress(projects.progress(name), team.named_people(projects.people(name)))


def progress(now: Progress, people: Sequence[tuple[str, PersonProgress]]) -> str:
    """How far the project is, and each person with their agreement on gold items. people: with names."""
    share = now.judgements / now.judgements_wanted if now.judgements_wanted else 0.0
    line = (
        f"{now.done:,} of {messages.counted(now.items, 'item')} done, {now.judgements:,} of "
        f"{now.judgements_wanted:,} wanted judgements"
    )
    rows = [
        (
            name,
            f"{one.judged:,}",
            f"{one.skipped:,}",
            _gold_score(one),
            f"{one.latest:%Y-%m-%d %H:%M} UTC" if one.latest else "–",
        )
        for name, one in people
    ]
    head = ("Person", "Judged", "Skipped", "Gold items right", "Latest")
    table = _table(head, rows) if rows else "<p class='hint'>Nobody has judged an item yet.</p>"
    bar = f'<progress max="100" value="{share * 100:.0f}" aria-label="Judgements"></progress>'
    return f'<div class="progress">{bar}<p>{escape(line)}</p></div>{table}'


def _gold_score(one: PersonProgress) -> str:
    if not one.gold.judged:
        return "–"
    low, high = one.gold.interval
    return f"{one.gold.agreed} of {one.gold.judged} (95 % {low:.0%}–{high:.0%})"


def items(found: Sequence[Item], more: bool) -> str:
    if not found:
        return "<p class='hint'>No items.</p>"
    rows = "".join(
        "<tr>"
        f"<td><a href='./?{LINK}={escape(one.answer_id)}' target='_blank' rel='noopener'>"
        f"{escape(one.source) or 'an answer'}</a></td>"
        f"<td>{escape(_short(one.question))}</td><td>{escape(_short(one.text))}</td>"
        f"<td>{one.judged:,}</td><td>{escape(str(one.gold)) if one.gold else '–'}</td></tr>"
        for one in found
    )
    note = "<p class='hint'>There are more: search for words of their name, question or answer.</p>"
    head = _head(("Item", "Question", "Answer", "Judged", "Gold"))
    return f'<table class="numbers">{head}<tbody>{rows}</tbody></table>{note if more else ""}'


def item_label(one: Item) -> str:
    """In the list of items to choose from."""
    gold = " [gold]" if one.gold else ""
    return f"{one.source or one.answer_id[:8]}: {_short(one.question)}{gold}"


def marked(gold: Gold | None) -> str:
    return messages.saved(f"Gold: {gold}" if gold else "Not gold any more")


def added(found: Added) -> str:
    there = f"; {found.known:,} were there already" if found.known else ""
    return messages.saved(f"{messages.counted(found.added, 'clip')} to ask about{there}")


def importing(state: ImportState, now: Progress | None, failures: Sequence[WaitingItem]) -> str:
    """How far the import is, of all projects; what waits and what failed in the one that was chosen."""
    parts = []
    if state.running:
        left = f", about {_duration(state.seconds_left)} left" if state.seconds_left is not None else ""
        of = state.done + state.left
        parts.append(
            messages.working(
                f"{state.source or 'Starting'}: {state.done} of {of} done{left}", state.done / max(of, 1)
            )
        )
    elif state.elsewhere:
        parts.append(messages.status(ELSEWHERE if state.due else ENDING))
    elif state.ended:
        parts.append(messages.fault(state.ended))
    if now and now.waiting and not state.running:
        parts.append(messages.status(f"{messages.counted(now.waiting, 'clip')} not asked about yet."))
    if now and now.failed:
        rows = [(item.source, item.error or "") for item in failures]
        parts.append(f"<p class='hint'>{messages.counted(now.failed, 'clip')} could not be asked about:</p>")
        parts.append(_table(("Clip", "Why"), rows))
    return "".join(parts)


def _list(names: Sequence[str]) -> str:
    return ", ".join(name or "an id" for name in names) or "nobody"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHORT else f"{words[: SHORT - 1].rstrip()}…"


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def _head(names: Sequence[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="numbers">{_head(head)}<tbody>{body}</tbody></table>'
