"""README of a repository reduced to plain Markdown.

Nothing is fetched; links open only after they were shown. Safety is not the purpose, as the result is only ever written
as characters: this makes it readable.
"""

from __future__ import annotations

import re

from app.ui.i18n import tr
from app.ui.text.markdown import MarkdownBlock, read
from app.ui.text.markdown_card import MarkdownCard
from app.ui.theme import Theme
from app.ui.widgets.timers import new_timer

CARD_SHORTENED = "*Shortened. The full card is on the Hub.*"

MOST_CHARACTERS = 40_000

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNREAD = ("script", "style", "svg", "iframe", "object", "head")
_PARAGRAPH = ("\n\n", "\n\n")
_INSTEAD: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("blockquote", "center", "details", "div", "dl", "dt", "figure", "form", "hr", "p", "pre", "section"),
        _PARAGRAPH,
    ),
    **dict.fromkeys(("table", "ul", "ol", "tr"), _PARAGRAPH),
    **dict.fromkeys(
        ("a", "abbr", "b", "big", "button", "caption", "cite", "code", "col", "dd", "del", "em", "figcaption", "font"),
        ("", ""),
    ),
    **dict.fromkeys(
        ("i", "img", "input", "ins", "kbd", "link", "mark", "meta", "picture", "q", "s", "small", "source", "span"),
        ("", ""),
    ),
    **dict.fromkeys(
        (
            "base",
            "body",
            "embed",
            "html",
            "iframe",
            "object",
            "strike",
            "strong",
            "sub",
            "summary",
            "sup",
            "tbody",
            "thead",
            "tt",
            "u",
            "video",
            "audio",
        ),
        ("", ""),
    ),
    **{f"h{level}": (f"\n\n{'#' * level} ", "\n\n") for level in range(1, 7)},
    "br": ("\u2028", "\u2028"),
    "li": ("\n- ", ""),
    "td": ("", " "),
    "th": ("", " "),
}
"""Replacements of opening and closing tags. Unknown tags are shown as text."""
# Inline code is kept; every other part of the pattern ends at the next "<", so that nothing is read twice.
_TAG = re.compile(r"`[^`\n]+`|<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[\s/][^<>]*)?)>")
_CAPITALS = re.compile("[A-Z]+")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_PICTURE = re.compile(r"`[^`\n]+`|!\[([^\[\]\n]{0,300})\]\([^()\n]{0,2000}\)")
_INSIDE_LINK = re.compile(
    r"`[^`\n]+`|(?<!!)\[([^\[\]\n]{0,300})\]\((?!https?://|mailto:)[^()\n]{0,2000}\)", re.IGNORECASE
)
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")


def readable(card: str) -> tuple[str, bool]:
    """Return the card as Markdown without HTML and pictures, and whether it was cut."""
    is_long = len(card) > MOST_CHARACTERS
    if is_long:
        # At the end of a line, unless that would drop more than half of the text.
        cut = card.rfind("\n", 0, MOST_CHARACTERS)
        card = card[: cut if cut > MOST_CHARACTERS // 2 else MOST_CHARACTERS]
    return "".join(part if is_code else _clean(part) for is_code, part in _parts(card)), is_long


def _parts(text: str) -> list[tuple[bool, str]]:
    """Split text into fenced code and the rest, in turn."""
    parts: list[tuple[bool, str]] = []
    lines: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        if (found := _FENCE.match(line)) and not fence:
            parts.append((False, "".join(lines)))
            lines, fence = [line], found[1]
        # By CommonMark a fence ends with one of its kind that is as long or longer, and nothing behind it.
        elif found and found[1][0] == fence[0] and len(found[1]) >= len(fence) and not line[found.end() :].strip():
            parts.append((True, "".join([*lines, line])))
            lines, fence = [], ""
        else:
            lines.append(line)
    return [*parts, (bool(fence), "".join(lines))]


def _clean(text: str) -> str:
    text = _without_between(text, "<!--", "-->")
    for name in _UNREAD:
        text = _without_between(text, f"<{name}", f"</{name}>")
    # Lines are unindented only where there is HTML: elsewhere four blanks mean code.
    text = "".join(_line(line) for line in text.splitlines(keepends=True)) if "<" in text else text
    return _INSIDE_LINK.sub(_label, _PICTURE.sub(_label, _TAG.sub(_tag, text)))


def _without_between(text: str, start: str, end: str) -> str:
    """Remove everything from each `start` to its `end`, or to the end of the text."""
    # Tags are written in capitals, too. Only ASCII: other letters may change their length in lower case.
    lower = _CAPITALS.sub(lambda found: found[0].lower(), text)
    kept: list[str] = []
    at = 0
    while (begin := lower.find(start, at)) >= 0:
        kept.append(text[at:begin])
        stop = lower.find(end, begin + len(start))
        at = len(text) if stop < 0 else stop + len(end)
    return "".join([*kept, text[at:]])


def _line(line: str) -> str:
    # Markdown would take an indented one for code.
    return line.lstrip(" \t") if "<" in line and not _LIST_ITEM.match(line) else line


def _tag(found: re.Match[str]) -> str:
    if (name := (found[2] or "").lower()) not in _INSTEAD:
        return found[0]  # code, and tags such as <think>
    if name == "img":
        alt = _ALT.search(found[3])
        return (alt[1] or alt[2] or alt[3] or "").replace("\n", " ") if alt else ""
    return _INSTEAD[name][1 if found[1] else 0]


def _label(found: re.Match[str]) -> str:
    return found[0] if found[1] is None else found[1]


BLOCKS_A_TURN = 12
MEASURE_PX = 700


def read_card(card: str) -> list[MarkdownBlock]:
    """Return the blocks of a card; slow for long ones, so call it on a thread."""
    text, is_long = readable(card)
    blocks = read(text)
    return [*blocks, *read(tr(CARD_SHORTENED))] if is_long else blocks


class CardView(MarkdownCard):
    """View of a model's card. Long cards are written in steps, to keep the window responsive."""

    most_px = MEASURE_PX

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._blocks: list[MarkdownBlock] = []
        self._shown = 0
        self._revision = 0
        self.setAccessibleName(tr("Model card"))
        self._delay = new_timer(self, 0, self._show_more)

    @property
    def is_complete(self) -> bool:
        return self._shown >= len(self._blocks)

    def show_blocks(self, blocks: list[MarkdownBlock]) -> None:
        """Show a parsed card; an empty list clears the view."""
        self._blocks, self._shown = blocks, 0
        self._revision += 1
        self._show_more()

    def _show_more(self) -> None:
        self._shown = min(self._shown + BLOCKS_A_TURN, len(self._blocks))
        self.body.set_blocks(self._blocks[: self._shown], [], self._revision)
        self._arrange()
        if not self.is_complete:
            self._delay.start()
