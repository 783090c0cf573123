"""Search chats, summaries, translations and pages, and mark the matches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.language.language_names import WITHOUT_SPACES
from app.store.database import Database, fold_text
from app.store.text_search import FoundText, TextSearch

if TYPE_CHECKING:
    from app.features.retrieval.message_index import MessageIndex

CHAT, SUMMARY, TRANSLATION, PAGE = "chat", "summary", "translation", "page"
KINDS = (CHAT, SUMMARY, TRANSLATION, PAGE)
CANDIDATES = 200
"""The newest places of a kind, among which the best come first."""
SNIPPET_CHARACTERS = 120
BEFORE_CHARACTERS = 30
"""Of a snippet, before the first word that was found."""

Marks = tuple[tuple[int, int], ...]
"""Stretches of characters that are to be marked, from the first to before the last."""


@dataclass(frozen=True)
class SearchHit:
    """A match.

    `kind` is one of `KINDS`, `id` the number of the item, `message_id` the message of a chat, 0 for its title or
    another kind. `snippet` is one line of the text, "" for a title; `marks` are the matches in it. `at` is when it
    was written, in seconds since 1970.
    """

    kind: str
    id: int
    message_id: int
    title: str
    snippet: str
    marks: Marks
    at: float


@dataclass(frozen=True)
class SearchQuery:
    """A parsed query: its words, and prefixes of the tags and projects that limit it."""

    words: str
    tags: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        return bool(self.tags or self.projects)


def parse_query(query: str) -> SearchQuery:
    """Parse `tag:work` and `project:"New house"` out of a query."""
    names: dict[str, list[str]] = {"tag": [], "project": []}
    for found in _LIMIT.finditer(query):
        if name := (found[2] or found[3] or "").strip():
            names[found[1].lower()].append(name)
    if not any(names.values()):
        return SearchQuery(query)
    return SearchQuery(" ".join(_LIMIT.sub(" ", query).split()), tuple(names["tag"]), tuple(names["project"]))


class HistorySearch:
    """From any thread; a search takes some hundredths of a second, more in scripts without spaces."""

    def __init__(self, database: Database) -> None:
        self._search = TextSearch(database)

    def search_text(
        self,
        query: str,
        limit: int = 50,
        *,
        kinds: Iterable[str] = KINDS,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> list[SearchHit]:
        """Return matches, best first: words in titles, exact phrases, then all others; newest first in each.

        Words match in any order, the last one as a prefix, ignoring case and accents. A query may be limited to chats
        with a tag or of a project, see `parse_query`.
        """
        limits, wanted = parse_query(query), set(kinds)
        query, within = limits.words, None
        if limits.is_limited:
            # Only chats have tags and projects.
            wanted &= {CHAT}
            within = self._search.chats_in(limits.tags, limits.projects)
        # A limit alone lists the chats that it names.
        if not _words_of(query) and within is None:
            return []
        found: list[tuple[int, FoundText | int, float]] = []
        if CHAT in wanted:
            found += [(0, title, title.at) for title in self._search.find_titles(query, limit, within=within)]
            found += self._find_messages(query, is_cancelled, within)
            found += [(2, picture, picture.at) for picture in self._search.find_pictures(query, limit, within=within)]
        # Between two kinds, since each takes some hundredths of a second.
        jobs = [kind for kind in (SUMMARY, TRANSLATION) if kind in wanted]
        if jobs and not is_cancelled():
            found += [(_rank_found(job, query), job, job.at) for job in self._search.find_jobs(query, jobs, CANDIDATES)]
        if PAGE in wanted and not is_cancelled():
            for page in self._search.find_pages(query, CANDIDATES):
                one = FoundText(PAGE, page.id, 0, page.title, page.snippet, page.updated_at)
                found.append((_rank_found(one, query), one, one.at))
        # By rank first, then newest first.
        found.sort(key=lambda each: (each[0], -each[2]))
        # Only what is shown is read: ranking needs no text.
        return self._make_hits([scored[1] for scored in found[:limit]], query)

    def find_similar(
        self, query: str, most: int, *, without: Iterable[int] = (), is_cancelled: Callable[[], bool] = lambda: False
    ) -> list[SearchHit]:
        """Return places in messages that are about what was typed, in other words, the nearest first.

        There are none for a limited query, and none of the chats in `without`. The first search of a process takes
        seconds where much was said.
        """
        # Meaning knows neither tags nor projects.
        if parse_query(query).is_limited:
            return []
        parts = self._by_meaning.find(query, CANDIDATES, is_cancelled)
        texts, left_out = self._search.texts_of([part.message_id for part in parts]), set(without)
        hits: list[SearchHit] = []
        for part in parts:
            text = texts.get(part.message_id)
            # A chat that was found by words stands in the list already.
            if text is not None and text.id not in left_out and len(hits) < most:
                snippet, _ = text_around(text.text[part.start : part.end], "")
                hits.append(SearchHit(CHAT, text.id, text.message_id, text.title, snippet, (), text.at))
        return hits

    @cached_property
    def _by_meaning(self) -> MessageIndex:
        from app.features.retrieval.message_index import MessageIndex  # NumPy and a table come with it

        return MessageIndex(self._search)

    def list_titles(self) -> list[SearchHit]:
        """List all items, last used first, without reading their content."""
        found = [*self._search.every_title((SUMMARY, TRANSLATION)), *self._search.every_page()]
        found.sort(key=lambda one: one.at, reverse=True)
        return [
            SearchHit(found_text.kind, found_text.id, 0, found_text.title, "", (), found_text.at)
            for found_text in found
        ]

    def chats_in(self, limits: SearchQuery) -> set[int]:
        """Return the chats a query is limited to."""
        return set(self._search.chats_in(limits.tags, limits.projects))

    def _find_messages(
        self, query: str, is_cancelled: Callable[[], bool], within: Sequence[int] | None
    ) -> list[tuple[int, FoundText | int, float]]:
        """Only their ids, since of most of them nothing is shown; the newest have the highest."""
        phrases: list[int] = []
        # One word is a phrase by itself.
        if len(query.split()) > 1:
            phrases = self._search.find_messages(
                query, CANDIDATES, is_phrase=True, within=within, is_cancelled=is_cancelled
            )
        others = self._search.find_messages(query, CANDIDATES, within=within, is_cancelled=is_cancelled)
        ids = dict.fromkeys(phrases, 2) | {number: 3 for number in others if number not in set(phrases)}
        texts = self._search.times_of(list(ids))
        return [(rank, number, texts[number]) for number, rank in ids.items() if number in texts]

    def _make_hits(self, found: Sequence[FoundText | int], query: str) -> list[SearchHit]:
        texts = self._search.texts_of([hit for hit in found if isinstance(hit, int)])
        hits = []
        for hit in found:
            text = texts.get(hit) if isinstance(hit, int) else hit
            if text is not None:  # it may have been deleted meanwhile
                snippet, marks = text_around(text.text, query)
                hits.append(SearchHit(text.kind, text.id, text.message_id, text.title, snippet, marks, text.at))
        return hits


def marks_in(text: str, query: str) -> Marks:
    """Return the ranges of a query's words in a text."""
    pattern = words_pattern(query)
    return () if pattern is None else tuple(found.span() for found in pattern.finditer(text) if found[0])


def title_marks(title: str, query: str) -> Marks:
    """Return a title's matches: each word as a prefix, else inside a word."""
    found: set[tuple[int, int]] = set()
    # Word by word, so that one may begin a word while another stands inside one.
    for word in clean_text(query).split():
        inside = re.compile(_letters_pattern(word), re.I)
        found |= set(marks_in(title, word)) or {match.span() for match in inside.finditer(title)}
    return tuple(sorted(found))


def title_fitness(title: str, query: str) -> int | None:
    """Score how well a title matches:

    0 is best, None not at all; ignores case and accents. Each query word should begin one of its words, else be
    inside one, else have its letters in order in one.
    """
    words, costs = fold_text(title).split(), 0
    for wanted in fold_text(clean_text(query)).split():
        if any(word.startswith(wanted) for word in words):
            continue
        if any(wanted in word for word in words):
            costs += 1
        # The first letter has to fit, or nearly every title would.
        elif len(wanted) > 1 and any(word[:1] == wanted[0] and _has_letters(word, wanted) for word in words):
            costs += 2
        else:
            return None
    return costs


def fitness_with_synonyms(title: str, synonyms: str, kind: str, query: str) -> int | None:
    """Score as `title_fitness`, but words may also begin a synonym, which counts less, or the kind's name."""
    costs = 0
    for wanted in clean_text(query).split():
        ranks = [
            title_fitness(title, wanted),
            *(cost for cost, text in ((1, synonyms), (2, kind)) if _begins_with(text, wanted)),
            # Of several ways to match, the best counts.
        ]
        known = [rank for rank in ranks if rank is not None]
        if not known:
            return None
        costs += min(known)
    return costs


def _begins_with(text: str, wanted: str) -> bool:
    return any(word.startswith(fold_text(wanted)) for word in fold_text(text).split())


def text_around(text: str, query: str) -> tuple[str, Marks]:
    """Return the part of a text around the matches, or its beginning, as one line, with their ranges in it."""
    patterns = [pattern for pattern in (_words_together(query), words_pattern(query)) if pattern is not None]
    found = next((found for pattern in patterns if (found := pattern.search(text))), None)
    start = 0 if found is None else max(0, found.start() - BEFORE_CHARACTERS)
    # Begin at a word, so that the snippet isn't cut in one.
    if start:
        gap = text.find(" ", start, found.start() if found else start)
        start = gap + 1 if gap >= 0 else start
    # Twice as long, since marks of Markdown go and blanks shrink.
    part = text[start : start + 2 * SNIPPET_CHARACTERS]
    line = " ".join(_MARKDOWN.sub(" ", part).split())
    line = ("…" if start else "") + (
        line[:SNIPPET_CHARACTERS].rstrip() + "…" if len(line) > SNIPPET_CHARACTERS else line
    )
    return line, marks_in(line, query)


def still_fits(hit: SearchHit, query: str) -> bool:
    """Return whether an earlier match still has all words of this query in its snippet."""
    return all(marks_in(hit.snippet, word) for word in clean_text(query).split())


def phrase_pattern(query: str) -> re.Pattern[str] | None:
    """Build a pattern for the query as a phrase, also inside words; None if empty."""
    words = clean_text(query).split()
    return re.compile(r"\s+".join(map(_letters_pattern, words)), re.I) if words else None


def _words_of(query: str) -> list[str]:
    return [word for word in clean_text(query).split() if any(map(str.isalnum, word))]


@lru_cache(maxsize=32)
def words_pattern(query: str) -> re.Pattern[str] | None:
    """Build a pattern for a query's words, the last one as a prefix; None without words."""
    words = _words_of(query)
    last = len(words) - 1
    # A word of a script without spaces may stand inside a run.
    each = [
        _letters_pattern(word)
        if WITHOUT_SPACES.search(word)
        else rf"(?<![^\W_]){_word_pattern(word)}" + ("" if number == last else r"(?![^\W_])")
        for number, word in enumerate(words)
    ]
    # Longer words first, so that a prefix doesn't hide them.
    return re.compile("|".join(sorted(each, key=len, reverse=True)), re.I) if words else None


def find_occurrences(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Find casefolded `wanted` in a text. Offsets are the original text's, even where casefolding lengthens it."""
    folded = text.casefold()
    at = folded.find(wanted)
    # Casefolding keeps the length of nearly every text, so the table is made only when needed.
    offsets = None if len(folded) == len(text) else _casefold_origins(text)
    while at >= 0:
        end = at + len(wanted)
        yield (at, end) if offsets is None else (offsets[at], offsets[end - 1] + 1)
        at = folded.find(wanted, end)


def _casefold_origins(text: str) -> list[int]:
    """Return, for each letter of the casefolded text, the index of its origin in the text."""
    return [place for place, letter in enumerate(text) for _ in letter.casefold()]


def _has_letters(word: str, wanted: str) -> bool:
    letters = iter(word)
    return all(letter in letters for letter in wanted)


def _rank_found(found: FoundText, query: str) -> int:
    words = clean_text(query).split()
    if all(marks_in(found.title, word) for word in words):
        return 1
    pattern = _words_together(query)
    return 2 if pattern is not None and pattern.search(found.text) else 3


def _words_together(query: str) -> re.Pattern[str] | None:
    """Build a pattern for consecutive words; None for fewer than two."""
    words = clean_text(query).split()
    if len(words) < 2:
        return None
    begin = "" if WITHOUT_SPACES.search(words[0]) else r"(?<![^\W_])"
    return re.compile(begin + r"\s+".join(map(_letters_pattern, words)), re.I)


def _word_pattern(word: str) -> str:
    """Return a pattern for a word, in Arabic with or without the article and particles that are one with it."""
    if not _ARABIC.match(word):
        return _letters_pattern(word)
    return _ARABIC_BEGINNING + _letters_pattern(_ARABIC_ARTICLE.sub("", word))


def _letters_pattern(word: str) -> str:
    """Return a pattern for a word with or without accents, composed or not."""
    single, double = _letter_variants()
    folded, parts, at = _plain_letters(word), [], 0
    while at < len(folded):
        if (pair := folded[at : at + 2]) in double:
            # "ß" is found by "ss", and "æ" by "ae".
            parts.append(f"(?:{re.escape(pair)}|[{double[pair]}])")
            at += 2
            continue
        letter = folded[at]
        parts.append(f"[{re.escape(letter)}{single[letter]}]" if letter in single else re.escape(letter))
        if letter.isalpha():
            # A letter may be followed by its accent or vowel as a sign of its own.
            parts.append(f"[\u0300-\u036f{_ARABIC_SIGNS}]*")
        at += 1
    return "".join(parts)


@lru_cache(maxsize=1)
def _letter_variants() -> tuple[dict[str, str], dict[str, str]]:
    """Return letters with accents by the plain letter, or pair of letters, they compare as."""
    single: dict[str, str] = {}
    double: dict[str, str] = {}
    for code in (*range(0xC0, 0x250), *range(0x370, 0x530), *range(0x620, 0x6D4), *range(0x1E00, 0x2000)):
        plain = _plain_letters(chr(code))
        into = single if len(plain) == 1 else double
        if plain != chr(code) and 1 <= len(plain) <= 2:
            into[plain] = into.get(plain, "") + chr(code)
    return single, double


_ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d3]")
_ARABIC_SIGNS = "\u0640\u064b-\u065f\u0670"
"""Vowels, hamzas and lengthened lines, which are written or not."""
_ARABIC_BEGINNING = "[\u0648\u0641\u0628\u0643\u0644]{0,2}(?:\u0627?\u0644)?"
_ARABIC_ARTICLE = re.compile("^\u0627\u0644(?=.{3})")
_ALIKE = str.maketrans("\u0629\u0649", "\u0647\u064a")
"""Arabic letters that people type for each other."""


def _plain_letters(word: str) -> str:
    """Return what letters compare as; those that are composed in Korean or Japanese stay so."""
    folded = re.sub(f"[{_ARABIC_SIGNS}]", "", fold_text(word))
    return unicodedata.normalize("NFC", folded.translate(_ALIKE))


_LIMIT = re.compile(r'(?<!\S)(tag|project):(?:"([^"]*)"?|(\S*))', re.I)
_MARKDOWN = re.compile(r"\*\*|`{1,3}|^\s*#{1,6} |^\s*> ", re.M)
"""Marks that say nothing in one line."""
