"""The remarks on one file, each thing once."""

from __future__ import annotations

from app.documents.clean import clean_text
from app.documents.source import Remark

MOST_REMARKS = 200
MOST_CHARACTERS = 300
"""Of a name in one, such as a sheet's or an attachment's."""


class Remarks:
    """What a reader remarks on, each thing once: counts of the same are added up."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Remark] = {}

    def add(self, remark: Remark) -> None:
        """One more, unless there are too many to tell."""
        others = sorted((name, value) for name, value in remark.values.items() if name != "count")
        key = (remark.name, *others)
        known = self._found.get(key)
        if known is not None and "count" in remark.values:
            count = int(known.values["count"]) + int(remark.values["count"])
            self._found[key] = Remark(remark.name, {**known.values, "count": count})
        elif known is None and len(self._found) < MOST_REMARKS:
            values = {name: _short(v) if isinstance(v, str) else v for name, v in remark.values.items()}
            self._found[key] = Remark(remark.name, values)

    def all(self) -> tuple[Remark, ...]:
        """In the order in which they came first."""
        return tuple(self._found.values())


def _short(text: str) -> str:
    return clean_text(text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…")
