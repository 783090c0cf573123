"""Help pages: Markdown files below `resources/help`, by language and name, and a search over all of them.

A translated page begins with a line such as `<!-- english: 0123456789ab -->`, which names the English text it was made
from: where that has changed since, the page is outdated. `packaging/help_translations.py` writes and compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.catalogue import Translatable, tr
from app.core.installed_languages import ENGLISH
from app.core.paths import resource_path, resource_root
from app.features.finding import Marks, marks_in, text_around, title_fitness
from app.language.language_names import WITHOUT_SPACES

CHANGES = "whats-new"
"""Name of the page whose text is the changelog."""
WHATS_NEW: Translatable = "What’s new"
SOURCE_LINE = re.compile(r"<!-- english: ([0-9a-f]{12}) -->\n")
"""First line of a translated page: the version of the English page it was made from."""
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SIGNS = re.compile(r"\*\*|`|^[#*>] ?|^\|[-| :]+\|$|\|", re.MULTILINE)


@dataclass(frozen=True)
class HelpPage:
    """A page in a language: its title, and its Markdown without the title's line.

    `is_outdated` says that the English page has changed since this one was translated.
    """

    name: str
    title: str
    markdown: str
    language: str = ENGLISH
    is_outdated: bool = False

    @property
    def plain_text(self) -> str:
        """The text as it is read, without the signs of Markdown."""
        return _SIGNS.sub("", _LINK.sub(r"\1", self.markdown))


@dataclass(frozen=True)
class HelpHit:
    """A page that has all words that were searched for, with a line of its text and the places of the words in it.

    `words` are those that were found, which are parts of the typed ones in scripts without spaces.
    """

    page: HelpPage
    words: str
    snippet: str
    marks: Marks


def load_help_page(name: str, language: str) -> HelpPage:
    """Load a page in a language, or in English where it isn't translated. Raises OSError if there is none."""
    if name == CHANGES:
        _, _, markdown = _changelog().read_text("utf-8").partition("\n")
        return HelpPage(name, tr(WHATS_NEW), markdown.strip())
    path, source = help_file(name, language), help_file(name, ENGLISH)
    if not path.is_file():
        path, language = source, ENGLISH
    text = path.read_text("utf-8")
    made_from = SOURCE_LINE.match(text)
    heading, _, markdown = text[made_from.end() if made_from else 0 :].partition("\n")
    is_outdated = language != ENGLISH and (made_from is None or made_from[1] != source_version(source))
    return HelpPage(name, heading.removeprefix("# ").strip(), markdown.strip(), language, is_outdated)


def help_file(name: str, language: str) -> Path:
    """Return where a page is in a language; it may not exist."""
    return resource_path(f"help/{language}/{name}.md")


def source_version(english: Path) -> str:
    """Return what tells this text of an English page from any other, the same with each system's line endings."""
    import hashlib  # a start reads no page

    return hashlib.sha256(english.read_text("utf-8").strip().encode()).hexdigest()[:12]


def search_help(names: Iterable[str], words: str, language: str) -> list[HelpHit]:
    """Return the pages with all of these words, those with them in the title first; reads every page."""
    pages = [load_help_page(name, language) for name in names]
    return _find_pages(pages, words.split()) or _find_pages(pages, _parted(words))


def _find_pages(pages: Iterable[HelpPage], wanted: Sequence[str]) -> list[HelpHit]:
    words, ranked = " ".join(wanted), list[tuple[bool, int, HelpHit]]()
    for page in pages:
        text = page.plain_text
        counts = [len(marks_in(f"{page.title}\n{text}", word)) for word in wanted]
        if counts and all(counts):
            snippet, marks = text_around(text, words)
            hit = HelpHit(page, words, snippet, marks)
            ranked.append((title_fitness(page.title, words) is None, -sum(counts), hit))
    return [hit for _, _, hit in sorted(ranked, key=lambda entry: entry[:2])]


def _parted(words: str) -> list[str]:
    """Return the words, and of those that a script writes without spaces pairs of letters, as most of its words are."""
    parts: list[str] = []
    for word in words.split():
        if WITHOUT_SPACES.fullmatch(word) and len(word) > 2:
            parts += [word[place : place + 2] for place in range(0, len(word), 2)]
        else:
            parts.append(word)
    return parts


def help_picture(name: str, *, is_dark: bool) -> Path | None:
    """Return a picture of a page, which only exists where `make pictures` has run before the program was packed."""
    path = resource_path(f"help/pictures/{name}-{'dark' if is_dark else 'light'}.png")
    return path if path.is_file() else None


def _changelog() -> Path:
    """Return the changelog: next to `resources` in a checkout and in a package, among them in an installed wheel."""
    beside = resource_root().parent / "CHANGELOG.md"
    return beside if beside.is_file() else resource_path("CHANGELOG.md")
