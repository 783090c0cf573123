"""Help pages: Markdown files below `resources/help`, by language and name, and a search over all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.installed_languages import ENGLISH
from app.core.paths import resource_path, resource_root
from app.features.finding import Marks, marks_in, text_around, title_fitness

CHANGES = "whats-new"
"""Name of the page whose text is the changelog."""
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SIGNS = re.compile(r"\*\*|`|^[#*>] ?|^\|[-| :]+\|$|\|", re.MULTILINE)


@dataclass(frozen=True)
class HelpPage:
    """A page: its title, and its Markdown without the title's line."""

    name: str
    title: str
    markdown: str

    @property
    def plain_text(self) -> str:
        """The text as it is read, without the signs of Markdown."""
        return _SIGNS.sub("", _LINK.sub(r"\1", self.markdown))


@dataclass(frozen=True)
class HelpHit:
    """A page that has all words that were searched for, with a line of its text and the places of the words in it."""

    page: HelpPage
    snippet: str
    marks: Marks


def load_help_page(name: str, language: str) -> HelpPage:
    """Load a page in a language, or in English where it isn't translated. Raises OSError if there is none."""
    path = _changelog() if name == CHANGES else _page_file(name, language)
    heading, _, markdown = path.read_text("utf-8").partition("\n")
    return HelpPage(name, heading.removeprefix("# ").strip(), markdown.strip())


def search_help(names: Iterable[str], words: str, language: str) -> list[HelpHit]:
    """Return the pages with all of these words, those with them in the title first; reads every page."""
    wanted = words.split()
    ranked: list[tuple[bool, int, HelpHit]] = []
    for page in (load_help_page(name, language) for name in names):
        text = page.plain_text
        counts = [len(marks_in(f"{page.title}\n{text}", word)) for word in wanted]
        if counts and all(counts):
            snippet, marks = text_around(text, words)
            ranked.append((title_fitness(page.title, words) is None, -sum(counts), HelpHit(page, snippet, marks)))
    return [hit for _, _, hit in sorted(ranked, key=lambda entry: entry[:2])]


def help_picture(name: str, *, is_dark: bool) -> Path | None:
    """Return a picture of a page, which only exists where `make pictures` has run before the program was packed."""
    path = resource_path(f"help/pictures/{name}-{'dark' if is_dark else 'light'}.png")
    return path if path.is_file() else None


def _page_file(name: str, language: str) -> Path:
    translated = resource_path(f"help/{language}/{name}.md")
    return translated if translated.is_file() else resource_path(f"help/{ENGLISH}/{name}.md")


def _changelog() -> Path:
    """Return the changelog, which is next to `resources` in a checkout and in a package."""
    return resource_root().parent / "CHANGELOG.md"
