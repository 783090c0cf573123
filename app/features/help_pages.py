"""Help pages: Markdown files below `resources/help`, by language and name, and a search over all of them.

A translated page begins with a line such as `<!-- english: 0123456789ab -->`, which names the English text it was made
from: where that has changed since, the page is outdated. `packaging/help_translations.py` writes and compares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from math import log
from pathlib import Path

from app.core.catalogue import Translatable, tr
from app.core.installed_languages import ENGLISH
from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path, resource_root
from app.features.finding import Marks, marks_in, text_around
from app.language.language_names import WITHOUT_SPACES, is_rtl
from app.language.scripts import is_right_to_left
from app.store.database import fold_text

CHANGES = "whats-new"
"""Name of the page whose text is the changelog."""
WHATS_NEW: Translatable = "What’s new"
SOURCE_LINE = re.compile(r"<!-- english: ([0-9a-f]{12}) -->\n")
"""First line of a translated page: the version of the English page it was made from."""
TITLE_WEIGHT, KEYWORD_WEIGHT, CHANGES_WEIGHT = 4.0, 3.0, 0.25
"""How much a word counts in a title, among keywords and in the changelog, where 1 is for the text of any other page."""
STEM_SHARE, PART_SHARE = 0.5, 0.5
"""How much is left where only the stem of a word is there, or one of which it is made."""
LEAST_SHARE = 0.35
"""Pages that score less than this, compared with the best one, aren't shown."""
MOST_COUNTED, SHORTEST_STEM = 4, 4
RIGHT_TO_LEFT_MARK = "\u200f"
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

    @cached_property
    def plain_text(self) -> str:
        """The text as it is read, without the signs of Markdown."""
        return _SIGNS.sub("", _LINK.sub(r"\1", self.markdown))


@dataclass(frozen=True)
class HelpHit:
    """A page that words are about which were searched for, with a line of its text and the places of the words in it.

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
    title = heading.removeprefix("# ").strip()
    if is_rtl(language) and not is_right_to_left(title):
        # It begins with a name such as Hub, by which it would run from left to right wherever it is shown.
        title = RIGHT_TO_LEFT_MARK + title
    return HelpPage(name, title, markdown.strip(), language, is_outdated)


def help_file(name: str, language: str) -> Path:
    """Return where a page is in a language; it may not exist."""
    return resource_path(f"help/{language}/{name}.md")


def source_version(english: Path) -> str:
    """Return what tells this text of an English page from any other, the same with each system's line endings."""
    import hashlib  # a start reads no page

    return hashlib.sha256(english.read_text("utf-8").strip().encode()).hexdigest()[:12]


def search_help(
    names: Iterable[str], words: str, language: str, keywords: Mapping[str, str] | None = None
) -> list[HelpHit]:
    """Return the pages that these words are most likely about, best first; reads every page.

    `keywords` are other words for what a page is about. Rare words count more, those of a title most; the endings of
    words may differ.
    """
    pages = [load_help_page(name, language) for name in names]
    terms = _terms_of(words)
    found = {term: [_match_of(term, page, (keywords or {}).get(page.name, "")) for page in pages] for term in terms}
    # A word that is on every page, such as "how", says next to nothing.
    weights = {term: log((len(pages) + 1) / (sum(map(bool, of)) + 0.5)) for term, of in found.items()}
    whole = sum(weights.values()) or 1.0
    scores = [
        sum(weights[term] * of[place] for term, of in found.items())
        * sum(weights[term] for term, of in found.items() if of[place])
        / whole
        for place in range(len(pages))
    ]
    ranked = sorted(zip(scores, pages, strict=True), key=lambda scored: -scored[0])
    return [_hit_of(page, words, terms) for score, page in ranked if score and score >= LEAST_SHARE * ranked[0][0]]


def _match_of(term: str, page: HelpPage, keywords: str) -> float:
    """Return how much a page is about a word, 0 where it has none that begins so, nor a part of a compound."""
    # The changelog is as long as all other pages, and about everything.
    text_weight = 1.0 if page.name != CHANGES else CHANGES_WEIGHT
    texts = ((TITLE_WEIGHT, page.title), (KEYWORD_WEIGHT, keywords), (text_weight, page.plain_text))
    for part, share in ((term, 1.0), (_stem_of(term), STEM_SHARE)):
        counts = [(weight, len(marks_in(text, part))) for weight, text in texts]
        if weights := [weight * (1 + min(count, MOST_COUNTED) / MOST_COUNTED) for weight, count in counts if count]:
            return share * sum(weights)
    known = {word for word in fold_text(f"{page.title} {keywords}").split() if len(word) > SHORTEST_STEM}
    return PART_SHARE * KEYWORD_WEIGHT if any(word in fold_text(term) for word in known) else 0.0


def _hit_of(page: HelpPage, words: str, terms: Sequence[str]) -> HelpHit:
    text = page.plain_text
    shown = words if all(marks_in(f"{page.title}\n{text}", word) for word in words.split()) else " ".join(terms)
    return HelpHit(page, shown, *text_around(text, shown))


def _terms_of(words: str) -> list[str]:
    """Return the words, and of those that a script writes without spaces pairs of letters, as most of its words are."""
    terms: list[str] = []
    for run, letters in groupby(words, lambda letter: "" if letter.isspace() else bool(WITHOUT_SPACES.match(letter))):
        word = "".join(letters)
        if run is True and len(word) > 2:
            terms += [word[place : place + 2] for place in range(len(word) - 1)]
        elif run != "":
            terms.append(word)
    return list(dict.fromkeys(terms))


def _stem_of(word: str) -> str:
    """Return a word without its last letters, which most languages change: plural, tense, case."""
    return word if WITHOUT_SPACES.match(word) else word[: max(SHORTEST_STEM, len(word) - 2)]


def help_picture(name: str, *, is_dark: bool) -> Path | None:
    """Return a picture of a page, which only exists where `make pictures` has run before the program was packed."""
    path = resource_path(f"help/pictures/{name}-{'dark' if is_dark else 'light'}.png")
    return path if path.is_file() else None


def _changelog() -> Path:
    """Return the changelog: next to `resources` in a checkout and in a package, among them in an installed wheel."""
    beside = resource_root().parent / "CHANGELOG.md"
    return beside if beside.is_file() else resource_path("CHANGELOG.md")
