"""What the styles of an OpenDocument say about its text: what is code, and which looks are none."""

from __future__ import annotations

from app.documents.formats.opendocument.styles import STYLE, Role, Styles
from app.documents.xml_tree import Element

_REVISION = "rsid"
_PROPERTIES = f"{STYLE}text-properties"
_LOOKS = {
    "font-weight": ("bold", ("normal", "400")),
    "font-style": ("italic", ("normal",)),
    "text-underline-style": ("underline", ("none",)),
    "text-line-through-style": ("strike", ("none",)),
    "text-line-through-type": ("strike", ("none",)),
    "text-position": ("small", ("0%", "0% 100%")),
}


class TextStyles:
    """The styles of all parts that were added."""

    def __init__(self) -> None:
        self._styles = Styles()
        self._silent: set[str] = set()
        self._looks: dict[str, str] = {}
        self._parents: dict[str, str] = {}

    def add(self, root: Element) -> None:
        """Takes in what is defined below an element."""
        self._styles.add(root)
        for style in root.iter(f"{STYLE}style"):
            if style.get(f"{STYLE}family") == "text":
                name = style.get(f"{STYLE}name", "")
                self._parents[name] = style.get(f"{STYLE}parent-style-name", "")
                said = [key for each in style for key in each.attrib]
                if all(_REVISION in key for key in said) and not self._parents[name]:
                    self._silent.add(name)
                if look := _look(style):
                    self._looks[name] = look

    def role(self, name: str) -> Role:
        """What a style makes of a paragraph."""
        return self._styles.find(name).role

    def is_code(self, name: str) -> bool:
        """Whether its text is code."""
        return self.role(name) is Role.CODE

    def is_silent(self, name: str) -> bool:
        """Whether a text style changes no look: LibreOffice marks with such ones what was typed at one time."""
        return name in self._silent

    def look(self, name: str) -> str:
        """How a text of a text style looks, in words of `Mark`."""
        for _ in range(30):
            if name in self._looks:
                return self._looks[name]
            if name not in self._parents:
                break
            name = self._parents[name]
        lower = name.lower()
        return "bold" if lower.startswith("strong") else "italic" if lower.startswith("emphasis") else "other"


def _look(style: Element) -> str:
    for properties in style.iter(_PROPERTIES):
        for key, value in properties.items():
            found = _LOOKS.get(key.rpartition("}")[2])
            if found is not None and value not in found[1]:
                return found[0]
    return ""
