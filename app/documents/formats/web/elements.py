"""Roles of HTML elements for reading, and of their attributes."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import BlockKind
from app.documents.formats.markup.markup_tags import attributes
from app.documents.formats.office.paragraphs import spelled
from app.documents.segments import SegmentKind


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


BLOCKS = _name_set(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav noframes ol p "
    "plaintext pre search section summary table tbody td tfoot th thead tr ul xmp"
)
"""A line begins before them and ends behind them."""
PLAIN = _name_set(
    "a abbr acronym b bdi bdo big cite del dfn em font i ins kbd label mark q s samp small span strike strong sub tt u "
    "var"
)
"""Elements without effect unless hidden; most tags of a page are these."""
VOID = _name_set("area base basefont bgsound br col embed frame hr img input link meta param source track wbr")
RAW = _name_set("script style xmp iframe noembed textarea title plaintext")
"""Their content has no tags."""
UNSEEN = _name_set(
    "script style template noscript noframes noembed iframe audio video canvas datalist title annotation "
    "annotation-xml desc metadata"
)
"""Never shown, or only where the page cannot run."""
SHOWN_WITHOUT_SCRIPTS = frozenset(("noscript", "noframes"))
LISTS = frozenset(("ul", "ol", "menu", "dir"))
HEADINGS = {f"h{level}": level for level in range(1, 7)}
END_A_HEADING = _name_set("p ul ol dl table pre section article blockquote hr main nav footer") | HEADINGS.keys()
LINES_OF_CODE = _name_set("div p li ol ul dl dt dd section article figure address center form")
"""Elements that only start a line in preformatted text."""
PICTURES = frozenset(("img", "image", "embed"))
SCOPES = _name_set("table td th caption template noscript audio video canvas")
"""An end tag inside one of these closes nothing outside."""
TABLE_SECTIONS = _name_set("tbody thead tfoot colgroup")
SPACED = _name_set("mi mn mo ms mtext button select textarea")
"""Formulas' and forms' elements, which are separated although no white space says so."""
_WORDLESS_FIELDS = _name_set("hidden checkbox radio password image file color range")
_NOTE_TYPES = _name_set("footnote footnotes endnote endnotes rearnote rearnotes")
_NOTE_ROLES = _name_set("doc-footnote doc-endnote doc-endnotes")
# Only these, so that counting the items of a list need not parse the page.
_LIST_TAG = re.compile(r"<(/?)(ol|ul|menu|dir|li)\b", re.IGNORECASE)
_NONE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LANGUAGE = re.compile(r"(?:^|\s)(?:lang(?:uage)?-|highlight-source-|brush:\s*|sourceCode\s+)([\w+#.\-]+)")


class ElementContext(NamedTuple):
    """What applies to everything inside an element, until the element's end puts back what was before."""

    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    label: str = ""
    is_hidden: bool = False
    is_preformatted: bool = False
    is_foreign: bool = False
    hides_all: bool = False
    """In a drawing, which hides all but its texts: True if these are hidden too."""
    listing: OpenList | None = None
    item: OpenListItem | None = None

    def hidden(self) -> ElementContext:
        return self._replace(is_hidden=True, hides_all=True)

    def with_said(self, name: str, given: str) -> ElementContext:
        """Return what a block's attributes make of it. A note is read even where it waits hidden for a click."""
        if not given and name != "dialog":
            return self
        lower = given.lower()
        # EPUB 3 readers show a hidden note as a pop-up.
        if "note" in lower and is_note(attributes(given)):
            return self._replace(kind=BlockKind.NOTE, level=0, label="footnote")
        if is_said_hidden(name, given):
            return self.hidden()
        if "heading" in lower:
            said = attributes(given)
            if said.get("role", "").lower() == "heading":
                level = min(max(number_in(said.get("aria-level", ""), 2), 1), 9)
                return self._replace(kind=BlockKind.HEADING, level=level, label="")
        return self


@dataclass
class OpenList:
    """An open list, with the number and the step of its next item."""

    depth: int
    is_ordered: bool
    style: str = "1"
    number: int = 1
    step: int = 1


@dataclass
class OpenListItem:
    """An open list item; its first text is the item, and what follows are paragraphs."""

    listing: OpenList
    mark: str
    is_begun: bool = False


def listing_of(name: str, given: dict[str, str], depth: int) -> OpenList:
    step = -1 if "reversed" in given else 1
    return OpenList(depth, name == "ol", given.get("type", "1"), number_in(given.get("start", ""), 1), step)


def count_items(page: str, start: int) -> int:
    """Return how many items the list has whose tag begins at `start`: its first number where it counts down."""
    depth = items = 0
    for match in _LIST_TAG.finditer(page, start):
        slash, name = match.groups()
        if name.lower() == "li":
            items += depth == 1 and not slash
        else:
            depth += -1 if slash else 1
            if depth == 0:
                break
    return items


def mark_of(listing: OpenList, given: dict[str, str]) -> str:
    """Return the next item's mark: "•", or its number as the list writes numbers."""
    if not listing.is_ordered:
        return "•"
    number = number_in(given.get("value", ""), listing.number)
    listing.number = number + listing.step
    return f"{_write_number(number, given.get('type', listing.style))}."


def number_in(text: str, otherwise: int) -> int:
    """Return the whole number at the beginning of an attribute."""
    match = re.match(r"\s*([+-]?\d{1,9})", text)
    return int(match[1]) if match else otherwise


def is_said_hidden(name: str, given: str) -> bool:
    """Return whether the attributes of an element say that it is not shown; style sheets are not read.

    A whole page hides itself until its script has run, which never happens here.
    """
    if (not given and name != "dialog") or name in ("html", "body"):
        return False
    lower = given.lower()
    if "hidden" not in lower and "none" not in lower and name != "dialog":
        return False  # most tags, which need not be read for it
    said = attributes(given)
    # "until-found" is content that a search in the page opens.
    if said.get("hidden", "until-found").lower() != "until-found" or (name == "dialog" and "open" not in said):
        return True
    return _NONE.search(said.get("style", "")) is not None


def is_note(given: dict[str, str]) -> bool:
    """Return whether a block is a footnote or an endnote, by its role, its `epub:type` or its class."""
    types = given.get("epub:type", "").lower().split() + given.get("class", "").lower().split()
    return not _NOTE_TYPES.isdisjoint(types) or not _NOTE_ROLES.isdisjoint(given.get("role", "").lower().split())


def language_in(given: dict[str, str]) -> str:
    """Return the language of a block of code, as highlighters write it into the class."""
    match = _LANGUAGE.search(given.get("class", ""))
    return match[1] if match else ""


def words_of_field(given: dict[str, str]) -> str:
    return "" if given.get("type", "text").strip().lower() in _WORDLESS_FIELDS else given.get("value", "")


def _write_number(number: int, style: str) -> str:
    if style in "aA" and style and number > 0:
        letters = ""
        while number:
            number, digit = divmod(number - 1, 26)
            letters = chr(ord(style) + digit) + letters
        return letters
    return spelled(number, style)


DRAWN_TEXTS = _name_set("text title desc foreignobject")
"""Texts of a drawing."""
BORDERS = BLOCKS | _name_set("head title option optgroup")
"""A segment ends before and behind their tags."""
PREFORMATTED = _name_set("pre listing xmp plaintext")
OPAQUE = _name_set("code kbd samp math metadata")
"""Code and formulas in a text are left as they are."""
CODE = PREFORMATTED | _name_set("code kbd samp tt")
NESTED = _name_set("select button svg noscript template audio video canvas object picture map datalist")
"""Elements that are one thing in a text, with segments of their own inside."""
KINDS = {
    "li": SegmentKind.LIST_ITEM, "td": SegmentKind.CELL, "th": SegmentKind.CELL, "caption": SegmentKind.CAPTION,
    "figcaption": SegmentKind.CAPTION, "option": SegmentKind.LABEL, "button": SegmentKind.LABEL,
    "legend": SegmentKind.LABEL, "svg": SegmentKind.LABEL, "dt": SegmentKind.PARAGRAPH, "dd": SegmentKind.PARAGRAPH,
}  # fmt: skip
_LOOKS = {
    "bold": "b strong", "italic": "i em cite dfn var address", "underline": "u ins", "strike": "s strike del",
    "link": "a", "small": "small sub sup rt rp", "code": "code kbd samp tt", "formula": "math", "break": "br",
    "image": "img image svg picture object video audio canvas embed map area",
    "field": "input select button textarea option",
}  # fmt: skip
LOOKS = {name: look for look, names in _LOOKS.items() for name in names.split()}
LABELS = _name_set(
    "alt title placeholder aria-label aria-description aria-placeholder aria-valuetext aria-roledescription"
)
"""Attributes that are read."""
LABELS_OF = {
    "optgroup": ("label",), "option": ("label",), "track": ("label",), "table": ("summary",), "th": ("abbr",),
}  # fmt: skip
UNREAD_TITLES = frozenset(("link", "style"))
"""Their titles are names of style sheets."""
META = _name_set("description og:title og:description og:image:alt twitter:title twitter:description")
BUTTON_TYPES = frozenset(("submit", "button", "reset"))
ENDS = {
    "li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), "td": ("td", "th"), "th": ("td", "th"), "tr": ("tr",),
    "tbody": ("tbody", "thead", "tfoot"), "thead": ("tbody", "thead", "tfoot"), "tfoot": ("tbody", "thead", "tfoot"),
    "option": ("option",), "optgroup": ("optgroup", "option"), "body": ("head",),
}  # fmt: skip
"""Elements that a tag ends implicitly, besides the paragraph that any block ends."""
HOLDS = {
    "li": LISTS, "dt": ("dl",), "dd": ("dl",), "td": ("tr", "table"), "th": ("tr", "table"), "tr": ("table",),
    "tbody": ("table",), "thead": ("table",), "tfoot": ("table",),
}  # fmt: skip
"""Beyond these it ends nothing."""
