"""The words of the block that is being read, with the white space as a browser shows it."""

from __future__ import annotations

import re

from app.documents.formats.markup.tokens import unescaped

_BREAK = "\0"
"""Stands for a line break until the white space is collapsed; a NUL in a page is no character."""
_WHITE = " \t\n\r\f"
_SPACES = re.compile(f"[{_WHITE}]+")


def collapsed(text: str) -> str:
    """Runs of white space as one space, none at the ends. Non-breaking and other wide spaces stay, as in a browser."""
    if "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text:
        if text.isascii():
            return " ".join(text.split())  # the fastest way there is
        text = _SPACES.sub(" ", text)
    return text.strip(_WHITE)


class Words:
    """Gathers the text between two borders of blocks; `begin` and `last` are offsets in the page."""

    def __init__(self, page: str) -> None:
        self._page = page
        self.parts: list[str] = []
        """What was gathered, in pieces; its truth is asked at every tag, which a method would double the time of."""
        self._has_breaks = False
        self.begin = 0
        """Behind the tag that began the block."""
        self.last = 0
        """Behind the last word or inline tag."""

    def take(self, start: int, end: int, is_preformatted: bool) -> None:
        """A stretch of the page without tags."""
        words = self._page[start:end]
        if not self.parts and not is_preformatted and words.isspace():
            return
        if "&" in words or _BREAK in words:
            words = unescaped(words).replace(_BREAK, "")
        self.parts.append(words)
        self.last = end

    def take_raw(self, start: int, end: int) -> None:
        """A stretch of the page in which "&" and "<" are themselves."""
        self.parts.append(self._page[start:end].replace(_BREAK, ""))

    def add(self, words: str) -> None:
        """Words that the page has in an attribute, or a space between two signs."""
        self.parts.append(words.replace(_BREAK, ""))

    def add_break(self) -> None:
        """A line ends here."""
        self.parts.append(_BREAK)
        self._has_breaks = True

    def end_line(self) -> None:
        """A line of code ends here, unless it has."""
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def drain(self, is_preformatted: bool) -> str:
        """The text so far, "" where there is none; the next block begins."""
        text = self.parts[0] if len(self.parts) == 1 else "".join(self.parts)
        self.parts.clear()
        had_breaks, self._has_breaks = self._has_breaks, False
        if is_preformatted:
            text = text.replace(_BREAK, "\n").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n").rstrip()
        elif had_breaks:
            text = "\n".join(filter(None, map(collapsed, text.split(_BREAK))))
        else:
            text = collapsed(text)
        return "" if text.isspace() else text

    def stretch(self) -> tuple[int, int]:
        """Where the block stands in the page, without the white space around it."""
        page, start, end = self._page, self.begin, self.last
        while start < end and page[start] in _WHITE:
            start += 1
        while end > start and page[end - 1] in _WHITE:
            end -= 1
        return start, end
