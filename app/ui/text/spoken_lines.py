"""What screen readers say of an answer while it arrives: sentence by sentence, of tables and code line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from app.language.sentences import split_sentences
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.text.code_view import CODE_IN
from app.ui.text.copied_text import spoken_text

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+#.-]*)")
_ROW = re.compile(r"\s*\|.*\|\s*")
_RULE = re.compile(r"[\s|:-]+")
_CELLS = re.compile(r"(?<!\\)\|")


class SpokenLines:
    """Says Markdown whose parts come one after the other: what is code began in an earlier one."""

    def __init__(self) -> None:
        self._fence = ""
        """What closes the code that is open, or nothing."""
        self._held = ""
        """Beginning of a row of a table."""

    def spoken_lines(self, markdown: str, *, is_all: bool = False) -> Iterator[str]:
        """Yield what is said of the next whole sentences or lines; with `is_all` nothing follows."""
        lines, self._held = (self._held + markdown).splitlines(keepends=True), ""
        if not is_all and lines and lines[-1].lstrip().startswith("|") and not lines[-1].endswith("\n"):
            self._held = lines.pop()
        for stands_alone, group in groupby(lines, self._stands_alone):
            for words in map(self._line_words, group) if stands_alone else _prose_words("".join(group)):
                if words:
                    yield words

    def _stands_alone(self, line: str) -> bool:
        return bool(self._fence or _FENCE.match(line) or _ROW.fullmatch(line))

    def _line_words(self, line: str) -> str:
        """Return what is said of a line of code or of a table."""
        fence = _FENCE.match(line)
        if self._fence:
            is_end = fence is not None and fence[1].startswith(self._fence)
            self._fence = "" if is_end else self._fence
            return "" if is_end else line.strip()
        if fence is not None:
            self._fence = fence[1]
            return tr(CODE_IN, language=fence[2]) if fence[2] else tr("Code")
        if _RULE.fullmatch(line):
            return ""
        return join_list([spoken_text(cell) for cell in _CELLS.split(line.strip().strip("|"))])


def _prose_words(markdown: str) -> Iterator[str]:
    return (spoken_text(markdown[start:end]) for start, end in split_sentences(markdown))
