"""Convert a segment to the form shown to a model, `<g1>…</g1>` and `<x2/>` for its marks, and back.

Text that must not change (see `find_spans`) becomes further marks numbered after the segment's own, so that a model
can't change it; tags of one element become a pair, so that they can't be swapped. Marks and white space around the
words aren't shown at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from app.core.lazy_dataclasses import dataclass
from app.documents.segments import (
    GENERATED_DESCRIPTIONS,
    Content,
    Mark,
    Segment,
    SegmentKind,
    content_of,
    marks,
    nests,
    plain,
)
from app.features.translate.protected_spans import ProtectedSpan, find_placeholders, find_spans

PROTECTED = "protected"
"""Look of a mark that stands for text; its `shows` is the text."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class ShownContent:
    """Content with protected text replaced by marks:

    `before` and `after` are held back, `core` is shown to the model. Marks in `ordered` must keep their order.
    """

    before: Content
    core: Content
    after: Content
    ordered: tuple[int, ...] = ()
    kind: SegmentKind = SegmentKind.PARAGRAPH

    @cached_property
    def text(self) -> str:
        return to_text(self.core)

    @cached_property
    def words(self) -> str:
        """The text without marks and what they protect."""
        return plain(self.core)

    @property
    def protected(self) -> list[str]:
        return [mark.shows for mark in marks(self.core) if mark.look == PROTECTED]

    @property
    def has_words(self) -> bool:
        # Descriptions that a library writes are no words of the document.
        return _LETTER.search(self.words) is not None and self.words not in GENERATED_DESCRIPTIONS

    def restore_whole(self, core: Content) -> Content:
        """Restore a translated core: ends that were held back, and protected text."""
        return restore_protected((*self.before, *core, *self.after))

    def order_is_kept(self, core: Content) -> bool:
        found = [mark.number for mark in marks(core) if mark.number in set(self.ordered) and mark.role == "single"]
        return found == [number for number in self.ordered if number in set(found)]


def show_segment(segment: Segment) -> ShownContent:
    return shown_content(segment.content, segment.kind)


def shown_content(content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH) -> ShownContent:
    guarded, ordered = _guard_content(content, kind)
    before, core, after = trim_content(guarded)
    return ShownContent(before, core, after, ordered, kind)


def to_text(content: Content) -> str:
    return "".join(part if isinstance(part, str) else tag_of(part) for part in content)


def tag_of(mark: Mark) -> str:
    """Return the mark's tag: `<g1>`, `</g1>` or `<x2/>`."""
    if mark.role == "single":
        return f"<x{mark.number}/>"
    return f"<g{mark.number}>" if mark.role == "open" else f"</g{mark.number}>"


def restore_protected(parts: Iterable[str | Mark]) -> Content:
    """Replace marks of protected text by that text."""
    return content_of([part.shows if isinstance(part, Mark) and part.look == PROTECTED else part for part in parts])


def same_marks(one: Content, other: Content) -> bool:
    """Return whether both have the same marks, and the first's are nested."""
    return Counter(mark.key for mark in marks(one)) == Counter(mark.key for mark in marks(other)) and nests(one)


@dataclass
class _MarkedPiece:
    """A stretch of text, one of the segment's marks, or something protected with its number and role."""

    text: str = ""
    mark: Mark | None = None
    span: ProtectedSpan | None = None
    role: str = "single"
    number: int = 0


def _guard_content(content: Content, kind: SegmentKind) -> tuple[Content, tuple[int, ...]]:
    pieces = [piece for part in content for piece in _split_pieces(part, kind)]
    # Opening and closing tags become one pair, so that a model can't swap them.
    _pair_tags(pieces)
    # Behind the segment's own numbers, which the file's rewriter knows.
    next_number = max((mark.number for mark in marks(content)), default=0) + 1
    ordered: list[int] = []
    parts: list[str | Mark] = []
    numbers: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        if piece.span is None:
            parts.append(piece.mark or piece.text)
            continue
        if piece.role == "close":
            number = numbers[piece.number]
        else:
            number, next_number = next_number, next_number + 1
            numbers[place] = number
        if piece.span.is_ordered:
            ordered.append(number)
        role = piece.role
        assert role in ("open", "close", "single")
        parts.append(Mark(role, number, PROTECTED, piece.text))  # type: ignore[arg-type]
    return content_of(parts), tuple(ordered)


def _split_pieces(part: str | Mark, kind: SegmentKind) -> list[_MarkedPiece]:
    if isinstance(part, Mark):
        return [_MarkedPiece(mark=part)]
    pieces: list[_MarkedPiece] = []
    at = 0
    for span in find_spans(part, kind):
        if span.start > at:
            pieces.append(_MarkedPiece(part[at : span.start]))
        pieces.append(_MarkedPiece(part[span.start : span.end], span=span))
        at = span.end
    return [*pieces, _MarkedPiece(part[at:])] if at < len(part) else pieces


def _pair_tags(pieces: Sequence[_MarkedPiece]) -> None:
    """Pair the text's tags that enclose something, in step with the segment's own marks."""
    waiting: list[int] = []
    for place, piece in enumerate(pieces):
        tag = piece.span.tag if piece.span else ""
        if piece.mark is not None and piece.mark.role == "open":
            waiting.append(place)
        elif piece.mark is not None and piece.mark.role == "close":
            while waiting and pieces[waiting.pop()].mark is None:  # a tag that is not closed in here
                continue
        elif tag.startswith("/"):
            opened = pieces[waiting[-1]] if waiting else None
            if opened is not None and opened.span is not None and opened.span.tag == tag[1:]:
                opened.role, piece.role, piece.number = "open", "close", waiting.pop()
        elif tag:
            waiting.append(place)


def trim_content(content: Content) -> tuple[Content, Content, Content]:
    """Split into what precedes the words, the words, and what follows; the middle is properly nested."""
    parts = list(content)
    before: list[str | Mark] = []
    after: list[str | Mark] = []
    # Marks at the ends can't be misplaced when they aren't shown.
    while parts:
        if _moves_alone(parts[0]):
            before.append(parts.pop(0))
        elif _moves_alone(parts[-1]):
            after.insert(0, parts.pop())
        # A pair around all of it, such as a link that is the whole paragraph.
        elif _is_pair(parts[0], parts[-1]):
            before.append(parts.pop(0))
            after.insert(0, parts.pop())
        # An empty pair at an end, such as a bookmark.
        elif _is_pair(parts[0], parts[1] if len(parts) > 1 else ""):
            before += (parts.pop(0), parts.pop(0))
        elif _is_pair(parts[-2] if len(parts) > 1 else "", parts[-1]):
            after[:0] = (parts.pop(-2), parts.pop())
        elif not _moves_space(parts, before, after):
            break
    return content_of(before), content_of(parts), content_of(after)


def _moves_alone(part: str | Mark) -> bool:
    return not part.strip() if isinstance(part, str) else part.role == "single" and part.look != PROTECTED


def _is_pair(first: str | Mark, last: str | Mark) -> bool:
    # Pairs of the same number only: "<g1>a</g1> <g2>b</g2>" isn't a pair around everything.
    if isinstance(first, str) or isinstance(last, str):
        return False
    return first.role == "open" and last.role == "close" and first.number == last.number


def _moves_space(parts: list[str | Mark], before: list[str | Mark], after: list[str | Mark]) -> bool:
    """Move white space off both ends of the text; False if there is none."""
    moved = False
    if isinstance(parts[0], str) and (core := parts[0].lstrip()) != parts[0]:
        before.append(parts[0][: len(parts[0]) - len(core)])
        parts[0] = core
        moved = True
    if isinstance(parts[-1], str) and (core := parts[-1].rstrip()) != parts[-1]:
        after.insert(0, parts[-1][len(core) :])
        parts[-1] = core
        moved = True
    return moved


def marked_text(content: Content) -> str:
    """Return the text for editing: marks as the text they stand for, else as tags; line breaks as such."""
    return "".join(part if isinstance(part, str) else _mark_tag(part) for part in content)


def shown_text(content: Content) -> str:
    """Return the text for reading: no tags, marks as the text they stand for, line breaks as such."""
    return "".join(part if isinstance(part, str) else "\n" if part.look == "break" else part.shows for part in content)


def _mark_tag(mark: Mark) -> str:
    if mark.role == "open":
        return f"<g{mark.number}>"
    if mark.role == "close":
        return f"</g{mark.number}>"
    if mark.look == "break":
        return "\n"
    return mark.shows or f"<x{mark.number}/>"


_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")


def adopt_marks(source: ShownContent, found: Content) -> tuple[Content, tuple[str, ...]]:
    """Turn the text of missing marks back into those marks; also return what was removed.

    Placeholders that the source lacks (or has fewer of) are removed, because a program would fill them.
    """
    # A model that wrote out `{name}` where it was shown `<x2/>` meant that mark.
    there = {mark.key for mark in marks(found)}
    missing = [
        mark
        for mark in marks(source.core)
        if mark.look == PROTECTED and mark.role == "single" and mark.key not in there
    ]
    parts: list[str | Mark] = []
    for part in found:
        parts += _with_marks(part, missing) if isinstance(part, str) else [part]
    invented: list[str] = []
    cleaned = [_without_invented(part, source, invented) if isinstance(part, str) else part for part in parts]
    return content_of(cleaned), tuple(invented)


def _with_marks(text: str, missing: list[Mark]) -> list[str | Mark]:
    """Replace the text of marks by the marks, each once; removes them from `missing`."""
    # The leftmost first: parts behind it are looked at again.
    hits = sorted((text.find(mark.shows), number) for number, mark in enumerate(missing) if mark.shows in text)
    if not hits:
        return [text]
    at, number = hits[0]
    mark = missing.pop(number)
    return [text[:at], mark, *_with_marks(text[at + len(mark.shows) :], missing)]


def _without_invented(text: str, source: ShownContent, invented: list[str]) -> str:
    found: Sequence[str] = [
        placeholder for placeholder in find_placeholders(text, source.kind) if placeholder not in source.words
    ]
    # A program would fill them, or fail on them.
    for key in dict.fromkeys(found):
        invented.append(key)
        text = _SPACES.sub(" ", text.replace(key, ""))
    return text
