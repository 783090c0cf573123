"""Texts of the Translate tab: state of documents, flags and their remedies."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from app.core.counted_units import count_units
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import visible_name
from app.documents.segments import Segment
from app.features.translate.problems import reason_of
from app.features.translate.translation_events import (
    ADDING,
    BLOCKS,
    DRAFT,
    TYPED,
    Flag,
    FlagKind,
    SegmentDone,
    SegmentGrows,
    StoredTranslation,
    Translated,
    TranslationEstimate,
    TranslationEvent,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)
from app.features.work.asking import TaskRests
from app.features.work.queue import FAILED, PAUSED, QUEUED, RUNNING
from app.language.language_names import find_language
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_decimal, format_number, join_facts
from app.ui.shared_labels import (
    BEGINS_LABEL,
    EDIT_LABEL,
    FAILED_LABEL,
    KEEP_LABEL,
    STOPPED,
    TRY_AGAIN,
    USE_IT,
    WAITING,
    WAITS_LABEL,
)
from app.ui.work.doing import time_words
from app.ui.work.job_column import is_working
from app.ui.work.job_tab import rest_words

SEGMENTS_TRANSLATED = "{done} of {all} segments translated."

LAYOUT_NOT_KEPT = (
    "{kind} files can’t keep their layout. You get a new document with the same headings, lists and pages."
)

SEGMENT_COUNT = "{count} segments"
BEGINS = "Starting"
SEGMENTS_FROM_MEMORY = "{count} from memory"
SEGMENTS_TO_REVIEW = "{count} to review"
ONE_SEGMENT = "1 segment"
KNOWN_FROM_MEMORY = "{count} known from memory"
UNDER_A_MINUTE_LEFT = "less than a minute left"
NOT_BEGUN = "not started"

SECONDS_A_MINUTE = 60


def left_words(seconds: float) -> str:
    """Return the remaining time, such as "about 3 min left"."""
    minutes = round(seconds / SECONDS_A_MINUTE)
    if seconds < 45:
        return tr(UNDER_A_MINUTE_LEFT)
    if minutes < 55:
        return tr("about {count} min left", count=max(1, minutes))
    hours = format_decimal(round(minutes / 30) / 2, 1, is_trimmed=True)
    return tr("about {count} h left", count=hours)


def work_words(stored: StoredTranslation, done: int, segments: int, rests: str, left_s: float | None) -> str:
    """Return the progress of a queued or running translation: "132 of 206 · about 3 min left"."""
    if stored.state == "queued":
        return tr(WAITING)
    where = tr("{done} of {all}", done=format_number(done), all=format_number(segments)) if segments else tr(BEGINS)
    if rests:
        return f"{where} · {rest_words(rests)}"
    return where if left_s is None else f"{where} · {left_words(left_s)}"


def done_words(stored: StoredTranslation) -> str:
    """Return the result of a finished one: "206 segments · 12 from memory · 1 to look at"."""
    words = [segments_words(stored.segments)]
    if stored.reused:
        words.append(tr(SEGMENTS_FROM_MEMORY, count=format_number(stored.reused)))
    if stored.flagged:
        words.append(tr(SEGMENTS_TO_REVIEW, count=format_number(stored.flagged)))
    return join_facts(words)


def stopped_words(stored: StoredTranslation) -> str:
    """Return how much of a stopped or failed one is done."""
    return tr(SEGMENTS_TRANSLATED, done=format_number(stored.done), all=format_number(stored.segments))


def draft_words(drafts: Sequence[StoredTranslation], estimate: TranslationEstimate | None) -> str:
    """Return the work ahead: "206 segments · 12 known · about 3 minutes on this computer"."""
    words = [count_units("document", len(drafts))] if len(drafts) > 1 else []
    words.append(segments_words(sum(draft.segments for draft in drafts)))
    if estimate is not None:
        if estimate.known:
            words.append(tr(KNOWN_FROM_MEMORY, count=format_number(estimate.known)))
        if estimate.seconds is not None:
            where = "{time} on its server" if estimate.is_elsewhere else "{time} on this computer"
            words.append(tr(where, time=time_words(estimate.seconds)))
    return join_facts(words)


def layout_words(stored: StoredTranslation) -> str:
    """Return what layout is lost when the result is another file type; "" if none."""
    if stored.format != BLOCKS:
        return ""
    kind = stored.name.rpartition(".")[2].upper()
    return tr(LAYOUT_NOT_KEPT, kind=kind)


def title_of(stored: StoredTranslation) -> str:
    """Return the file's name, unless the translation was renamed."""
    name = visible_name(stored.name)
    return name if name.rpartition(".")[0] == stored.title else stored.title


def segments_words(count: int) -> str:
    return tr_count(ONE_SEGMENT, SEGMENT_COUNT, count)


def name_of(code: str) -> str:
    """Return a language's own name; its code if it is unknown."""
    found = find_language(code) if code else None
    return found.own if found is not None else code


def is_rtl(code: str) -> bool | None:
    """Return whether a language is written right to left; None if it is unknown."""
    found = find_language(code) if code else None
    return found.is_rtl if found is not None else None


def without_terms(wish: TranslationWish) -> TranslationWish:
    """Return options without glossary, as the bar shows them."""
    return replace(wish, glossary=())


class Remedy(Enum):
    """What a user can do about a flag; values are part of the links in `TargetView`."""

    USE_TERM = "use_term"
    AGAIN = "again"
    EDIT = "edit"
    KEEP = "keep"
    """Accept the translation as it is."""


BY_HAND = (
    FlagKind.FORMATTING, FlagKind.NUMBER, FlagKind.LEFTOVER, FlagKind.WORD, FlagKind.NEGATION, FlagKind.SEPARATORS,
    FlagKind.OPPOSITE
)  # fmt: skip
"""Flags that a user fixes faster than a model."""


@dataclass(frozen=True)
class ShownFlag:
    """A flag with its reason and the labels of two remedies."""

    flag: Flag
    reason: str
    remedies: tuple[tuple[Remedy, str], tuple[Remedy, str]]

    @property
    def spoken(self) -> str:
        """Reason and remedies in one line, for screen readers."""
        return f"{self.reason} {self.remedies[0][1]} · {self.remedies[1][1]}"


def shown_flags(segment: Segment, translated: Translated | None, language: str) -> list[ShownFlag]:
    """Return the flags not accepted yet; `language` is the target's name."""
    if translated is None or translated.accepted:
        return []
    if translated.origin is TranslationSource.KEPT:  # there is one remedy, however many reasons
        words = [_reason(flag, segment, translated, language) for flag in translated.flags]
        return [_shown_flag(flag, " ".join(words)) for flag in translated.flags[:1]]
    return [_shown_flag(flag, _reason(flag, segment, translated, language)) for flag in translated.flags]


def _shown_flag(flag: Flag, reason: str) -> ShownFlag:
    keep = (Remedy.KEEP, tr("Keep the original") if flag.kind is FlagKind.UNTRANSLATED else tr(KEEP_LABEL))
    if flag.kind is FlagKind.GLOSSARY:
        first = (Remedy.USE_TERM, tr(USE_IT))
    elif flag.kind in BY_HAND:
        first = (Remedy.EDIT, tr(EDIT_LABEL))
    else:
        first = (Remedy.AGAIN, tr(TRY_AGAIN))
    return ShownFlag(flag, reason, (first, keep))


def _reason(flag: Flag, segment: Segment, translated: Translated, language: str) -> str:
    return reason_of(flag, segment, translated, language).words


def note_of(translation: StoredTranslation) -> str:
    """Return the text after the title of an unfinished translation."""
    if translation.format == TYPED:
        return ""
    if translation.state == RUNNING and translation.segments:
        return tr("{done} of {all}", done=translation.done, all=translation.segments)
    words = {
        ADDING: tr("reading"), DRAFT: tr(NOT_BEGUN), RUNNING: tr(BEGINS_LABEL), QUEUED: tr(WAITS_LABEL),
        PAUSED: tr(STOPPED), FAILED: tr(FAILED_LABEL),
    }  # fmt: skip
    return words.get(translation.state, "")


def is_at_work(translation: StoredTranslation) -> bool:
    """Return whether a document is queued, running or waiting; never true for typed text."""
    return translation.format != TYPED and (is_working(translation) or translation.state in (ADDING, DRAFT))


class TranslationProgress:
    """Progress: `done` of `segments`; `growing` holds text in progress by segment; `rests` why it waits, or ""."""

    def __init__(self) -> None:
        self.segments = 0
        self.done = 0
        self.rests = ""
        self.growing: dict[int, str] = {}

    def take_event(self, event: TranslationEvent) -> None:
        if isinstance(event, TranslationPlanned):
            self.segments, self.done = event.segments, event.known
        elif isinstance(event, TaskRests):
            self.rests = event.reason
        elif isinstance(event, SegmentGrows):
            self.growing[event.id] = event.text
        elif isinstance(event, SegmentDone):
            self.growing.pop(event.translated.id, None)
            self.done, self.segments = event.done, event.segments
