"""The words in the labels of lists: "Chapter %1", "Article %1."."""

from __future__ import annotations

import re

from app.documents.formats.office.parts import Part
from app.documents.formats.office.text import without_forbidden
from app.documents.formats.word.styles import VAL, W
from app.documents.segments import Content, Mark, SegmentKind, content_of, marks
from app.documents.visits import Ask, Once

_NUMBER = re.compile("(%[1-9])")
_WORD = re.compile(r"[^\W\d_]{2}")


def list_labels(part: Part, used: set[str], ask: Ask) -> None:
    """The labels of those lists that a document uses; `used` are the ids of their numberings."""
    lists = {each.get(f"{W}abstractNumId"): each for each in part.root.iter(f"{W}abstractNum")}
    once = Once(ask)
    for numbering in part.root.iter(f"{W}num"):
        if numbering.get(f"{W}numId", "") not in used:
            continue
        named = numbering.find(f"{W}abstractNumId")
        defined = lists.get(named.get(VAL)) if named is not None else None
        for holder in (defined, numbering):
            for level in holder.iter(f"{W}lvl") if holder is not None else ():
                _label(part, level, once)


def _label(part: Part, level: object, ask: Ask) -> None:
    format_, text = level.find(f"{W}numFmt"), level.find(f"{W}lvlText")  # type: ignore[attr-defined]
    said = text.get(VAL, "") if text is not None else ""
    if not _WORD.search(_NUMBER.sub(" ", said)) or (format_ is not None and format_.get(VAL) == "bullet"):
        return
    content = _content(said)
    given = ask(content, SegmentKind.LABEL)
    if given is not None:
        text.set(VAL, _text(content, given))
        part.is_changed = True


def _content(said: str) -> Content:
    parts = [part for part in _NUMBER.split(said) if part]
    numbered = (
        (Mark("single", index, "field", part) if part[0] == "%" else part) for index, part in enumerate(parts, 1)
    )
    return content_of(list(numbered))


def _text(content: Content, given: Content) -> str:
    """The label again; a number that is missing comes at its end."""
    shown = {mark.number: mark.shows for mark in marks(content)}
    text = ""
    for part in given:
        text += without_forbidden(part) if isinstance(part, str) else shown.pop(part.number, "")
    return text + "".join(f" {each}" for each in shown.values())
