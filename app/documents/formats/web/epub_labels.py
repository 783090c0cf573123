"""What a book says beside its pages: titles in its package and its table of contents, its language and direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.documents.formats.markup.attributes import label
from app.documents.formats.markup.elements import ElementAt, elements_in, text_labels
from app.documents.formats.markup.stretches import Edit, Stretch
from app.documents.formats.web.languages import primary
from app.documents.visits import Target
from app.language.names import is_rtl

_METADATA = ("metadata", "dc-metadata")
_PROGRESSION = "page-progression-direction"


def ncx_labels(text: str) -> list[Stretch]:
    """The title and the lines of a table of contents of EPUB 2."""
    found = [each for each in elements_in(text) if each.name == "text" and each.path[-2:-1] != ("docauthor",)]
    return _in_order(text_labels(text, found))


def package_labels(text: str) -> list[Stretch]:
    """The title and the description of a book, and the names of its parts in the guide of EPUB 2."""
    elements = list(elements_in(text))
    read = [each for each in elements if _is_in_metadata(each) and each.name in ("title", "description")]
    titles = (each.said["title"] for each in elements if each.name == "reference" and "title" in each.said)
    guide = [found for title in titles if title.value.strip() and (found := label(text, title, 0)) is not None]
    return _in_order([*text_labels(text, read), *guide])


def package_language(text: str) -> str:
    """The language that a package names, "" without one."""
    languages = (each for each in elements_in(text) if _is_in_metadata(each) and each.name == "language")
    return next((text[each.start : each.end].strip() for each in languages), "")


def language_edits(text: str, target: Target, language: str) -> Iterator[Edit]:
    """What makes a file beside the pages say that it is in the target language, where it names the book's."""
    for element in elements_in(text):
        said = element.said.get("xml:lang")
        if said is not None and primary(said.value) == primary(language):
            yield Edit(said.start, said.end, (target.language,))


def package_edits(text: str, target: Target) -> Iterator[Edit]:
    """The same of a package, with the direction in which its pages are turned.

    A book of a language from left to right whose pages turn the other way is written in columns: that stays, unless
    it becomes one from right to left.
    """
    language = package_language(text)
    yield from language_edits(text, target, language)
    is_named = False
    for element in elements_in(text):
        if element.name == "language" and _is_in_metadata(element) and not is_named:
            is_named = True
            yield Edit(element.start, element.end, (target.language,))
        elif element.name in _METADATA and not is_named:
            new = f'<dc:language xmlns:dc="http://purl.org/dc/elements/1.1/">{target.language}</dc:language>'
            is_named = True
            yield Edit(element.end, element.end, (new,))
        elif element.name == "spine":
            yield from _progression(element, target, was_rtl=is_rtl(language))


def _progression(spine: ElementAt, target: Target, *, was_rtl: bool) -> Iterator[Edit]:
    said = spine.said.get(_PROGRESSION)
    if said is None and target.is_rtl:
        yield Edit(spine.given_at, spine.given_at, (f' {_PROGRESSION}="rtl"',))
    elif said is not None and (target.is_rtl or was_rtl):
        yield Edit(said.start, said.end, ("rtl" if target.is_rtl else "ltr",))


def _is_in_metadata(element: ElementAt) -> bool:
    return len(element.path) > 1 and element.path[-2] in _METADATA


def _in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    return sorted(stretches, key=lambda each: each.start)
