"""A translation as one HTML file: headings, lists, tables, and an anchor where each page of the source began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from app.documents.blocks import Block, Kind
from app.features.translation.page_marks import page_label
from app.features.translation.recomposed import Recomposed, own_label

_STYLE = """
body { color: #23201D; font-family: Inter, system-ui, sans-serif; line-height: 1.5;
  max-width: 44em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse }
td { border: 1px solid #CFC8C0; padding: .2em .5em; vertical-align: top }
.page, .note { color: #6B645D; font-size: .85em }
.own { list-style: none }
@media (prefers-color-scheme: dark) {
  body { color: #EDE9E4; background-color: #1B1917 }
  td { border-color: #4A443E }
  .page, .note { color: #A8A098 }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MOST_HEADING_LEVELS = 6


def as_html(blocks: Iterable[Recomposed], *, title: str, language: str, is_rtl: bool, unit: str) -> Iterator[str]:
    """The file, a line at a time."""
    yield "<!DOCTYPE html>"
    yield f'<html lang="{escape(language)}" dir="{"rtl" if is_rtl else "ltr"}">'
    yield '<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield from _body(blocks, unit)
    yield "</body>\n</html>"


def _body(blocks: Iterable[Recomposed], unit: str) -> Iterator[str]:
    page: int | None = None
    open_lists: list[str] = []
    for one in blocks:
        block = one.block
        if block.kind is not Kind.LIST_ITEM or block.page not in (None, page):
            yield from (f"</{open_lists.pop()}>" for _ in tuple(open_lists))
        if block.page is not None and block.page != page:
            page = block.page
            yield f'<p class="page" lang="en" id="page-{page}">{escape(page_label(unit, page))}</p>'
        if block.kind is Kind.LIST_ITEM:
            yield from _into_list(block, open_lists)
        yield from _block(one)
    yield from (f"</{open_lists.pop()}>" for _ in tuple(open_lists))


def _into_list(block: Block, open_lists: list[str]) -> Iterator[str]:
    """Opens and closes lists down to the item's level."""
    level = max(1, block.level)
    while len(open_lists) > level:
        yield f"</{open_lists.pop()}>"
    while len(open_lists) < level:
        open_lists.append("ul")
        yield '<ul class="own">' if own_label(block) else "<ul>"


def _block(one: Recomposed) -> Iterator[str]:
    block, text = one.block, "<br>".join(escape(line) for line in one.text.split("\n"))
    match block.kind:
        case Kind.HEADING:
            level = min(max(1, block.level), MOST_HEADING_LEVELS)
            yield f"<h{level}>{text}</h{level}>"
        case Kind.LIST_ITEM:
            label = own_label(block)
            yield f"<li>{escape(label)} {text}</li>" if label else f"<li>{text}</li>"
        case Kind.CODE:
            yield f'<pre dir="ltr"><code>{escape(one.text)}</code></pre>'
        case Kind.TABLE:
            yield "<table>"
            for row in one.rows:
                yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            yield "</table>"
        case Kind.NOTE | Kind.CAPTION:
            yield f'<p class="note">{text}</p>'
        case _:
            yield f"<p>{text}</p>"
