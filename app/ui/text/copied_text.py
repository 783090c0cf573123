"""Pieces for the clipboard: as rich text, as readable text and as Markdown.

`html.escape` in `_spans` and `_other` is the only place where model output enters markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import groupby

from PySide6.QtCore import QMimeData

from app.ui.locale_formats import join_list
from app.ui.text.markdown import read
from app.ui.text.pieces import (
    Code,
    Fold,
    MarkdownTable,
    Piece,
    Prose,
    ProseLine,
    Spans,
    StyledSpan,
    safe_href,
    with_whole_tables,
)


def mime_data(html: str, text: str) -> QMimeData:
    data = QMimeData()
    data.setHtml(f"<html><body>{html}</body></html>")
    data.setText(text)
    return data


def html_of(pieces: Iterable[Piece]) -> str:
    """Return rich text without fonts and colours, so that it takes those of its target."""
    parts: list[str] = []
    for is_prose, group in groupby(with_whole_tables(pieces), lambda piece: isinstance(piece, Prose)):
        if is_prose:
            parts += _prose([line for piece in group if isinstance(piece, Prose) for line in piece.lines])
        else:
            parts += [_other(piece) for piece in group]
    return "\n".join(parts)


def text_of(pieces: Iterable[Piece]) -> str:
    """Return readable text without Markdown marks; tables keep theirs, formulas are their source."""
    return _joined(pieces, _as_read)


def spoken_text(markdown: str) -> str:
    """Return what a screen reader says of Markdown: its words in one line, without marks."""
    said = (words for block in read(markdown) for piece in block.pieces for words in _said(piece))
    return " ".join(" ".join(said).split())


def markdown_of(pieces: Iterable[Piece]) -> str:
    """Return Markdown that means the same; the characters may differ from what the model wrote."""
    return _joined(pieces, _as_markdown)


def code_of(pieces: Iterable[Piece]) -> str:
    """Return the contents of all code blocks without fences, joined by blank lines."""
    return "\n\n".join(piece.text for piece in pieces if isinstance(piece, Code))


def table_as_markdown(table: MarkdownTable, *, is_marked: bool = False) -> str:
    """Return a table as Markdown, also used for plain text, where nothing else keeps columns apart.

    `is_marked` keeps marks in the cells.
    """
    rules = {"left": "---", "center": ":-:", "right": "--:"}
    words = _marked if is_marked else _plain
    rows = [[words(cell).replace("|", "\\|").replace("\u2028", "<br>") for cell in row] for row in table.rows]
    rows.insert(1, [rules.get(align, "---") for align in table.aligns])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


LineText = Callable[[ProseLine], str]
_INDENT, _CONTINUED = "    ", "   "
# Only what would be read as marks here is escaped: with a backslash before all punctuation nobody can read it.
_SIGNS = re.compile(r"[\\\\`*\[]|(?<!\w)_|_(?!\w)|<(?=[a-zA-Z/])|~(?=~)")
_BEGINNINGS = re.compile(r"^(#{1,6}\s|[-+>]|\d{1,9}[.)]\s)")


def _joined(pieces: Iterable[Piece], as_text: LineText) -> str:
    parts: list[str] = []
    before: ProseLine | None = None
    for piece in with_whole_tables(pieces):
        lines = piece.lines if isinstance(piece, Prose) else ()
        for line in lines:
            if parts:
                parts.append(_between(before, line))
            parts.append(as_text(line))
            before = line
        if not isinstance(piece, Prose):
            text = _block(piece, is_marked=as_text is _as_markdown)
            if parts and text:
                parts.append("\n\n")
            parts.append(text)
            before = None if text else before
    return "".join(parts).replace("\u2028", "\n")


def _said(piece: Piece) -> Iterator[str]:
    if isinstance(piece, Prose):
        for line in piece.lines:
            yield line.marker if line.marker[:1].isdigit() else ""
            yield _plain(line.spans)
    elif isinstance(piece, MarkdownTable):
        # Commas, so that cells don't run into each other.
        yield from (join_list([_plain(cell) for cell in row]) for row in piece.rows)
    elif isinstance(piece, Code):
        yield piece.text
    elif isinstance(piece, Fold):
        yield piece.title


def _between(before: ProseLine | None, line: ProseLine) -> str:
    if before is not None and (line.kind == before.kind == "typed" or (line.depth and before.depth and line.marker)):
        return "\n"
    # A blank line inside a quote needs the sign too, or the quote ends there.
    quote = min(before.quote, line.quote) if before is not None else 0
    return f"\n{('> ' * quote).rstrip()}\n"


def _block(piece: Piece, *, is_marked: bool) -> str:
    if isinstance(piece, Code):
        fence = "`" * max(3, _longest_ticks(piece.text) + 1)
        text = f"{fence}{piece.language}\n{piece.text}\n{fence}" if is_marked else piece.text
    elif isinstance(piece, MarkdownTable):
        text = table_as_markdown(piece, is_marked=is_marked)
    else:
        return piece.title if isinstance(piece, Fold) else ""
    inside = f"{_INDENT * (piece.depth - 1)}{_CONTINUED}" if is_marked and piece.depth else ""
    return "\n".join(f"{inside}{line}" if line else "" for line in text.split("\n"))


def _as_read(line: ProseLine) -> str:
    text = "---" if line.kind == "rule" else _plain(line.spans)
    marker = f"{line.marker} " if line.marker else ""
    return _indented(f"{'  ' * (line.depth - 1)}{marker}", text, line.quote)


def _as_markdown(line: ProseLine) -> str:
    if line.kind == "rule":
        return _indented("", "---", line.quote)
    text = _marked(line.spans)
    if line.kind == "note" and line.marker:
        return _indented("", f"[^{line.marker[:-1]}]: {text}", line.quote)
    if line.kind == "heading":
        return _indented("", f"{'#' * line.level} {text}", line.quote)
    if line.kind == "text" and not line.marker:
        text = _BEGINNINGS.sub(lambda found: f"\\{found[0]}", text)
    boxes = {"☐": "- [ ]", "☑": "- [x]"}
    marker = line.marker if line.marker[:-1].isdecimal() else boxes.get(line.marker, "-")
    begin = f"{_INDENT * (line.depth - 1)}{f'{marker} ' if line.marker else _CONTINUED if line.depth else ''}"
    return _indented(begin, text, line.quote)


def _indented(begin: str, text: str, quote: int) -> str:
    """Indent the lines of a paragraph after its first."""
    quoted, rest = "> " * quote, " " * len(begin)
    lines = text.replace("\u2028", "\n").split("\n")
    return "\n".join(f"{quoted}{rest if at else begin}{line}".rstrip() for at, line in enumerate(lines))


def _marked(spans: Spans) -> str:
    """Return runs with Markdown marks, placed next to words as Markdown requires."""
    parts: list[str] = []
    opened: list[tuple[str, str]] = []
    pending = ""
    # The empty run at the end closes all open marks.
    for span in [*spans, StyledSpan("")]:
        wanted = _marks(span)
        same = next((at for at, (a, b) in enumerate(zip(opened, wanted, strict=False)) if a != b), None)
        keep = min(len(opened), len(wanted)) if same is None else same
        # Blanks wait for the next run, since a mark next to a blank is none in Markdown.
        if not (bare := span.text.strip()) and span.text:
            pending += span.text
            continue
        parts += [closing for _, closing in reversed(opened[keep:])]
        begin = span.text.index(bare) if bare else 0
        parts += [pending, span.text[:begin], *(opening for opening, _ in wanted[keep:]), _escaped(span, bare)]
        opened, pending = wanted, span.text[begin + len(bare) :]
    return "".join(parts)


def _marks(span: StyledSpan) -> list[tuple[str, str]]:
    link = [("[", f"]({span.href})")] if span.href and span.href != span.text else []
    signs = (("**", span.bold), ("*", span.italic), ("~~", span.strike))
    script = [(f"<{span.script}>", f"</{span.script}>")] if span.script else []
    return [*link, *((sign, sign) for sign, is_on in signs if is_on), *script]


def _escaped(span: StyledSpan, text: str) -> str:
    if span.formula or span.href == text:
        return text
    if span.raised:
        return f"[^{text}]"
    if not span.code:
        return _SIGNS.sub(lambda found: f"\\{found[0]}", text)
    ticks = "`" * (_longest_ticks(text) + 1)
    # CommonMark takes one blank off at each side of the code.
    air = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{air}{text}{air}{ticks}"


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _other(piece: Piece) -> str:
    if isinstance(piece, Code):
        return f"<pre><code>{escape(piece.text)}</code></pre>"
    if isinstance(piece, MarkdownTable):
        return _table(piece)
    return f"<p><b>{escape(piece.title)}</b></p>" if isinstance(piece, Fold) else ""


def _table(table: MarkdownTable) -> str:
    rows = []
    for number, row in enumerate(table.rows):
        name = "td" if number else "th"
        cells = [
            f'<{name} align="{align}">{_spans(cell)}</{name}>' for cell, align in zip(row, table.aligns, strict=False)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table border="1" cellspacing="0" cellpadding="4">{"".join(rows)}</table>'


def _prose(lines: list[ProseLine]) -> Iterator[str]:
    opened: list[str] = []
    for line in lines:
        kind = "ol" if line.marker[:-1].isdecimal() else "ul"
        lists = [name for name in opened if name != "blockquote"]
        wanted = ["blockquote"] * line.quote + [*lists, *[kind] * line.depth][: line.depth]
        if line.marker and wanted:
            wanted[-1] = kind
        same = next((i for i, (a, b) in enumerate(zip(opened, wanted, strict=False)) if a != b), None)
        keep = min(len(opened), len(wanted)) if same is None else same
        yield from (f"</{name}>" for name in reversed(opened[keep:]))
        yield from (f"<{name}>" for name in wanted[keep:])
        opened = wanted
        yield _paragraph(line)
    yield from (f"</{name}>" for name in reversed(opened))


def _paragraph(line: ProseLine) -> str:
    text = _spans(line.spans)
    if line.kind == "rule":
        return "<hr>"
    if line.kind == "heading":
        return f"<h{line.level}>{text}</h{line.level}>"
    # The number is given, as a selection may begin in the middle of a list.
    if line.marker[:-1].isdecimal() and line.kind != "note":
        return f'<li value="{line.marker[:-1]}">{text}</li>'
    box = line.marker + " " if line.marker in ("☐", "☑") or line.kind == "note" else ""
    return f"<li>{box}{text}</li>" if line.marker and line.kind != "note" else f"<p>{escape(box)}{text}</p>"


def _spans(spans: Spans) -> str:
    parts = []
    for span in spans:
        text = escape(span.text).replace("\u2028", "<br>").replace("\n", "<br>")
        script = "sup" if span.raised else span.script
        for name, is_on in (("code", span.code), ("b", span.bold), ("i", span.italic), ("s", span.strike)):
            text = f"<{name}>{text}</{name}>" if is_on else text
        text = f"<{script}>{text}</{script}>" if script else text
        href = safe_href(span.href)
        parts.append(f'<a href="{escape(href)}">{text}</a>' if href else text)
    return "".join(parts)


def _plain(spans: Spans) -> str:
    return "".join(span.text for span in spans)
