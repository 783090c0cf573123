"""Paragraphs of a typed text and their translations: grown, finished, accepted, put in other words; immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.lazy_dataclasses import dataclass, field, replace
from app.documents.segments import Segment, plain
from app.features.translate.translation_events import Translated
from app.language.sentences import written_words


@dataclass(frozen=True)
class TextParagraphs:
    """Results for `source`; the user may have typed more since. `gaps` counts the line breaks before each."""

    source: str = ""
    segments: tuple[Segment, ...] = ()
    gaps: tuple[int, ...] = ()
    translated: Mapping[int, Translated] = field(default_factory=dict)
    growing: Mapping[int, str] = field(default_factory=dict)
    is_apart: bool = False
    """True for stored paragraphs that don't match those of the source one to one."""

    @property
    def is_complete(self) -> bool:
        return bool(self.segments) and all(segment.id in self.translated for segment in self.segments)

    @property
    def text(self) -> str:
        """The translation, with the source's white space between paragraphs."""
        from app.features.translate.live import join_paragraphs  # brings the pipeline along

        contents = {number: translated.content for number, translated in self.translated.items()}
        if self.is_complete and not self.is_apart:
            return join_paragraphs(self.source, contents)
        return "\n\n".join(plain(content) for _, content in sorted(contents.items()))

    def segment(self, number: int) -> Segment | None:
        """Return a paragraph of the source by its id."""
        return next((segment for segment in self.segments if segment.id == number), None)

    def grow(self, number: int, text: str) -> TextParagraphs:
        """Extend a paragraph being written, by whole words: half a word would change under the reader's eyes."""
        seen = text[: written_words(text)]
        if number in self.translated or seen == self.growing.get(number, ""):
            return self
        return replace(self, growing={**self.growing, number: seen})

    def with_translated(self, translated: Translated) -> TextParagraphs:
        growing = {number: text for number, text in self.growing.items() if number != translated.id}
        return replace(self, translated={**self.translated, translated.id: translated}, growing=growing)

    def without(self, number: int) -> TextParagraphs:
        kept = {other: translated for other, translated in self.translated.items() if other != number}
        return replace(self, translated=kept)


def begin_paragraphs(source: str, segments: Sequence[Segment], translated: Mapping[int, Translated]) -> TextParagraphs:
    return TextParagraphs(source, tuple(segments), gaps_of(source, segments), dict(translated))


def stored_paragraphs(source: str, target: str) -> TextParagraphs:
    """Return the paragraphs of a stored text; those of a target that doesn't match are shown as they are."""
    from app.features.translate.live import segments_of  # imported only after a translation
    from app.features.translate.translation_events import TranslationSource

    segments, others = segments_of(source), segments_of(target)
    is_apart = len(segments) != len(others)
    shown = others if is_apart else segments
    done = {
        segment.id: Translated(segment.id, other.content, TranslationSource.MEMORY)
        for segment, other in zip(shown, others, strict=True)
    }
    gaps = gaps_of(target if is_apart else source, shown)
    return TextParagraphs(source, tuple(shown), gaps, done, is_apart=is_apart)


def gaps_of(text: str, segments: Sequence[Segment]) -> tuple[int, ...]:
    """Return the number of line breaks before each segment."""
    gaps, end = [], 0
    for segment in segments:
        words = plain(segment.content)
        place = text.find(words, end)
        gaps.append(text.count("\n", end, place) if place >= 0 else 1)
        end = place + len(words) if place >= 0 else end
    return tuple(gaps)
