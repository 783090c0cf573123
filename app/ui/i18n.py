"""The door for every text a person reads; catalogues of other languages come in here."""

from __future__ import annotations

import re
from collections.abc import Mapping

_catalogue: dict[str, str] = {}


def tr(text: str, **values: object) -> str:
    """The text in the person's language, with `{names}` filled in when values are given."""
    found = _catalogue.get(text, text)
    return found.format(**values) if values else found


def breakable(text: str) -> str:
    """The text with places to break long paths at, for labels that wrap; nothing of it can be seen."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)


def use_catalogue(entries: Mapping[str, str]) -> None:
    """Replaces the translations; an empty mapping is English."""
    _catalogue.clear()
    _catalogue.update(entries)
