"""A segment as a model sees it, `<g1>…</g1>` and `<x2/>` for its marks, and what came back as a content again.

What must stay in the text itself (see `protecting`) becomes further marks behind the segment's own, so that a model
cannot change it; tags of one element become a pair, so that they cannot change places. Marks and white space around
the words are not shown at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of, marks, nests, plain
from app.features.translation.protecting import Span, spans

PROTECTED = "protected"
"""The look of a mark that stands for text; its `shows` is the text."""
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Shown:
    """A content with its protected text behind marks: `before` and `after` are kept back, `core` is what is shown.

    `ordered` are the numbers of marks that must keep their order.
    """

    before: Content
    core: Content
    after: Content
    ordered: tuple[int, ...] = ()
    kind: SegmentKind = SegmentKind.PARAGRAPH

    @cached_property
    def text(self) -> str:
        """As a model sees it."""
        return to_text(self.core)

    @cached_property
    def words(self) -> str:
        """The text without marks and what they protect."""
        return plain(self.core)

    @property
    def protected(self) -> list[str]:
        """What stands behind the marks of protected text, in its order."""
        return [mark.shows for mark in marks(self.core) if mark.look == PROTECTED]

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        return _LETTER.search(self.words) is not None

    @property
    def has_marks(self) -> bool:
        """Whether a model has to keep any."""
        return bool(marks(self.core))

    def whole(self, core: Content) -> Content:
        """A translated core with what was kept back, and the protected text in its place."""
        return restored((*self.before, *core, *self.after))

    def order_is_kept(self, core: Content) -> bool:
        """Whether the marks whose order matters are in it."""
        found = [mark.number for mark in marks(core) if mark.number in set(self.ordered) and mark.role == "single"]
        return found == [number for number in self.ordered if number in set(found)]


def shown(segment: Segment) -> Shown:
    """A segment as a model is to see it."""
    return shown_content(segment.content, segment.kind)


def shown_content(content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH) -> Shown:
    """The same of a content by itself."""
    guarded, ordered = _guarded(content, kind)
    before, core, after = trimmed(guarded)
    return Shown(before, core, after, ordered, kind)


def to_text(content: Content) -> str:
    """Marks as tags."""
    return "".join(part if isinstance(part, str) else tag_of(part) for part in content)


def tag_of(mark: Mark) -> str:
    """`<g1>`, `</g1>` or `<x2/>`."""
    if mark.role == "single":
        return f"<x{mark.number}/>"
    return f"<g{mark.number}>" if mark.role == "open" else f"</g{mark.number}>"


def restored(parts: Iterable[str | Mark]) -> Content:
    """The protected text in place of its marks."""
    return content_of([part.shows if isinstance(part, Mark) and part.look == PROTECTED else part for part in parts])


def same_marks(one: Content, other: Content) -> bool:
    """Whether both have the same marks, and those of the first are nested."""
    return Counter(mark.key for mark in marks(one)) == Counter(mark.key for mark in marks(other)) and nests(one)


# What must stay becomes marks.


@dataclass
class _Piece:
    """A stretch of text, one of the segment's marks, or something protected with its number and role."""

    text: str = ""
    mark: Mark | None = None
    span: Span | None = None
    role: str = "single"
    number: int = 0


def _guarded(content: Content, kind: SegmentKind) -> tuple[Content, tuple[int, ...]]:
    pieces = [piece for part in content for piece in _pieces(part, kind)]
    _pair(pieces)
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


def _pieces(part: str | Mark, kind: SegmentKind) -> list[_Piece]:
    if isinstance(part, Mark):
        return [_Piece(mark=part)]
    pieces: list[_Piece] = []
    at = 0
    for span in spans(part, kind):
        if span.start > at:
            pieces.append(_Piece(part[at : span.start]))
        pieces.append(_Piece(part[span.start : span.end], span=span))
        at = span.end
    return [*pieces, _Piece(part[at:])] if at < len(part) else pieces


def _pair(pieces: Sequence[_Piece]) -> None:
    """Makes pairs of the tags in the text that enclose something, in step with the segment's own marks."""
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


# What stands around the words is kept back.


def trimmed(content: Content) -> tuple[Content, Content, Content]:
    """What comes before the words, the part with the words, and what comes behind; the middle is nested by itself."""
    parts = list(content)
    before: list[str | Mark] = []
    after: list[str | Mark] = []
    while parts:
        if _moves_alone(parts[0]):
            before.append(parts.pop(0))
        elif _moves_alone(parts[-1]):
            after.insert(0, parts.pop())
        elif _is_pair(parts[0], parts[-1]):
            before.append(parts.pop(0))
            after.insert(0, parts.pop())
        elif _is_pair(parts[0], parts[1] if len(parts) > 1 else ""):
            before += (parts.pop(0), parts.pop(0))
        elif _is_pair(parts[-2] if len(parts) > 1 else "", parts[-1]):
            after[:0] = (parts.pop(-2), parts.pop())
        elif not _moves_space(parts, before, after):
            break
    return content_of(before), content_of(parts), content_of(after)


def _moves_alone(part: str | Mark) -> bool:
    if isinstance(part, str):
        return not part.strip()
    return part.role == "single" and part.look != PROTECTED


def _is_pair(first: str | Mark, last: str | Mark) -> bool:
    if isinstance(first, str) or isinstance(last, str):
        return False
    return first.role == "open" and last.role == "close" and first.number == last.number


def _moves_space(parts: list[str | Mark], before: list[str | Mark], after: list[str | Mark]) -> bool:
    """Takes the white space off the text at both ends; False where there is none."""
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
