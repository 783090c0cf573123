"""What a flag says in words, and the two things that can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.documents.segments import Segment
from app.features.translation.problems import reason_of
from app.features.translation.result import Flag, FlagKind, Origin, Translated
from app.ui.shell.i18n import tr


class Remedy(Enum):
    """What can be done about a flag."""

    USE_TERM = "use_term"
    AGAIN = "again"
    EDIT = "edit"
    KEEP = "keep"
    """It is good as it is."""


BY_HAND = (FlagKind.FORMATTING, FlagKind.NUMBER, FlagKind.LEFTOVER)
"""What a person puts right faster than a model."""


@dataclass(frozen=True)
class Told:
    """A flag as it is shown: its reason, and the words of the two remedies."""

    flag: Flag
    reason: str
    remedies: tuple[tuple[Remedy, str], tuple[Remedy, str]]

    @property
    def spoken(self) -> str:
        """For screen readers."""
        return f"{self.reason} {self.remedies[0][1]} · {self.remedies[1][1]}"


def told(segment: Segment, translated: Translated | None, language: str) -> list[Told]:
    """The flags that nobody has accepted; `language` is the target's name."""
    if translated is None or translated.accepted:
        return []
    if translated.origin is Origin.KEPT:  # there is one thing to do about it, however many reasons there are
        words = [_reason(flag, segment, translated, language) for flag in translated.flags]
        return [_told(flag, " ".join(words)) for flag in translated.flags[:1]]
    return [_told(flag, _reason(flag, segment, translated, language)) for flag in translated.flags]


def _told(flag: Flag, reason: str) -> Told:
    keep = (Remedy.KEEP, tr("Keep the original") if flag.kind is FlagKind.UNTRANSLATED else tr("Keep"))
    if flag.kind is FlagKind.GLOSSARY:
        first = (Remedy.USE_TERM, tr("Use it"))
    elif flag.kind in BY_HAND:
        first = (Remedy.EDIT, tr("Edit"))
    else:
        first = (Remedy.AGAIN, tr("Try again"))
    return Told(flag, reason, (first, keep))


def _reason(flag: Flag, segment: Segment, translated: Translated, language: str) -> str:
    reason = reason_of(flag, segment, translated, language)
    return tr(reason.text, **reason.values)
