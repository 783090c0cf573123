"""Parsed Markdown of an answer as plain values, without Qt or HTML.

Model output never enters rich text as source: it becomes runs of characters with flags, which views write by
`QTextCursor.insertText`, the only way in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from markdown_it.token import Token

from app.core.lazy_dataclasses import dataclass, replace

ALLOWED_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
# Ends before punctuation, which belongs to the sentence around the address.
BARE_LINK = re.compile(r"https?://[^\s<>\"'`|\\]*[^\s<>\"'`|\\.,;:!?)\]}*_]")
BULLETS = ("•", "◦", "▪")
BREAK = "br"
MAX_COLUMNS = 30
MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class StyledSpan:
    """Run of characters of the same style. `href` is http, https, mailto or empty."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    raised: bool = False
    href: str = ""
    script: str = ""
    """Position: "sub", "sup", or "" for normal."""
    formula: bool = False
    """True for the source of a formula, with its delimiters, which may be typeset."""
    is_growing: bool = False
    """True for a formula that is still being written; its end was added."""


Spans = tuple[StyledSpan, ...]


@dataclass(frozen=True, slots=True)
class ProseLine:
    """Paragraph. `kind`: text, heading, formula, rule or note; `depth` and `quote` count nesting."""

    spans: Spans
    kind: str = "text"
    level: int = 0
    depth: int = 0
    quote: int = 0
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """Consecutive lines of prose, selected and copied as one."""

    lines: tuple[ProseLine, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Code block, fenced or indented; `open` while its closing fence hasn't come."""

    language: str
    text: str
    depth: int = 0
    open: bool = False


@dataclass(frozen=True, slots=True)
class MarkdownTable:
    """Table; the first row is the header.

    `aligns`: left, center or right. If it `continues`, it extends the table before and repeats its header.
    """

    rows: tuple[tuple[Spans, ...], ...]
    aligns: tuple[str, ...]
    depth: int = 0
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """Title that opens and closes what follows, up to its `FoldEnd` or the end of the answer."""

    title: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class FoldEnd:
    """End of the innermost fold; "</details>" without a fold is text."""


Piece = Prose | Code | MarkdownTable | Fold | FoldEnd


def with_whole_tables(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces with the parts of split tables joined, each table with one header."""
    found: list[Piece] = []
    rows: list[tuple[Spans, ...]] = []
    for piece in pieces:
        before = found[-1] if found else None
        if isinstance(piece, MarkdownTable) and piece.continues and isinstance(before, MarkdownTable):
            rows += piece.rows[1:]
            continue
        if isinstance(before, MarkdownTable) and len(rows) > len(before.rows):
            found[-1] = replace(before, rows=tuple(rows))
        rows = list(piece.rows) if isinstance(piece, MarkdownTable) else []
        found.append(piece)
    if found and isinstance(found[-1], MarkdownTable):
        found[-1] = replace(found[-1], rows=tuple(rows))
    return found


def plain_prose(text: str) -> Prose:
    """Return text verbatim, without Markdown or links, a paragraph per line."""
    return Prose(tuple(ProseLine((StyledSpan(line),) if line else ()) for line in text.rstrip("\n").split("\n")))


def pieces_of(tokens: Sequence[Token], defined: frozenset[str] = frozenset(), number: int | None = None) -> list[Piece]:
    """Return the pieces of a top-level block. `number` overrides the first number of an ordered list."""
    return _TokenWalk(defined, number).pieces(tokens)


class _TokenWalk:
    def __init__(self, defined: frozenset[str], number: int | None) -> None:
        self._defined, self._number = defined, number
        self._pieces: list[Piece] = []
        self._lines: list[ProseLine] = []
        self._lists: list[int | None] = []
        self._marker = ""
        self._quote = 0
        self._note = ""
        self._level = 0
        self._title: str | None = None
        self._rows: list[list[Spans]] = []
        self._aligns: list[str] = []

    def pieces(self, tokens: Sequence[Token]) -> list[Piece]:
        for token in tokens:
            kind = token.type.removesuffix("_open").removesuffix("_close")
            if (step := _STEPS.get(kind)) is not None:
                step(self, token, token.nesting > 0)
        self._close_prose()
        return self._pieces

    def _depth(self) -> int:
        return min(len(self._lists) + (1 if self._note else 0), MAX_DEPTH)

    def _line(self, spans: Spans, kind: str = "text") -> None:
        kind = "note" if self._note and kind == "text" else kind
        self._lines.append(
            ProseLine(spans, kind, self._level, self._depth(), min(self._quote, MAX_DEPTH), self._marker)
        )
        self._marker = ""

    def _close_prose(self) -> None:
        # The marker of an empty list item is shown, too.
        if self._marker:
            self._line(())
        if self._lines:
            self._pieces.append(Prose(tuple(self._lines)))
            self._lines = []

    def _on_bullet_list(self, _token: Token, begins: bool) -> None:
        if begins:
            self._lists.append(None)
        else:
            self._lists.pop()

    def _on_ordered_list(self, token: Token, begins: bool) -> None:
        if not begins:
            self._lists.pop()
            return
        start = self._number if self._number is not None else int(token.attrGet("start") or 0)
        # A list may begin at 0, so what counts is whether it says so.
        if self._number is None and token.attrGet("start") is None:
            start = 1
        # Only the block's first list is counted on.
        self._number = None
        self._lists.append(start)

    def _on_list_item(self, _token: Token, begins: bool) -> None:
        if self._marker:
            self._line(())
        number = self._lists[-1]
        if begins and number is None:
            bullets = sum(1 for entry in self._lists if entry is None)
            self._marker = BULLETS[min(bullets, len(BULLETS)) - 1]
        elif begins and number is not None:
            self._marker = f"{number}."
            self._lists[-1] = number + 1

    def _on_blockquote(self, token: Token, _begins: bool) -> None:
        self._quote += token.nesting

    def _on_heading(self, token: Token, begins: bool) -> None:
        self._level = int(token.tag[1]) if begins else 0

    def _on_footnote_reference(self, token: Token, begins: bool) -> None:
        self._note = f"{token.meta['label']}." if begins else ""
        self._marker = self._note or self._marker

    def _on_hr(self, _token: Token, _begins: bool) -> None:
        self._line((), "rule")

    def _on_inline(self, token: Token, _begins: bool) -> None:
        spans = spans_of(token.children or [], self._defined)
        if self._title is not None:
            self._title = "".join(span.text for span in spans)
            return
        if self._rows:
            self._rows[-1].append(spans)
            return
        # GitHub's task lists, which are text for CommonMark.
        if self._lists and self._marker and spans and spans[0].text[:4] in ("[ ] ", "[x] ", "[X] "):
            self._marker = "☐" if spans[0].text[1] == " " else "☑"
            spans = (replace(spans[0], text=spans[0].text[4:]), *spans[1:])
        self._line(spans, "heading" if self._level else "text")

    def _on_fold_title(self, _token: Token, begins: bool) -> None:
        if not begins:
            self._pieces.append(Fold(self._title or ""))
        self._title = "" if begins else None

    def _on_fold(self, token: Token, begins: bool) -> None:
        self._close_prose()
        if not begins:
            last = max(place for place, piece in enumerate(self._pieces) if isinstance(piece, Fold))
            self._pieces[last] = replace(self._pieces[last], is_open=token.meta["is_open"])
            if token.meta["is_whole"]:
                self._pieces.append(FoldEnd())

    def _on_fold_end(self, _token: Token, _begins: bool) -> None:
        self._close_prose()
        self._pieces.append(FoldEnd())

    def _on_formula_block(self, token: Token, _begins: bool) -> None:
        self._line((StyledSpan(token.content, code=True, formula=True),), "formula")

    def _on_fence(self, token: Token, _begins: bool) -> None:
        self._close_prose()
        # What follows the language, as in "python title=…" and "python{1,3}", is for other programs.
        language = token.info.strip().split(" ", 1)[0].split("{", 1)[0]
        self._pieces.append(Code(language[:40], token.content.removesuffix("\n"), self._depth()))

    def _on_tr(self, _token: Token, begins: bool) -> None:
        if begins:
            self._rows.append([])

    def _on_th(self, token: Token, begins: bool) -> None:
        if begins:
            style = str(token.attrGet("style") or "")
            # markdown-it writes "text-align:right".
            self._aligns.append(style.rpartition(":")[2] or "left")

    def _on_table(self, _token: Token, begins: bool) -> None:
        if begins:
            return
        self._close_prose()
        rows, self._rows = self._rows, []
        aligns, self._aligns = self._aligns, []
        # A table of 10,000 columns, which a model may write, would hold up the window.
        if len(aligns) <= MAX_COLUMNS:
            self._pieces.append(MarkdownTable(tuple(tuple(row) for row in rows), tuple(aligns), self._depth()))
            return
        text = "\n".join(" | ".join("".join(span.text for span in cell) for cell in row).rstrip(" |") for row in rows)
        self._pieces.append(Code("", text, self._depth()))


_STEPS: dict[str, Callable[[_TokenWalk, Token, bool], None]] = {
    "bullet_list": _TokenWalk._on_bullet_list,
    "ordered_list": _TokenWalk._on_ordered_list,
    "list_item": _TokenWalk._on_list_item,
    "blockquote": _TokenWalk._on_blockquote,
    "heading": _TokenWalk._on_heading,
    "footnote_reference": _TokenWalk._on_footnote_reference,
    "hr": _TokenWalk._on_hr,
    "inline": _TokenWalk._on_inline,
    "fold_title": _TokenWalk._on_fold_title,
    "fold": _TokenWalk._on_fold,
    "fold_end": _TokenWalk._on_fold_end,
    "formula_block": _TokenWalk._on_formula_block,
    "fence": _TokenWalk._on_fence,
    "tr": _TokenWalk._on_tr,
    "th": _TokenWalk._on_th,
    "table": _TokenWalk._on_table,
    "code_block": _TokenWalk._on_fence,
}
"""Handlers by token type, without `_open` and `_close`."""


def spans_of(children: Sequence[Token], defined: frozenset[str]) -> Spans:
    """Return the runs of a paragraph, with equal neighbours joined."""
    spans: list[StyledSpan] = []
    counts = dict.fromkeys(("strong", "em", "s", "b", "i", "kbd", "sub", "sup"), 0)
    hrefs: list[str] = []
    tags = paired(children)

    def add(text: str, *, code: bool = False, raised: bool = False, href: str = "", formula: bool = False) -> None:
        if text:
            is_on = {name: count > 0 for name, count in counts.items()}
            look = StyledSpan(
                text,
                bold=is_on["strong"] or is_on["b"],
                italic=is_on["em"] or is_on["i"],
                strike=is_on["s"],
                code=code or is_on["kbd"],
                raised=raised,
                href=href or (hrefs[-1] if hrefs else ""),
                script="sup" if is_on["sup"] else "sub" if is_on["sub"] else "",
                formula=formula,
            )
            spans.append(look)

    for place, child in enumerate(children):
        kind, _, end = child.type.rpartition("_")
        if kind in counts:
            counts[kind] += 1 if end == "open" else -1
        elif place in tags:
            counts[child.meta["name"]] += -1 if child.meta["is_end"] else 1
        elif child.type == "tag" and child.meta["name"] == BREAK:
            # A line separator stays in its paragraph; a newline would start another.
            add("\u2028")
        elif child.type == "link_open":
            hrefs.append(safe_href(str(child.attrGet("href") or "")))
        elif child.type == "link_close":
            hrefs.pop()
        elif child.type in ("softbreak", "hardbreak"):
            add("\u2028")
        elif child.type == "image":
            href = safe_href(str(child.attrGet("src") or ""))
            add(child.content or href, href=href)
        elif child.type == "footnote_ref":
            label = child.meta["label"]
            # Models cite by [^1] without writing the note; a digit is raised anyway.
            known = label.isdigit() or f"^{label.lower()}" in defined
            add(label if known else f"[^{label}]", raised=known)
        else:
            is_formula = child.type == "formula"
            add(child.content, code=is_formula or child.type == "code_inline", formula=is_formula)
    return tuple(_with_bare_links(_joined(spans)))


def safe_href(href: str) -> str:
    """Return the address if it may be opened, else ""."""
    return href if ALLOWED_LINK.match(href) else ""


def _joined(spans: list[StyledSpan]) -> list[StyledSpan]:
    joined: list[StyledSpan] = []
    for span in spans:
        # Each formula is a picture of its own.
        if joined and not span.formula and replace(joined[-1], text="") == replace(span, text=""):
            joined[-1] = replace(span, text=joined[-1].text + span.text)
        else:
            joined.append(span)
    return joined


def _with_bare_links(spans: list[StyledSpan]) -> list[StyledSpan]:
    """Turn addresses written out in text, not in code, into links."""
    result: list[StyledSpan] = []
    for span in spans:
        if span.code or span.href or "://" not in span.text:
            result.append(span)
            continue
        end = 0
        for found in BARE_LINK.finditer(span.text):
            result.append(replace(span, text=span.text[end : found.start()]))
            result.append(replace(span, text=found.group(), href=found.group()))
            end = found.end()
        result.append(replace(span, text=span.text[end:]))
    return [span for span in result if span.text]


def paired(tokens: Sequence[Token]) -> set[int]:
    """Return the positions of inline tags that have their counterpart."""
    opened: dict[str, list[int]] = {}
    found: set[int] = set()
    for place, token in enumerate(tokens):
        if token.type == "tag" and not token.meta["is_end"]:
            opened.setdefault(token.meta["name"], []).append(place)
        elif token.type == "tag" and opened.get(token.meta["name"]):
            found |= {opened[token.meta["name"]].pop(), place}
    return found
