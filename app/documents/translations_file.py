"""The file in which translations go to the document child: a JSON line for each segment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from app.core.errors import ProtocolViolation
from app.documents.segments import Content, content_from_fields, content_to_fields

_ID = re.compile(rb'\{"id": (\d{1,18}),')


def write_translations(path: Path, translations: Iterable[tuple[int, Content]]) -> None:
    """Writes segments' ids and their translations, as they come; raises OSError."""
    with path.open("wb") as file:
        for id_, content in translations:
            line = json.dumps({"id": id_, "content": content_to_fields(content)})
            file.write(line.encode("ascii") + b"\n")


class TranslationsFile:
    """What such a file has, by id; in memory as the lines it is. Of several for one id, the last holds."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, and ProtocolViolation where it is no such file."""
        self._lines: dict[int, bytes] = {}
        with path.open("rb") as file:
            for line in file:
                found = _ID.match(line)
                if found is None:
                    raise ProtocolViolation("not a line with a translation")
                self._lines[int(found[1])] = line

    def find(self, id_: int) -> Content | None:
        """The translation of a segment, None without one; raises ProtocolViolation for a line that has none."""
        line = self._lines.get(id_)
        try:
            return None if line is None else content_from_fields(json.loads(line)["content"])
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolViolation(f"no translation: {type(error).__name__}") from error
