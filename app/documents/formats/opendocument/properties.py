"""The tags of an OpenDocument's styles that say languages and directions, with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.documents.formats.markup.stretches import Edit
from app.documents.formats.markup.tokens import Attribute

DEFAULT, STYLE, STYLES = "style:default-style", "style:style", "office:styles"
PAGE_PROPERTIES, TEXT_PROPERTIES = "style:page-layout-properties", "style:text-properties"
PARAGRAPH_PROPERTIES = "style:paragraph-properties"


@dataclass(frozen=True)
class Properties:
    """Properties of the style `style`; of a default style, or a page layout, with `is_default`."""

    name: str
    style: str
    family: str
    is_default: bool
    at: int
    """Where its attributes begin."""
    said: Mapping[str, Attribute]


@dataclass(frozen=True)
class StyleTag:
    """A tag that holds styles or properties, and ends at `end`."""

    name: str
    raw: str
    style: str
    family: str
    end: int
    is_empty: bool

    def inserted(self, content: str) -> Edit:
        """With something at its beginning."""
        if not self.is_empty:
            return Edit(self.end, self.end, (content,))
        return Edit(self.end - 2, self.end, (f">{content}</{self.raw}>",))


class StyleTags:
    """Gathers them in one part. `prefixes` has the file's own prefixes by the usual ones."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self.properties: list[Properties] = []
        self.tags: list[StyleTag] = []
        self._prefixes = prefixes
        self._owner = StyleTag("", "", "", "", 0, False)

    def take(self, raw: str, name: str, said: dict[str, Attribute], at: tuple[int, int], *, is_empty: bool) -> None:
        """A tag; `at` is where its attributes begin, and where it ends."""
        if name.endswith("-properties"):
            owner = self._owner
            is_default = owner.name == DEFAULT or name == PAGE_PROPERTIES
            self.properties.append(Properties(name, owner.style, owner.family, is_default, at[0], said))
        elif name == STYLES or (name.startswith("style:") and not name.startswith(("style:tab", "style:header"))):
            family, style = said.get("style:family"), said.get("style:name")
            tag = StyleTag(name, raw, style.value if style else "", family.value if family else "", at[1], is_empty)
            self.tags.append(tag)
            self._owner = tag

    def spelled(self, wanted: Mapping[str, str]) -> str:
        """Attributes as source, those whose prefix the file has."""
        found = ""
        for key, value in wanted.items():
            prefix, _, name = key.partition(":")
            if prefix in self._prefixes:
                found += f' {self._prefixes[prefix]}:{name}="{value}"'
        return found

    def spelled_element(self, name: str, wanted: Mapping[str, str], content: str = "") -> str:
        """An element as source, "" where the file lacks its prefix."""
        prefix, _, local = name.partition(":")
        if prefix not in self._prefixes:
            return ""
        raw = f"{self._prefixes[prefix]}:{local}"
        return f"<{raw}{self.spelled(wanted)}>{content}</{raw}>"

    def set(self, each: Properties, wanted: Mapping[str, str]) -> Iterator[Edit]:
        """Properties with these attributes."""
        for key, value in wanted.items():
            said = each.said.get(key)
            if said is not None:
                yield Edit(said.start, said.end, (value,))
        if new := self.spelled({key: value for key, value in wanted.items() if key not in each.said}):
            yield Edit(each.at, each.at, (new,))
