"""Drafts to pieces: lines become one text, hyphens at their ends are undone, and each line keeps its box."""

from __future__ import annotations

import re
from collections import deque
from math import floor

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox, table_text
from app.documents.formats.pdf.page_text import HYPHEN, PdfLine
from app.documents.formats.pdf.pdf_blocks import BlockDraft, in_address

MOST_WORDS = 20_000
LONGEST = 40
PAGES_REMEMBERED = 12
SOFT = "\xad"
_LEADER_END = re.compile(r"\s*(?:\.\s*){3,}$")
"""The dots between a cell and the next one."""
_RAISED = re.compile(r"(\d{1,3}|[*†‡§¶]{1,3})(?=[^\W\d_]|[“\"‘'«(])(?!(?:st|nd|rd|th|[DGs])\b)")
"""The number of a footnote, raised before its first word."""
# First parts that are mostly written with a hyphen, and seldom the first syllables of a longer word.
_PREFIXES = (
    "well self half high long low ex two three four five six seven eight nine first third full cross user non double "
    "single quasi vice e x t large old"
)
_KEEPING = frozenset(_PREFIXES.split())
# What joins two words of which the first one leaves its end to the second: "Vor- und Nachteile".
_JOINING = re.compile(
    r"((?:und|oder|sowie|bzw|resp|beziehungsweise|als auch)\b|u\. )|(?:and|or|to|bis|en|of|og|och|eller)\b"
)
# What may as well be the end of a divided word ("neu-en", "err-or"): only where the pages around have that language,
# as the word after it shows, or after such a first part as is mostly left open.
_JOINING_OF = {"en": " het ", "of": " het ", "og": " og ", "och": " och ", "eller": " eller "}
_OPEN = _KEEPING | set("pre post short left right upper lower inner outer inter intra multi".split())  # noqa: SIM905
_NUMERAL = re.compile("(ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zig|hundert|tausend)$")


class HyphenWords:
    """Words of nearby pages, to tell divided words from hyphenated ones."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque(maxlen=PAGES_REMEMBERED)
        self._hyphened: set[str] = set()

    def collect_words(self, text: str) -> None:
        self._texts.append(text)
        # Words that are written with a hyphen within a line tell that they keep it at a line's end.
        at = text.find("-")
        while at > 0 and len(self._hyphened) < MOST_WORDS:
            end = at + 1
            first, second = _last_word(text[max(at - LONGEST, 0) : at]), _first_word(text[end : end + LONGEST])
            if first and second:
                self._hyphened.add(f"{first}-{second}")
            at = text.find("-", end)

    def keeps_hyphen(self, before: str, after: str) -> bool:
        """Return whether `before`-`after`, divided at a line's end, is written with a hyphen."""
        first, second = _last_word(before), _first_word(after)
        if not first or not second or not second[0].islower():
            return True
        if f"{first}-{second}" in self._hyphened:
            return True
        # Without a hyphen elsewhere a divided word is one word, as most are.
        if "-" not in first and "-" not in second and first.lower() not in _KEEPING:
            return False
        # "well-known": undone only if the whole word occurs in the text.
        return not any(first + second in text for text in self._texts)

    def is_left_open(self, before: str, following: str) -> bool:
        """Return whether the hyphen after `before` stands for a later word's end, so that a space follows."""
        found = _JOINING.match(following)
        if not found or found[1]:
            return found is not None
        first, second = _last_word(before).lower(), found[0]
        if second in ("and", "or", "to"):
            return first in _OPEN
        if second == "bis":
            return _NUMERAL.search(first) is not None
        sign = _JOINING_OF.get(second)
        if sign is None or any(f"{first}{second}" in text for text in self._texts):
            return False
        return any(sign in text for text in self._texts)


def _last_word(text: str) -> str:
    end = len(text)
    while end and (text[end - 1].isalnum() or text[end - 1] in "-'’"):
        end -= 1
    return text[end:]


def _first_word(text: str) -> str:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] in "-'’"):
        end += 1
    return text[:end]


def piece_of(draft: BlockDraft, words: HyphenWords) -> BlockPiece | None:
    """Return the block of a draft; None where nothing is left to read."""
    if draft.table is not None:
        text, boxes = _table_text(draft, words)
    elif draft.kind is BlockKind.CODE:
        text, boxes = _code_text(draft.lines)
    else:
        text, boxes = _prose_text(draft, words)
    if not text.strip():
        return None
    return BlockPiece(draft.kind, text, draft.lines[0].page, BlockPlace(boxes=tuple(boxes)), draft.level, draft.label)


def _prose_text(draft: BlockDraft, words: HyphenWords) -> tuple[str, list[LineBox]]:
    texts = [_collapse_space(line.text) for line in draft.lines]
    if draft.mark:
        texts[0] = texts[0][draft.mark :]
    if draft.kind is BlockKind.NOTE:
        texts[0] = _RAISED.sub(r"\1 ", texts[0], count=1) if _RAISED.match(texts[0]) else texts[0]
    parts: list[str] = []
    boxes: list[LineBox] = []
    start = 0
    for number, (line, text) in enumerate(zip(draft.lines, texts, strict=True), 1):
        if number == len(texts):
            part = text.replace(HYPHEN, "-").replace(SOFT, "")
        elif text.isascii() and text[-1:] != "-" and "http" not in text:
            part = f"{text} "
        else:
            part = _join_before(text, texts[number], words)
        parts.append(part)
        end = start + len(part)
        boxes.append(_box_of_part(line, start, end - 1 if part[-1:] == " " else end))
        start = end
    return "".join(parts), boxes


def _join_before(text: str, following: str, words: HyphenWords) -> str:
    """Return a line's text before the next one's, with a space or joined."""
    end = text[-1:]
    # A soft hyphen stands only where a word is divided.
    if end == SOFT:
        return text[:-1].replace(SOFT, "")
    if in_address(text, following):
        return text.replace(SOFT, "").replace(HYPHEN, "-")
    text = text.replace(SOFT, "")
    if end in (HYPHEN, "-", "\u2010") and len(text) > 1 and text[-2].isalpha() and following[:1].isalpha():
        bare = text[:-1].replace(HYPHEN, "-")
        if words.is_left_open(bare, following):
            return f"{bare}- "
        return f"{bare}-" if words.keeps_hyphen(bare, following) else bare
    text = text.replace(HYPHEN, "-")
    # No space between lines of Chinese and Japanese.
    if end and following and _is_han(end) and _is_han(following[0]):
        return text
    return f"{text} "


def _is_han(letter: str) -> bool:
    """Return whether a letter is of Chinese or Japanese, written without spaces."""
    return "\u3000" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or "\uff01" <= letter <= "\uff60"


def _collapse_space(text: str) -> str:
    """Collapse white space; keep a final soft hyphen to be undone."""
    return " ".join(text.split()) if "  " in text or "\t" in text or "\xa0" in text else text


def _code_text(lines: list[PdfLine]) -> tuple[str, list[LineBox]]:
    left = min(line.left for line in lines)
    # Code has letters of one width, so an indent is counted in them.
    letter = max(sum(line.right - line.left for line in lines) / max(sum(len(line.text) for line in lines), 1), 0.1)
    parts: list[str] = []
    boxes: list[LineBox] = []
    length = 0
    for line in lines:
        indent = " " * min(round((line.left - left) / letter), 200)
        text = indent + line.text.replace(HYPHEN, "-").replace(SOFT, "-")
        boxes.append(_box_of_part(line, length, length + len(text)))
        parts.append(text)
        length += len(text) + 1
    return "\n".join(parts), boxes


def _table_text(draft: BlockDraft, words: HyphenWords) -> tuple[str, list[LineBox]]:
    assert draft.table is not None
    rows = [[_cell_text(cell, words) for cell in row] for row in draft.table.rows]
    boxes = []
    length = 0
    for row, cells in zip(rows, draft.table.rows, strict=True):
        size = len(table_text([row]))
        boxes.append(_box_around([line for cell in cells for line in cell], length, length + size))
        length += size + 1
    return table_text(rows), boxes


def _cell_text(lines: list[PdfLine], words: HyphenWords) -> str:
    """Return the text of a cell: lines below each other are wrapped, and their hyphens undone."""
    text = ""
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else None
        if after is not None and after.base > line.base + 0.5 * line.size:
            text += _join_before(line.text, after.text, words)
        else:
            text += line.text.replace(HYPHEN, "-").replace(SOFT, "") + " "
    return _LEADER_END.sub("", text) if ". ." in text or "..." in text else text


def _box_around(lines: list[PdfLine], start: int, end: int) -> LineBox:
    left, top = min(line.left for line in lines), min(line.top for line in lines)
    right, bottom = max(line.right for line in lines), max(line.bottom for line in lines)
    return LineBox(lines[0].page, round(left, 2), round(top, 2), round(right, 2), round(bottom, 2), start, end)


def _box_of_part(line: PdfLine, start: int, end: int) -> LineBox:
    # As round(…, 2), which is several times slower.
    left, top = floor(100 * line.left + 0.5) / 100, floor(100 * line.top + 0.5) / 100
    right, bottom = floor(100 * line.right + 0.5) / 100, floor(100 * line.bottom + 0.5) / 100
    return LineBox(line.page, left, top, right, bottom, start, end)
