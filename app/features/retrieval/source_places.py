"""Places in documents that sentences of an answer rest on; apart from what finds them, which is slow to import."""

from __future__ import annotations

import re
from typing import Any

from app.core.lazy_dataclasses import asdict, dataclass

_MARKS = (
    "p|pp|page|pages|slide|sheet|chapter|ch|file|minute|min|S|Seite|Folie|Blatt|Kap|Datei|diapositiva|hoja|cap|archivo"
    "|diapositive|feuille|chap|fichier|foglio|slajd|arkusz|rozdz|plik|planilha|arquivo|с|слайд|лист|гл|файл|мин"
    "|ص|شريحة|ورقة|فصل|ملف|دقيقة|スライド|シート|ファイル|第|幻灯片|工作表|文件"
)
"""What stands before a page's number in the languages of the window, in which the program itself cites."""
_MARKS_AFTER = "页|章|分目|分钟"
PAGE_CITATION = re.compile(
    rf"[\[(](?:(?:{_MARKS}|(¶))\.? ?|(?=\d+分目))(\d{{1,6}}) ?(?:{_MARKS_AFTER})?[\])]", re.IGNORECASE
)


@dataclass(frozen=True)
class SourcePlace:
    """A stretch of a document (`start` to `end` in the text of a block) that says what the answer says.

    `answer_start` and `answer_end` are that sentence in the answer. `is_named`: the model named the page itself.
    """

    answer_start: int
    answer_end: int
    document_id: int
    block_id: int
    start: int
    end: int
    page: int | None
    is_named: bool = False


def source_to_fields(source: SourcePlace) -> dict[str, Any]:
    return asdict(source)


def source_from_fields(fields: dict[str, Any]) -> SourcePlace:
    """Restore a source from its fields. Raises TypeError for others."""
    return SourcePlace(**fields)


def named_pages(answer: str) -> list[tuple[int, int, int]]:
    """(start, end, page) of each page that an answer names in brackets; a paragraph's number ("[¶ 12]") is negative."""
    return [(m.start(), m.end(), -int(m[2]) if m[1] else int(m[2])) for m in PAGE_CITATION.finditer(answer)]
