"""Languages and directions that a page declares, and how its translation declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.documents.formats.markup import markup_tags
from app.documents.formats.markup.markup_tags import TAG, AttributeValue
from app.documents.formats.markup.tagged_text import TextEdit
from app.documents.source import TargetLanguage
from app.language.language_names import is_rtl

_KEYS = ("lang", "xml:lang")
_SPECIAL = ("", "und", "mul")
"""They name no language."""
_BEFORE_ROOT = re.compile(r"\s*(?:(?><!--.*?-->)\s*)*+<!doctype[^>]*>", re.DOTALL | re.IGNORECASE)
_ROOTS = re.compile(r"<(?:\w+:)?(?:html|body)\b", re.IGNORECASE)
_Said = Mapping[str, AttributeValue]


def primary(tag: str) -> str:
    """Return the language of a tag, without its region and script."""
    return tag.strip().lower().replace("_", "-").partition("-")[0]


class PageLanguages:
    """Gathers what the tags of one page say. `language` is the page's where it says nothing itself."""

    def __init__(self, text: str, is_xml: bool, language: str) -> None:
        self._text = text
        self._is_xml = is_xml
        self.source = primary(_said_of_all(text)) or primary(language)
        """"" where it is not known; then no part of the page is in another language."""
        self._root: tuple[int, _Said] | None = None
        self._same: list[_Said] = []
        self._others: list[tuple[int, str]] = []
        self._code: list[int] = []

    def is_other(self, name: str, said: _Said, at: int) -> bool:
        """Record a tag, whose attributes begin at `at`; return whether it starts another language."""
        if name == "html":
            self._root = self._root or (at, said)
            return False
        if not said:
            return False
        if name == "meta":
            self._take_meta(said)
        tag = next((said[key].value for key in _KEYS if key in said), None)
        if tag is None:
            return False
        # Marked as the page's own language: it becomes the target's like the page.
        if name == "body" or not self.source or primary(tag) in (*_SPECIAL, self.source):
            self._same.append({key: said[key] for key in (*_KEYS, "dir") if key in said})
            return False
        # A quotation in another language keeps its direction where the page's turns.
        if "dir" not in said:
            self._others.append((at, tag))
        return True

    def take_code(self, said: _Said, at: int) -> None:
        """Record a tag that starts code, which is left-to-right in every language."""
        if "dir" not in said:
            self._code.append(at)

    def _take_meta(self, said: _Said) -> None:
        kind = said.get("http-equiv")
        if kind is not None and kind.value.strip().lower() == "content-language" and "content" in said:
            self._same.append({"lang": said["content"]})

    def edits(self, target: TargetLanguage) -> Iterator[TextEdit]:
        """Yield what makes the page say that it is in the target language."""
        yield from self._root_edits(target)
        for said in self._same:
            yield from (_set_attribute(said[key], target.language) for key in _KEYS if key in said)
            if "dir" in said:
                yield _set_attribute(said["dir"], _direction_word(target.is_rtl))
        for at, tag in self._others:
            if is_rtl(tag) != target.is_rtl:
                yield TextEdit(at, at, (f' dir="{_direction_word(is_rtl(tag))}"',))
        if target.is_rtl:
            yield from (TextEdit(at, at, (' dir="ltr"',)) for at in self._code)

    def _root_edits(self, target: TargetLanguage) -> Iterator[TextEdit]:
        needed = f' lang="{target.language}"' if not self._is_xml else f' xml:lang="{target.language}"'
        direction = ' dir="rtl"' if target.is_rtl else ""
        if self._root is None:
            # HTML may leave the tag out, and then there is nothing to put an attribute into.
            if not self._is_xml:  # its tag may be left out
                before = _BEFORE_ROOT.match(self._text)
                at = before.end() if before else 0
                yield TextEdit(at, at, (f"<html{needed}{direction}>",))
            return
        at, said = self._root
        yield from (_set_attribute(said[key], target.language) for key in _KEYS if key in said)
        if "dir" in said:
            yield _set_attribute(said["dir"], _direction_word(target.is_rtl))
            direction = ""
        if "lang" in said or (self._is_xml and "xml:lang" in said):
            needed = ""
        if needed or direction:
            yield TextEdit(at, at, (needed + direction,))


def _said_of_all(text: str) -> str:
    """Return what the page's outermost tags say, the body last."""
    found = ""
    for start in _ROOTS.finditer(text):
        tag = TAG.match(text, start.start())
        if tag is None:
            continue
        said = markup_tags.attributes_at(tag[3], tag.start(3))
        found = next((said[key].value for key in _KEYS if key in said), found)
        if tag[2].lower().endswith("body"):
            break
    return found


def _direction_word(is_right: bool) -> str:
    return "rtl" if is_right else "ltr"


def _set_attribute(attribute: AttributeValue, value: str) -> TextEdit:
    new = f'="{value}"' if attribute.quote == "?" else value
    return TextEdit(attribute.start, attribute.end, (new,))
