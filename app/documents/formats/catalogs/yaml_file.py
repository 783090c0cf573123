"""YAML: its strings that are language; keys, anchors, tags, comments, numbers and all layout stay as they are.

A file for one language, whose only key at the top is the code of it, as Rails has them, gets the code of the target.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from app.documents.formats.catalogs.locale_codes import renamed_locale
from app.documents.formats.catalogs.prose import is_page, is_prose
from app.documents.formats.catalogs.tagged import tagged
from app.documents.formats.catalogs.values import shown_value
from app.documents.formats.catalogs.yaml_places import Place, places
from app.documents.formats.catalogs.yaml_scalars import written
from app.documents.formats.plain.text_file import TextFile
from app.documents.formats.plain.text_walk import pieces
from app.documents.segments import SegmentKind, content_of
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """Raises DocumentUnreadable where it is no YAML."""
    file, visits = TextFile(source), Visits(visit)
    tops = list[Place]()
    for place in places(file.text, str(source.path)):
        if not place.is_key:
            put_value(file, 0, place, visits)
        elif not place.path:
            tops.append(place)
    if target is not None and len(tops) == 1:
        _rename(file, tops[0], target)
    if out is not None:
        file.write(out)


def put_value(file: TextFile, offset: int, place: Place, visits: Visits) -> None:
    """Shows a string and writes what it becomes; `offset` is where the YAML begins in the file."""
    key = next((name for name in reversed(place.path) if not name.isdecimal()), "")
    if not is_prose(place.value, key):
        return
    context = ".".join(place.path)
    if place.style == "|" and not is_page(place.value, key):
        new = _literal(place.value, visits, context)
    else:
        new = shown_value(place.value, visits, context, key=key)
    if new is not None:
        start, end = place.start + offset, place.end + offset
        file.replace(start, end, written(file.text[start:end], place, new))


def _literal(value: str, visits: Visits, context: str) -> str | None:
    """A text whose lines count: paragraphs and items, whose inner line ends are marks."""
    changes = list[tuple[int, int, str]]()
    for part in pieces(value):
        if part.kind is None:
            continue
        message = tagged("\n".join(line.text for line in part.lines), has_breaks=True)
        kind = part.kind if part.kind is SegmentKind.LIST_ITEM else SegmentKind.VALUE
        new = visits(message.content, kind, context=context)
        if new is not None:
            words = content_of([" ".join(each.split("\n")) if isinstance(each, str) else each for each in new])
            lines = message.text_of(words).split("\n")
            changes += [(old.start, old.end, line.strip()) for old, line in zip(part.lines, lines, strict=True)]
    for start, end, line in reversed(changes):
        value = value[:start] + line + value[end:]
    return value if changes else None


def _rename(file: TextFile, top: Place, target: Target) -> None:
    """The code of the language at the top, where there is one and something is below it."""
    raw = file.text[top.start : top.end]
    new = renamed_locale(top.value, target.language)
    if new and re.match(r"['\"]?[ \t]*:[ \t]*(?:[#&!][^\r\n]*)?[\r\n]", file.text[top.end :]):
        quote = "'" if raw[:1] not in "'\"" and new in ("no", "on", "yes", "off", "y", "n") else ""
        file.replace(top.start, top.end, raw.replace(top.value, f"{quote}{new}{quote}"))
