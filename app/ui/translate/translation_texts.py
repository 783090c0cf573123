"""What is said of a translated document: how far it is, how long it takes, what there is of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.visible import visible_name
from app.features.translation.result import TranslationWish
from app.features.translation.stored import BLOCKS, StoredTranslation, TranslationEstimate
from app.language.names import language
from app.ui.shell.i18n import tr

SECONDS_A_MINUTE = 60


def left_words(seconds: float) -> str:
    """Such as "about 3 min left"."""
    minutes = round(seconds / SECONDS_A_MINUTE)
    if seconds < 45:
        return tr("less than a minute left")
    if minutes < 55:
        return tr("about {count} min left", count=max(1, minutes))
    hours = f"{round(minutes / 30) / 2:.1f}".removesuffix(".0")
    return tr("about {count} h left", count=hours)


def time_words(seconds: float) -> str:
    """The same of work that was not begun: "about 3 minutes"."""
    minutes = round(seconds / SECONDS_A_MINUTE)
    if seconds < 45:
        return tr("less than a minute")
    if minutes <= 1:
        return tr("about a minute")
    if minutes < 55:
        return tr("about {count} minutes", count=minutes)
    hours = f"{round(minutes / 30) / 2:.1f}".removesuffix(".0")
    return tr("about an hour") if hours == "1" else tr("about {count} hours", count=hours)


def work_words(stored: StoredTranslation, done: int, segments: int, rests: str, left_s: float | None) -> str:
    """How far one is that waits or is at work: "132 of 206 · about 3 min left"."""
    if stored.state == "queued":
        return tr("Waits for its turn")
    where = tr("{done} of {all}", done=f"{done:,}", all=f"{segments:,}") if segments else tr("Begins")
    if rests:
        return f"{where} · {tr('paused while you chat') if rests == 'interactive' else tr('waits for memory')}"
    return where if left_s is None else f"{where} · {left_words(left_s)}"


def done_words(stored: StoredTranslation) -> str:
    """What there is of one that is done: "206 segments · 12 from memory · 1 to look at"."""
    words = [segments_words(stored.segments)]
    if stored.reused:
        words.append(tr("{count} from memory", count=f"{stored.reused:,}"))
    if stored.flagged:
        words.append(tr("{count} to look at", count=f"{stored.flagged:,}"))
    return " · ".join(words)


def stopped_words(stored: StoredTranslation) -> str:
    """How much of one there is that was stopped or failed."""
    return tr("{done} of {all} segments are translated.", done=f"{stored.done:,}", all=f"{stored.segments:,}")


def draft_words(drafts: Sequence[StoredTranslation], estimate: TranslationEstimate | None) -> str:
    """What is to be done: "206 segments · 12 known · about 3 minutes on this computer"."""
    words = [tr("{count} documents", count=len(drafts))] if len(drafts) > 1 else []
    words.append(segments_words(sum(one.segments for one in drafts)))
    if estimate is not None:
        if estimate.known:
            words.append(tr("{count} known from memory", count=f"{estimate.known:,}"))
        if estimate.seconds is not None:
            words.append(tr("{time} on this computer", time=time_words(estimate.seconds)))
    return " · ".join(words)


def layout_words(stored: StoredTranslation) -> str:
    """What is not kept of one that comes back as another kind of file; "" where all is."""
    if stored.format != BLOCKS:
        return ""
    kind = stored.name.rpartition(".")[2].upper()
    return tr(
        "{kind} cannot be written back: a new document is made with its headings, lists and pages, but not its layout.",
        kind=kind,
    )


def title_of(stored: StoredTranslation) -> str:
    """The file's name, unless it was given another title."""
    name = visible_name(stored.name)
    return name if name.rpartition(".")[0] == stored.title else stored.title


def segments_words(count: int) -> str:
    """How many."""
    return tr("1 segment") if count == 1 else tr("{count} segments", count=f"{count:,}")


def name_of(code: str) -> str:
    """What a language calls itself; its code where it is not known."""
    found = language(code) if code else None
    return found.own if found is not None else code


def is_rtl(code: str) -> bool | None:
    """Whether a language's text runs to the left; None where the language is not known."""
    found = language(code) if code else None
    return found.is_rtl if found is not None else None


def without_terms(wish: TranslationWish) -> TranslationWish:
    """What is chosen in the bar: all but the glossary."""
    return replace(wish, glossary=())
