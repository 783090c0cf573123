"""Front matter of a Markdown file: what is read as its title or its description is translated, its language is set."""

from __future__ import annotations

import re

from app.core.errors import DocumentUnreadable
from app.documents.formats.catalogs.locale_codes import is_locale, renamed_locale
from app.documents.formats.catalogs.yaml_file import put_value
from app.documents.formats.catalogs.yaml_places import Place, places
from app.documents.formats.catalogs.yaml_scalars import written
from app.documents.formats.plain.text_file import TextFile
from app.documents.visits import Target, Visits

_TITLES = frozenset(
    (
        "title",
        "subtitle",
        "description",
        "summary",
        "abstract",
        "excerpt",
        "lead",
        "linktitle",
        "sidebar_label",
        "caption",
    )
)
_LANGUAGES = ("lang", "language", "locale")
_INNER = re.compile(r"-{3,}[ \t]*(?:\r\n|\r|\n)(.*?)(?:\r\n|\r|\n)?-{3,}\s*\Z", re.DOTALL)


def put_front_matter(file: TextFile, start: int, end: int, visits: Visits, target: Target | None) -> None:
    """`start` to `end` are its lines, with those of signs around it. What is no YAML is left."""
    inner = _INNER.match(file.text[start:end])
    if inner is None:
        return
    try:
        found = list(places(inner[1], ""))
    except DocumentUnreadable:
        return
    offset = start + inner.start(1)
    for place in found:
        if place.is_key or len(place.path) != 1:
            continue
        key = place.path[0].lower()
        if key in _TITLES:
            put_value(file, offset, place, visits)
        elif key in _LANGUAGES and target is not None and is_locale(place.value):
            _set(file, offset, place, renamed_locale(place.value, target.language))
        elif key == "dir" and target is not None and place.value in ("ltr", "rtl"):
            _set(file, offset, place, "rtl" if target.is_rtl else "ltr")


def _set(file: TextFile, offset: int, place: Place, new: str) -> None:
    start, end = place.start + offset, place.end + offset
    if new != place.value:
        file.replace(start, end, written(file.text[start:end], place, new))
