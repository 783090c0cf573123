"""HTML to blocks in one pass; used for pages and EPUB chapters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.markup.markup_tags import TAG, attributes, end_of_other, end_of_raw, unescaped
from app.documents.formats.web import elements
from app.documents.formats.web.elements import ElementContext, OpenListItem
from app.documents.formats.web.open_elements import OpenElements, collapsed

MOST_CHARACTERS = 400
"""Within which a raised number begins and ends, with all its tags."""
SHORT_WORD_CHARACTERS = 2
"""A number on a word up to this length is a power, as in m²."""
_INNER = r"(?>\s|</?(?:b|i|u|em|strong|span|small|font)\b[^<>]*+>)*+"
_TAGS = _INNER.replace("(?:b", "(?:a|b")
_WORDS = r"(?P<words>[-\u2212]?[0-9]{1,4}(?:\s?[,\u2013-]\s?[0-9]{1,4}){0,9}|[a-z]|[ivx]{1,6}|[*†‡§¶]{1,3})"
_IN_SUP = re.compile(rf"(?P<before>{_TAGS}){_WORDS}{_TAGS}</sup\s*>", re.IGNORECASE)
_IN_LINK = re.compile(rf"(?P<before>{_INNER}){_WORDS}{_INNER}</a\s*>", re.IGNORECASE)
_LINK = re.compile(r"<a\s[^<>]*\bhref\b", re.IGNORECASE)
_OPEN_LINK = re.compile(rf"<a\s[^<>]*\bhref\b[^<>]*>{_INNER}\Z", re.IGNORECASE)
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")


class RaisedText(NamedTuple):
    """Written form, and end of the end tag in the page."""

    text: str
    end: int


def raised(page: str, name: str, start: int, end: int, written: str) -> RaisedText | None:
    """Return the content of a `sup` or note link; None for one that stays ("1st").

    Its tag is `page[start:end]`, `written` precedes it. Note marks are put in brackets ("Text[1]") so that the word can
    be found, powers after "^" ("10^6") so that the number stays right.
    """
    if not written or written[-1].isspace() or written[-1] in "[(":
        return None
    found = (_IN_SUP if name == "sup" else _IN_LINK).match(page, end, end + MOST_CHARACTERS)
    # A style that hides it would have to be read; then it stays as it is.
    if found is None or "hidden" in found["before"] or "none" in found["before"]:
        return None
    words = found["words"]
    if name == "a" or _LINK.search(found["before"]) or _is_in_link(page, start):
        return RaisedText(f"[{words}]", found.end())
    if not words[-1].isdecimal():
        return None
    word = _LAST_WORD.search(written[-MOST_CHARACTERS:])
    # m², s² and 10²: short words are units, long ones have a note.
    is_power = written[-1].isdecimal() or (word is not None and len(word[0]) <= SHORT_WORD_CHARACTERS)
    return RaisedText(f"^{words}" if is_power else f"[{words}]", found.end())


def _is_in_link(page: str, start: int) -> bool:
    at = page.rfind("<a", max(0, start - MOST_CHARACTERS), start)
    return at >= 0 and _OPEN_LINK.match(page, at, start) is not None


_IN_A_SECTION = elements.TABLE_SECTIONS | {"table"}
_IN_A_ROW = _IN_A_SECTION | {"tr"}
_NEW_LINE = re.compile(r"(?:^|\s)(?:x|y|dy)\s*=")


class HtmlWalker(OpenElements):
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

    def pieces(self) -> Iterator[BlockPiece]:
        """Yield the blocks of the page as it is read; `title` and `pictures` grow with them."""
        text, position, search, out, names = self._text, 0, TAG.search, self._out, self._names
        words, take, scopes, parts, length = (
            self._words,
            self._words.add_range,
            self._scopes,
            self._parts,
            len(self._text),
        )
        while match := search(text, position):
            start, end = match.span()
            if start > position and not self._context.is_hidden:
                run = text[position:start]
                if "&" in run or "\0" in run or self._context.is_preformatted:
                    take(position, start, self._context.is_preformatted)
                elif parts or not run.isspace():  # as `add_range` does, without the call
                    parts.append(run)
                    words.last = start
            slash, name, given = match.groups()
            if name is None:
                position = self._other(start, match[0])
            elif end == length and text[-1] != ">":
                position = start
                break
            # Half of all tags of a page are these, so they pass without a call.
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
        """Read the text after the last tag and close open elements."""
        length = len(self._text)
        if position < length and not self._context.is_hidden:
            self._words.add_range(position, length, self._context.is_preformatted)
        if self._parts:
            self._flush()
        while self._open:
            self._pop(length)

    def _named(self, name: str) -> str:
        """Return a name as it is known here; remembered, since a page has few names and many tags."""
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
        # "</br>" is a line break in browsers, too.
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

    def _other(self, start: int, opener: str) -> int:
        """Return a comment or the like; the text of a CDATA section is text."""
        words_start, words_end, position = end_of_other(self._text, start, opener)
        if words_end > words_start and not self._context.is_hidden:
            self._words.take_raw(words_start, words_end)
            self._words.last = position
        elif not self._parts:
            self._words.begin = position
        return position

    def _start_tag(self, name: str, given: str, start: int, end: int) -> int:
        """Handle a start tag; return the offset from which the page goes on behind it."""
        if name == "sup" or (name == "a" and "noteref" in given):
            behind = self._raised(name, given, start, end)
            if behind > end:
                return behind
        if name in elements.PLAIN and name not in self._scopes[-1] and not elements.is_said_hidden(name, given):
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
        """Pass the content of an element that has no tags inside, up to its end tag."""
        is_title = name == "title" and not self._context.is_foreign and not self._has_title
        # In XML only the parser's rules count: a title may have tags inside.
        if name not in ("script", "style") and (self._is_xml or self._context.is_foreign):
            if is_title:
                self._keep_title(end, end_of_raw(self._text, name, end))
            return end
        until = len(self._text) if name == "plaintext" else end_of_raw(self._text, name, end)
        if is_title:
            self._keep_title(end, until)
        elif not self._context.is_hidden and until > end:
            self._words.add_range(end, until, self._context.is_preformatted)
        return until

    def _keep_title(self, start: int, end: int) -> None:
        self.title = collapsed(unescaped(self._text[start:end]))
        self._has_title = True

    def _void(self, name: str, given: str, end: int) -> None:
        if name in _HANDLERS and not self._context.is_preformatted:
            if self._parts:
                self._flush()
            self._words.begin = end
        elif name == "input":
            words = elements.words_of_field(attributes(given))
            if words and not self._context.is_hidden and not elements.is_said_hidden(name, given):
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
        """Return the end of a raised number read as a whole, else of its tag."""
        is_shown = not (self._context.is_hidden or elements.is_said_hidden(name, given))
        is_read = self._parts and is_shown and not self._context.is_preformatted
        if is_read and (found := raised(self._text, name, start, end, self._parts[-1])):
            self._words.add(found.text)
            self._words.last = found.end
            return found.end
        return end

    def _begin_inline(self, name: str, given: str, end: int) -> None:
        """Track an inline element only if it hides, changes or nests."""
        if self._parts:
            self._words.last = end
        context = self._context
        if name in ("svg", "math"):
            # Of a drawing only its texts are read, in MathML everything.
            is_drawing = name == "svg"
            hides = context.is_hidden or elements.is_said_hidden(name, given)
            context = context._replace(is_foreign=True, is_hidden=hides or is_drawing, hides_all=hides)
        elif name in self._unseen or elements.is_said_hidden(name, given):
            context = context.hidden()
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

    def _in_drawing(self, name: str, given: str) -> ElementContext:
        """Read only texts of a drawing, each on its own line."""
        context = self._context
        if name in ("text", "foreignobject") and not context.hides_all:
            self._words.add_break()
            return context._replace(is_hidden=False, is_foreign=name == "text")
        if name == "tspan" and not context.is_hidden and _NEW_LINE.search(given):
            self._words.add_break()
        return context

    def _said(self, name: str, given: str) -> ElementContext:
        """Return what applies inside a block with these attributes."""
        return self._context.hidden() if name in self._unseen else self._context.with_said(name, given)

    def _begin_block(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        if name in ("dt", "dd"):
            self._close_definition(start)
        self._push(name, self._said(name, given))

    def _begin_heading(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        self._push(name, context._replace(kind=BlockKind.HEADING, level=elements.HEADINGS[name], label=""))

    def _begin_caption(self, name: str, given: str, start: int) -> None:
        if name == "caption" and self._tables:
            self._close_to(("table",), start)
            self._tables.mark_header()
        self._push(name, self._said(name, given)._replace(kind=BlockKind.CAPTION, level=0, label=""))

    def _begin_code(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        label = elements.language_in(attributes(given)) if given else ""
        self._push(
            name, self._said(name, given)._replace(kind=BlockKind.CODE, level=0, label=label, is_preformatted=True)
        )

    def _begin_list(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        depth = context.listing.depth + 1 if context.listing else 1
        said = attributes(given)
        # <ol reversed> without a start counts down from the number of its items.
        if depth == 1 and "reversed" in said and "start" not in said:
            said["start"] = str(elements.count_items(self._text, start))
        self._push(name, context._replace(listing=elements.listing_of(name, said, depth), item=None))

    def _begin_item(self, name: str, given: str, start: int) -> None:
        self._close_before("p", start)
        before = self._context
        # An item ends the one before it in the same list, not that of an outer one.
        if before.item is not None and (before.listing is None or before.item.listing is before.listing):
            self._close(name, start)
        context = self._said(name, given)
        listing = context.listing or elements.listing_of("ul", {}, 1)
        self._push(name, context._replace(item=OpenListItem(listing, elements.mark_of(listing, attributes(given)))))

    def _begin_table(self, name: str, given: str, start: int) -> None:
        self._close_before(name, start)
        context = self._said(name, given)
        is_layout = "role" in given and attributes(given).get("role", "").lower() in ("presentation", "none")
        self._tables.begin(start, is_layout)
        self._push(name, context, closer=lambda end: self._tables.end(self._text, end, self._page, self._part))

    def _begin_section(self, name: str, given: str, start: int) -> None:
        self._close_to(("table",), start)
        if name == "thead":
            self._tables.mark_header()
        self._push(name, self._said(name, given))

    def _begin_row(self, name: str, given: str, start: int) -> None:
        self._close_to(_IN_A_SECTION, start)
        self._tables.begin_row()
        self._push(name, self._said(name, given))

    def _begin_cell(self, name: str, given: str, start: int) -> None:
        """Open a cell; outside of a table, or too deep, it is a block."""
        self._close_to(_IN_A_ROW, start)
        context = self._said(name, given)
        if context.item is not None:
            context = context._replace(item=None)
        table = self._tables.innermost
        if table is None:
            self._push(name, context)
        else:
            self._tables.begin_cell(table, given, is_header=name == "th")
            self._push(name, context, closer=self._tables.end_cell)


_Handler = Callable[[HtmlWalker, str, str, int], None]


def _all_handlers() -> dict[str, _Handler]:
    handlers: dict[str, _Handler] = dict.fromkeys(elements.BLOCKS, HtmlWalker._begin_block)
    handlers |= dict.fromkeys(elements.HEADINGS, HtmlWalker._begin_heading)
    handlers |= dict.fromkeys(elements.LISTS, HtmlWalker._begin_list)
    handlers |= dict.fromkeys(("pre", "listing", "xmp", "plaintext"), HtmlWalker._begin_code)
    handlers |= dict.fromkeys(("caption", "figcaption"), HtmlWalker._begin_caption)
    handlers |= dict.fromkeys(elements.TABLE_SECTIONS, HtmlWalker._begin_section)
    handlers |= dict.fromkeys(("td", "th"), HtmlWalker._begin_cell)
    return handlers | {"li": HtmlWalker._begin_item, "table": HtmlWalker._begin_table, "tr": HtmlWalker._begin_row}


_HANDLERS = _all_handlers()
