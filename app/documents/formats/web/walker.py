"""From the tags of a page to its blocks, in one pass; pages and the chapters of EPUB books are read by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from app.documents.blocks import Kind, Piece
from app.documents.formats.markup.tokens import TAG, attributes, end_of_other, end_of_raw, unescaped
from app.documents.formats.web import elements
from app.documents.formats.web.elements import Context, Item
from app.documents.formats.web.open_elements import OpenElements
from app.documents.formats.web.raised import raised
from app.documents.formats.web.tables import MOST_ROW_SPAN, MOST_SPAN, Cell, Table
from app.documents.formats.web.words import collapsed

MOST_TABLE_DEPTH = 30
"""Tables further inside each other are read as plain blocks: else their cells would be handed up level by level."""
MOST_LOOK_BACK = 50
"""Open elements in which an unclosed dt or dd is looked for; bounds the time on broken pages."""
_IN_A_SECTION = elements.TABLE_SECTIONS | {"table"}
_IN_A_ROW = _IN_A_SECTION | {"tr"}
_NEW_LINE = re.compile(r"(?:^|\s)(?:x|y|dy)\s*=")


class Walker(OpenElements):
    """Reads one page. Its `title` and `pictures` are known as far as it has come.

    A block's place is where its content stands: from behind the tag that begins it to its last word or inline tag. A
    table's place includes its tags. With `is_xml`, "/>" closes any element, and names may have a prefix; without
    scripts, what is there for this case is read.
    """

    def __init__(
        self, text: str, page: int | None = None, part: str = "", *, is_xml: bool = False, has_scripts: bool = True
    ) -> None:
        self.title = ""
        self.pictures = 0
        self._has_title = False
        super().__init__(text, page, part)
        self._is_xml = is_xml
        self._unseen = elements.UNSEEN if has_scripts else elements.UNSEEN - elements.SHOWN_WITHOUT_SCRIPTS
        self._names: dict[str, str] = {}

    def pieces(self) -> Iterator[Piece]:
        """The blocks, as the page is read."""
        text, position, search, out, names = self._text, 0, TAG.search, self._out, self._names
        words, take, scopes, parts, length = self._words, self._words.take, self._scopes, self._parts, len(self._text)
        while match := search(text, position):
            start, end = match.span()
            if start > position and not self._context.is_hidden:
                run = text[position:start]
                if "&" in run or "\0" in run or self._context.is_preformatted:
                    take(position, start, self._context.is_preformatted)
                elif parts or not run.isspace():  # as `take` does, without the call
                    parts.append(run)
                    words.last = start
            slash, name, given = match.groups()
            if name is None:
                position = self._other(start, match[0])
            elif end == length and text[-1] != ">":
                position = start
                break
            elif name in elements.PLAIN and name not in scopes[-1] and (not given or slash):
                position = end  # as below, without the calls: half of all tags are these
                if parts:
                    words.last = end
            elif slash:
                position = end
                self._end_tag(names.get(name) or self._named(name), end)
            else:
                position = self._start_tag(names.get(name) or self._named(name), given, start, end)
            if out:
                yield from out
                out.clear()
        self._finish(position)
        yield from out

    def _finish(self, position: int) -> None:
        """Reads what is behind the last tag, and ends what is still open."""
        length = len(self._text)
        if position < length and not self._context.is_hidden:
            self._words.take(position, length, self._context.is_preformatted)
        if self._parts:
            self._flush()
        while self._open:
            self._pop(length)

    def _named(self, name: str) -> str:
        """A name as it is known here; remembered, since a page has few names and many tags."""
        plain = name.lower()
        if self._is_xml:
            plain = plain.rpartition(":")[2] or plain
        self._names[name] = plain
        return plain

    def _end_tag(self, name: str, end: int) -> None:
        if name in elements.PLAIN and name not in self._scopes[-1]:
            if self._parts:
                self._words.last = end
            return
        if name in _HANDLERS:
            self._end_block(name, end)
            return
        if self._parts:
            self._words.last = end
        if name in self._scopes[-1]:
            while self._pop(end) != name:
                pass
        elif name == "br":
            self._words.add_break()
        if name in elements.SPACED and not self._context.is_hidden:
            self._words.add(" ")

    def _end_block(self, name: str, end: int) -> None:
        if self._context.is_preformatted and name in elements.LINES_OF_CODE:
            self._words.end_line()
        elif self._parts and not self._context.is_preformatted:
            self._flush()
            self._words.begin = end
        if name == "table" and self._tables:
            self._close_to(("table",), end)
            self._pop(end)
        elif name == "tr" or name in elements.TABLE_SECTIONS:
            self._close_to(_IN_A_SECTION if name == "tr" else ("table",), end)
        elif name in elements.HEADINGS:
            self._close_heading(end)
        else:
            self._close(name, end)

    # Tags

    def _other(self, start: int, opener: str) -> int:
        """A comment or the like; the text of a CDATA section is text."""
        words_start, words_end, position = end_of_other(self._text, start, opener)
        if words_end > words_start and not self._context.is_hidden:
            self._words.take_raw(words_start, words_end)
            self._words.last = position
        elif not self._parts:
            self._words.begin = position
        return position

    def _start_tag(self, name: str, given: str, start: int, end: int) -> int:
        """Deals with the tag; gives where to read on."""
        if name == "sup" or (name == "a" and "noteref" in given):
            behind = self._raised(name, given, start, end)
            if behind > end:
                return behind
        if name in elements.PLAIN and name not in self._scopes[-1] and not self._is_said_hidden(name, given):
            if self._parts:
                self._words.last = end
            return end
        if name in elements.VOID or (given.endswith("/") and (self._is_xml or self._context.is_foreign)):
            self._void(name, given, end)
            return end
        handler = _HANDLERS.get(name)
        if handler is None:
            self._begin_inline(name, given, end)
        elif self._context.is_preformatted and name in elements.LINES_OF_CODE:
            self._words.end_line()
            self._push(name, self._said(name, given), is_block=False)
        else:
            if self._parts:
                self._flush()
            handler(self, name, given, start)
            self._words.begin = end
        return self._raw(name, end) if name in elements.RAW else end

    def _raw(self, name: str, end: int) -> int:
        """Passes the content of an element that has no tags inside, up to its end tag."""
        is_title = name == "title" and not self._context.is_foreign and not self._has_title
        if name not in ("script", "style") and (self._is_xml or self._context.is_foreign):
            if is_title:
                self._keep_title(end, end_of_raw(self._text, name, end))
            return end
        until = len(self._text) if name == "plaintext" else end_of_raw(self._text, name, end)
        if is_title:
            self._keep_title(end, until)
        elif not self._context.is_hidden and until > end:
            self._words.take(end, until, self._context.is_preformatted)
        return until

    def _keep_title(self, start: int, end: int) -> None:
        self.title = collapsed(unescaped(self._text[start:end]))
        self._has_title = True

    def _void(self, name: str, given: str, end: int) -> None:
        """An element without content."""
        if name in _HANDLERS and not self._context.is_preformatted:
            if self._parts:
                self._flush()
            self._words.begin = end
        elif name == "input":
            words = elements.words_of_field(attributes(given))
            if words and not self._context.is_hidden and not self._is_said_hidden(name, given):
                self._words.add(f" {words} ")
        elif self._context.is_hidden:
            return
        elif name == "br":
            self._words.add_break()
        elif name in elements.PICTURES:
            self.pictures += 1
        if self._parts:
            self._words.last = end

    def _raised(self, name: str, given: str, start: int, end: int) -> int:
        """Behind a raised number that was read as a whole, else the end of its tag."""
        is_shown = not (self._context.is_hidden or self._is_said_hidden(name, given))
        is_read = self._parts and is_shown and not self._context.is_preformatted
        if is_read and (found := raised(self._text, name, start, end, self._parts[-1])):
            self._words.add(found.text)
            self._words.last = found.end
            return found.end
        return end

    def _begin_inline(self, name: str, given: str, end: int) -> None:
        """Only what hides, changes or is inside another of its name is kept track of."""
        if self._parts:
            self._words.last = end
        context = self._context
        if name in ("svg", "math"):
            is_drawing = name == "svg"
            hides = context.is_hidden or self._is_said_hidden(name, given)
            context = context._replace(is_foreign=True, is_hidden=hides or is_drawing, hides_all=hides)
        elif name in self._unseen or self._is_said_hidden(name, given):
            context = context._replace(is_hidden=True, hides_all=True)
        elif context.is_foreign:
            context = self._in_drawing(name, given)
        elif name == "code" and context.is_preformatted and not context.label:
            self._context = context = context._replace(label=elements.language_in(attributes(given)))
        elif name == "option":
            self._words.add_break()
        elif name in elements.SPACED:
            self._words.add(" ")
        if context is not self._context or name in self._scopes[-1]:
            self._push(name, context, is_block=False)

    def _in_drawing(self, name: str, given: str) -> Context:
        """Of a drawing only its texts are read; each stands on a line of its own."""
        context = self._context
        if name in ("text", "foreignobject") and not context.hides_all:
            self._words.add_break()
            return context._replace(is_hidden=False, is_foreign=name == "text")
        if name == "tspan" and not context.is_hidden and _NEW_LINE.search(given):
            self._words.add_break()
        return context

    def _is_said_hidden(self, name: str, given: str) -> bool:
        if not given and name != "dialog":
            return False
        lower = given.lower()
        if "hidden" in lower or "none" in lower or name == "dialog":
            return elements.is_hidden(name, attributes(given))
        return False

    # Blocks

    def _said(self, name: str, given: str) -> Context:
        """What a block's attributes make of it. A note is read even where it waits hidden for a click."""
        context = self._context
        if name in self._unseen:
            return context._replace(is_hidden=True, hides_all=True)
        if not given and name != "dialog":
            return context
        lower = given.lower()
        if "note" in lower and elements.is_note(attributes(given)):
            return context._replace(kind=Kind.NOTE, level=0, label="footnote")
        if self._is_said_hidden(name, given):
            return context._replace(is_hidden=True, hides_all=True)
        if "heading" in lower:
            said = attributes(given)
            if said.get("role", "").lower() == "heading":
                level = min(max(elements.number_in(said.get("aria-level", ""), 2), 1), 9)
                return context._replace(kind=Kind.HEADING, level=level, label="")
        return context

    def _begin_block(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        if name in ("dt", "dd"):
            self._close_definition(start)
        self._push(name, self._said(name, given))

    def _close_definition(self, start: int) -> None:
        for name, *_ in reversed(self._open[-MOST_LOOK_BACK:]):
            if name in ("dt", "dd"):
                self._close(name, start)
            if name in ("dt", "dd", "dl") or name in elements.SCOPES:
                return

    def _begin_heading(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        self._push(name, context._replace(kind=Kind.HEADING, level=elements.HEADINGS[name], label=""))

    def _begin_caption(self, name: str, given: str, start: int) -> None:
        if name == "caption" and self._tables:
            self._close_to(("table",), start)
            self._has_header()
        self._push(name, self._said(name, given)._replace(kind=Kind.CAPTION, level=0, label=""))

    def _begin_code(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        label = elements.language_in(attributes(given)) if given else ""
        self._push(name, self._said(name, given)._replace(kind=Kind.CODE, level=0, label=label, is_preformatted=True))

    def _begin_list(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        depth = context.listing.depth + 1 if context.listing else 1
        said = attributes(given)
        if depth == 1 and "reversed" in said and "start" not in said:
            said["start"] = str(elements.count_items(self._text, start))
        self._push(name, context._replace(listing=elements.listing_of(name, said, depth), item=None))

    def _begin_item(self, name: str, given: str, start: int) -> None:
        self._close_before("p", start)
        before = self._context
        if before.item is not None and (before.listing is None or before.item.listing is before.listing):
            self._close(name, start)
        context = self._said(name, given)
        listing = context.listing or elements.listing_of("ul", {}, 1)
        self._push(name, context._replace(item=Item(listing, elements.mark_of(listing, attributes(given)))))

    # Tables

    def _begin_table(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        if len(self._tables) >= MOST_TABLE_DEPTH:
            self._tables.append(None)
        else:
            is_layout = "role" in given and attributes(given).get("role", "").lower() in ("presentation", "none")
            table = Table(start, is_layout)
            self._tables.append(table)
            self._sinks.append(table.outside)
        self._push(name, context, closer=self._end_table)

    def _end_table(self, end: int) -> None:
        if table := self._tables.pop():
            self._sinks.pop()
            table.find_links(self._text, end)
            self._sinks[-1].extend(table.pieces(end, self._page, self._part))

    def _has_header(self) -> None:
        if table := self._tables[-1]:
            table.has_header = True

    def _begin_section(self, name: str, given: str, start: int) -> None:
        self._close_to(("table",), start)
        if name == "thead" and self._tables:
            self._has_header()
        self._push(name, self._said(name, given))

    def _begin_row(self, name: str, given: str, start: int) -> None:
        self._close_to(_IN_A_SECTION, start)
        if self._tables and (table := self._tables[-1]):
            table.rows.append([])
        self._push(name, self._said(name, given))

    def _begin_cell(self, name: str, given: str, start: int) -> None:
        """A cell outside any table, or too deep, is a block."""
        self._close_to(_IN_A_ROW, start)
        context = self._said(name, given)
        if context.item is not None:
            context = context._replace(item=None)
        table = self._tables[-1] if self._tables else None
        if table is None:
            self._push(name, context)
            return
        said = attributes(given) if given else {}
        cell = Cell()
        if said:
            cell.columns = min(max(elements.number_in(said.get("colspan", ""), 1), 1), MOST_SPAN)
            cell.rows = min(max(elements.number_in(said.get("rowspan", ""), 1), 1), MOST_ROW_SPAN)
        if not table.rows:
            table.rows.append([])
        table.rows[-1].append(cell)
        table.has_header = table.has_header or name == "th"
        self._sinks.append(cell.pieces)
        self._push(name, context, closer=self._end_cell)

    def _end_cell(self, _end: int) -> None:
        self._sinks.pop()


_Handler = Callable[[Walker, str, str, int], None]


def _all_handlers() -> dict[str, _Handler]:
    handlers: dict[str, _Handler] = dict.fromkeys(elements.BLOCKS, Walker._begin_block)
    handlers |= dict.fromkeys(elements.HEADINGS, Walker._begin_heading)
    handlers |= dict.fromkeys(elements.LISTS, Walker._begin_list)
    handlers |= dict.fromkeys(("pre", "listing", "xmp", "plaintext"), Walker._begin_code)
    handlers |= dict.fromkeys(("caption", "figcaption"), Walker._begin_caption)
    handlers |= dict.fromkeys(elements.TABLE_SECTIONS, Walker._begin_section)
    handlers |= dict.fromkeys(("td", "th"), Walker._begin_cell)
    return handlers | {"li": Walker._begin_item, "table": Walker._begin_table, "tr": Walker._begin_row}


_HANDLERS = _all_handlers()
