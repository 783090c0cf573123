"""What the elements and attributes of HTML mean for translating a page."""

from __future__ import annotations

from app.documents.formats.web import elements
from app.documents.segments import SegmentKind


def _named(text: str) -> frozenset[str]:
    return frozenset(text.split())


DRAWN_TEXTS = _named("text title desc foreignobject")
"""Texts of a drawing."""
BORDERS = elements.BLOCKS | _named("head title option optgroup")
"""A segment ends before and behind their tags."""
PREFORMATTED = _named("pre listing xmp plaintext")
OPAQUE = _named("code kbd samp math metadata")
"""Code and formulas in a text are left as they are."""
CODE = PREFORMATTED | _named("code kbd samp tt")
NESTED = _named("select button svg noscript template audio video canvas object picture map datalist")
"""They stand in a text as one thing, and have segments of their own inside."""
LISTS = elements.LISTS
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
LABELS = _named(
    "alt title placeholder aria-label aria-description aria-placeholder aria-valuetext aria-roledescription"
)
"""Attributes that are read."""
LABELS_OF = {
    "optgroup": ("label",), "option": ("label",), "track": ("label",), "table": ("summary",), "th": ("abbr",),
}  # fmt: skip
UNREAD_TITLES = frozenset(("link", "style"))
"""Their titles are names of style sheets."""
META = _named("description og:title og:description og:image:alt twitter:title twitter:description")
BUTTON_TYPES = frozenset(("submit", "button", "reset"))
ENDS = {
    "li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), "td": ("td", "th"), "th": ("td", "th"), "tr": ("tr",),
    "tbody": ("tbody", "thead", "tfoot"), "thead": ("tbody", "thead", "tfoot"), "tfoot": ("tbody", "thead", "tfoot"),
    "option": ("option",), "optgroup": ("optgroup", "option"), "body": ("head",),
}  # fmt: skip
"""What a tag ends without saying so, beside the paragraph that any block ends."""
HOLDS = {
    "li": LISTS, "dt": ("dl",), "dd": ("dl",), "td": ("tr", "table"), "th": ("tr", "table"), "tr": ("table",),
    "tbody": ("table",), "thead": ("table",), "tfoot": ("table",),
}  # fmt: skip
"""Beyond these it ends nothing."""
