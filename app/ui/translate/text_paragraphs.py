"""A typed text as it is shown translated: its paragraphs, what is there of each, what stays from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.documents.segments import Content, Mark, Segment
from app.features.translation.result import FlagKind, Origin, Translated
from app.ui.chat.answering import whole_words
from app.ui.translate.flag_remedies import with_term
from app.ui.translate.flag_texts import Remedy, told
from app.ui.translate.text_target import Paragraph

REMEDIES = (Remedy.AGAIN, Remedy.USE_TERM, Remedy.KEEP)
"""What can be done where nothing is edited in place."""


class TextParagraphs:
    """`known` holds what was translated with this wish, by what it translates: it is not asked again."""

    def __init__(self) -> None:
        self.known: dict[Content, Translated] = {}
        self._segments: tuple[Segment, ...] = ()
        self._gaps: tuple[int, ...] = ()
        self._translated: dict[int, Translated] = {}
        self._growing: dict[int, str] = {}
        self._language = ""
        self.is_apart = False
        """Whether these are the paragraphs of a stored translation, which do not match those of its source."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those of the text that is shown."""
        return self._segments

    @property
    def is_complete(self) -> bool:
        """Whether every paragraph is there."""
        return bool(self._segments) and all(one.id in self._translated for one in self._segments)

    @property
    def contents(self) -> dict[int, Content]:
        """What is there, by the segments' ids."""
        return {number: one.content for number, one in self._translated.items()}

    def begin(
        self,
        text: str,
        segments: Sequence[Segment],
        done: Mapping[int, Translated],
        language: str,
        *,
        is_apart: bool = False,
    ) -> None:
        """Another text. `language` is the target's name."""
        self.is_apart = is_apart
        self._segments, self._translated, self._growing = tuple(segments), dict(done), {}
        self._gaps = gaps_of(text, segments)
        self._language = language

    def clear(self) -> None:
        """No text."""
        self._segments, self._translated, self._growing = (), {}, {}

    def grow(self, number: int, text: str) -> bool:
        """More of one; whether there is more to be seen, which are whole words."""
        seen = text[: whole_words(text)]
        if number in self._translated or seen == self._growing.get(number, ""):
            return False
        self._growing[number] = seen
        return True

    def take(self, translated: Translated) -> None:
        """One is done, or is another now."""
        self._translated[translated.id] = translated
        self._growing.pop(translated.id, None)
        segment = self.segment(translated.id)
        if segment is not None and translated.origin is not Origin.KEPT:
            self.known[segment.content] = translated

    def segment(self, number: int) -> Segment | None:
        """A paragraph of the source."""
        return next((one for one in self._segments if one.id == number), None)

    def translated(self, number: int) -> Translated | None:
        """What became of it."""
        return self._translated.get(number)

    def accept(self, number: int) -> None:
        """A person said that it is good."""
        known = self._translated.get(number)
        if known is not None:
            self.take(replace(known, accepted=True))

    def forget(self, number: int) -> None:
        """It is to be translated again."""
        segment = self.segment(number)
        self._translated.pop(number, None)
        if segment is not None:
            self.known.pop(segment.content, None)

    def use_term(self, number: int, wanted: str) -> bool:
        """Puts the glossary's term into it; False where it is not clear which words it takes the place of."""
        known = self._translated.get(number)
        content = with_term(known.content, wanted) if known is not None else None
        if known is None or content is None:
            return False
        flags = tuple(flag for flag in known.flags if flag.kind is not FlagKind.GLOSSARY or flag.wanted != wanted)
        self.take(replace(known, content=content, origin=Origin.EDITED, flags=flags))
        return True

    def reword(self, number: int, text: str) -> None:
        """A person chose other words for it."""
        known = self._translated.get(number)
        if known is not None:
            self.take(replace(known, content=(text,), origin=Origin.EDITED, flags=(), accepted=True))

    def shown(self) -> list[Paragraph]:
        """All of them as the pane shows them."""
        return [self.paragraph(place) for place in range(len(self._segments))]

    def shown_one(self, number: int) -> Paragraph | None:
        """One of them."""
        place = next((place for place, one in enumerate(self._segments) if one.id == number), None)
        return None if place is None else self.paragraph(place)

    def paragraph(self, place: int) -> Paragraph:
        """The one at a place."""
        segment, gap = self._segments[place], self._gaps[place]
        translated = self._translated.get(segment.id)
        if translated is None:
            return Paragraph(segment.id, gap, self._growing.get(segment.id, ""))
        flags = [
            (each.reason, [(f"{remedy.value}.{n}", words) for remedy, words in each.remedies if remedy in REMEDIES])
            for n, each in enumerate(told(segment, translated, self._language))
        ]
        return Paragraph(segment.id, gap, words_of(translated.content), True, flags)


def words_of(content: Content) -> str:
    """A content as it is read: what marks stand for is among its words."""
    return "".join(part.shows if isinstance(part, Mark) else part for part in content)


def gaps_of(text: str, segments: Sequence[Segment]) -> tuple[int, ...]:
    """How many line breaks stand before each segment in its text."""
    gaps, end = [], 0
    for segment in segments:
        words = words_of(segment.content)
        place = text.find(words, end)
        gaps.append(text.count("\n", end, place) if place >= 0 else 1)
        end = place + len(words) if place >= 0 else end
    return tuple(gaps)
