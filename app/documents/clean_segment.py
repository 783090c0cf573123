"""Takes out of a segment what no reader of a page can see, and fits a translation to the segment it is of."""

from __future__ import annotations

import dataclasses
import re

from app.documents.clean import clean_text
from app.documents.segments import Content, Mark, Segment, content_of, marks, nests

MOST_CONTEXT_CHARACTERS = 2000
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_segment(segment: Segment) -> Segment:
    """A segment without hidden characters, see `clean_text`; its context is cut where it is long."""
    return dataclasses.replace(
        segment,
        content=_clean(segment.content),
        context=clean_text(segment.context)[:MOST_CONTEXT_CHARACTERS],
        translated=_clean(segment.translated),
    )


def _clean(content: Content) -> Content:
    return content_of(
        [
            clean_text(part) if isinstance(part, str) else dataclasses.replace(part, shows=clean_text(part.shows))
            for part in content
        ]
    )


def length_of(segment: Segment) -> int:
    """Its characters, with those that its marks show."""
    return sum(len(part) if isinstance(part, str) else len(part.shows) + 1 for part in segment.content)


def fit(translation: Content, source: Content) -> Content | None:
    """The translation with the source's own marks, and with characters that any text may have.

    None where it has other marks than the source, or they do not nest.
    """
    own = {mark.key: mark for mark in marks(source)}
    keys = [mark.key for mark in marks(translation)]
    if len(keys) != len(own) or set(keys) != own.keys() or not nests(translation):
        return None
    return content_of([own[part.key] if isinstance(part, Mark) else _fit_text(part) for part in translation])


def _fit_text(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _NO_TEXT.sub("", text))
