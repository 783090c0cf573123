"""What a flag says in words, and the two things that can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.documents.segments import Segment, plain
from app.features.translation.result import Flag, FlagKind, Translated
from app.ui.i18n import tr


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
    return [_told(flag, segment, translated, language) for flag in translated.flags]


def _told(flag: Flag, segment: Segment, translated: Translated, language: str) -> Told:
    keep = (Remedy.KEEP, tr("Keep the original") if flag.kind is FlagKind.UNTRANSLATED else tr("Keep"))
    if flag.kind is FlagKind.GLOSSARY:
        first = (Remedy.USE_TERM, tr("Use it"))
    elif flag.kind in BY_HAND:
        first = (Remedy.EDIT, tr("Edit"))
    else:
        first = (Remedy.AGAIN, tr("Try again"))
    return Told(flag, _reason(flag, segment, translated, language), (first, keep))


def _reason(flag: Flag, segment: Segment, translated: Translated, language: str) -> str:
    is_missing = flag.said in segment.text
    is_short = len(plain(translated.content)) < len(segment.text)
    reasons = {
        FlagKind.UNTRANSLATED: tr("This could not be translated."),
        FlagKind.FORMATTING: tr("Bold, links and the like were put back by their place."),
        FlagKind.GLOSSARY: tr("Glossary says “{term}”.", term=flag.wanted),
        FlagKind.NUMBER: tr("“{number}” is missing.", number=flag.said)
        if is_missing
        else tr("“{number}” is not in the original.", number=flag.said),
        FlagKind.LENGTH: tr("Much shorter than the original.") if is_short else tr("Much longer than the original."),
        FlagKind.LANGUAGE: tr("This does not look like {language}.", language=language),
        FlagKind.SAME: tr("The same as the original."),
        FlagKind.LOOP: tr("The same words come again and again."),
        FlagKind.LEFTOVER: tr("“{words}” was not translated.", words=flag.said),
    }
    return reasons[flag.kind]
