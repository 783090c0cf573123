"""How runs of a DOCX look: what is equal, what is hidden, what is code, and a word for the difference of two."""

from __future__ import annotations

from collections.abc import Hashable

from app.documents.formats.word.styles import NO_STYLE, RUN_PROPERTIES, VAL, Style, Styles, W, is_on, look
from app.documents.xml_tree import Element

_NO_LOOK = frozenset(
    f"{W}{name}" for name in ("lang", "noProof", "rPrChange", "rtl", "cs", "webHidden", "ins", "moveTo")
)
_WITH_SPACE = frozenset(f"{W}{name}" for name in ("u", "strike", "dstrike", "highlight", "shd", "bdr", "em"))
_SWITCHES = {"b": "bold", "i": "italic", "strike": "strike", "dstrike": "strike"}
_NAMED = {"hyperlink": "link", "followed hyperlink": "link", "footnote reference": "note"}


class Looks:
    """Looks at runs. `root` is the root of styles.xml, None where there is none."""

    def __init__(self, root: Element | None) -> None:
        self.styles = Styles(root)
        self.is_typewritten = False
        """The document is in a font for code as a whole, which then says nothing."""
        self._elements = (
            {each.get(f"{W}styleId", ""): each for each in root.iter(f"{W}style")} if root is not None else {}
        )

    def paragraph_style(self, paragraph: Element) -> Style:
        """The style a paragraph has."""
        named = paragraph.find(f"{W}pPr/{W}pStyle")
        return self.styles.find(named.get(VAL, "") if named is not None else self.styles.default)

    def key(self, run: Element) -> Hashable:
        """Equal for runs that look alike; languages and directions are no look."""
        properties = run.find(RUN_PROPERTIES)
        if properties is None:
            return ()
        return tuple(filter(None, (_said(each) for each in properties if isinstance(each.tag, str))))

    def is_hidden(self, run: Element, style: Style) -> bool:
        """Whether a run is not shown at all."""
        return bool(self._seen(run, style)[0])

    def is_monospace(self, run: Element, style: Style) -> bool:
        """Whether a run is in a font for code."""
        return bool(self._seen(run, style)[1]) and not self.is_typewritten

    def shows_space(self, run: Element) -> bool:
        """Whether white space can be seen in this look: underlined, marked."""
        properties = run.find(RUN_PROPERTIES)
        return properties is not None and any(each.tag in _WITH_SPACE for each in properties)

    def difference(self, base: Element, other: Element) -> str:
        """A word of `Mark.look` for what the second has and the first has not."""
        mine, theirs = self._words(base), self._words(other)
        return next((word for word in theirs if word not in mine), "other")

    def _seen(self, run: Element, style: Style) -> tuple[bool | None, bool | None]:
        properties = run.find(RUN_PROPERTIES)
        hidden, monospace = look(properties) if properties is not None else (None, None)
        named = properties.find(f"{W}rStyle") if properties is not None else None
        for each in (self.styles.find(named.get(VAL, "")) if named is not None else NO_STYLE, style):
            hidden = each.is_hidden if hidden is None else hidden
            monospace = each.is_monospace if monospace is None else monospace
        return hidden, monospace

    def _words(self, run: Element) -> list[str]:
        properties = run.find(RUN_PROPERTIES)
        if properties is None:
            return []
        named = properties.find(f"{W}rStyle")
        style = self._elements.get(named.get(VAL, "")) if named is not None else None
        words = _looks_of(properties)
        if style is not None:
            name = style.find(f"{W}name")
            words += [_NAMED.get(name.get(VAL, "").lower(), "") if name is not None else ""]
            inside = style.find(RUN_PROPERTIES)
            words += _looks_of(inside) if inside is not None else []
        return [word for word in words if word]


def _looks_of(properties: Element) -> list[str]:
    words = []
    for each in properties:
        name = each.tag.removeprefix(W) if isinstance(each.tag, str) else ""
        value = each.get(VAL, "1")
        if name in _SWITCHES and is_on(value):
            words.append(_SWITCHES[name])
        elif name == "u" and value != "none":
            words.append("underline")
        elif name == "vertAlign" and value != "baseline":
            words.append("small")
    return words


def _said(element: Element) -> Hashable:
    """What an element of run properties says; None where it says nothing of the look."""
    if element.tag in _NO_LOOK:
        return None
    attributes = tuple(sorted((name, value) for name, value in element.attrib.items() if name != f"{W}hint"))
    if not attributes and element.tag == f"{W}rFonts":
        return None
    return element.tag, attributes, tuple(_said(each) for each in element if isinstance(each.tag, str))
