"""A person's glossary: which of its terms a text has, whether a translation obeys them, and its file (CSV)."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.core.errors import DocumentUnreadable
from app.core.paths import disk_problem
from app.features.translation.result import Term
from app.language.names import WITHOUT_SPACES
from app.language.words import JOINED_WORD, common_start, fold

MOST_TERMS = 12
"""So many are told with a prompt."""
LONGEST_ENDING = 3
"""Letters that an inflected word may have more than its base form."""
LEAST_STEM = 4
LEAST_ALIKE = 70
_SIGNS = re.compile(r"[^\w\s'’.,&/\-]")
"""In a term such as "C++": it is looked for as it is."""
_QUOTED = re.compile(r'"[^"]*"')
_SHORT_ENDINGS = frozenset(("s", "es", "e", "n", "en", "er", "a", "i", "o", "u", "y"))
_DERIVING = frozenset(("or", "er", "ors", "ers", "ist", "ism", "ive", "al", "ly", "ion", "ial", "ing", "ual"))
"""In English these make other words: a contractor is no contract."""


class Glossary:
    """Terms, found quickly in many texts. `source` is the language of the texts, "" where it is not known."""

    def __init__(self, terms: Iterable[Term], source: str = "") -> None:
        self._is_english = source.casefold().startswith("en")
        self._by_word: dict[str, list[tuple[Term, list[str]]]] = defaultdict(list)
        self._unspaced: list[Term] = []
        seen: set[str] = set()
        for term in terms:
            wanted = term.source.strip()
            if not wanted or not term.target.strip() or wanted in seen:
                continue
            seen.add(wanted)
            words = folded_words(wanted)
            if WITHOUT_SPACES.search(wanted) or not words or _SIGNS.search(wanted):
                self._unspaced.append(term)
            else:
                self._by_word[words[0][:3]].append((term, words))

    def __bool__(self) -> bool:
        return bool(self._by_word or self._unspaced)

    def found_in(self, text: str) -> tuple[Term, ...]:
        """The terms that a text has, in their order; of two in one place the longer one."""
        hits = [(text.index(one.source), len(one.source), one) for one in self._unspaced if one.source in text]
        matches = list(JOINED_WORD.finditer(text))
        words = [fold(match[0]) for match in matches]
        for place, word in enumerate(words):
            for term, wanted in self._by_word.get(word[:3], ()):
                last = place + len(wanted) - 1
                if last >= len(words) or not words[last].startswith(wanted[-1][:3]):  # most end here, of thousands
                    continue
                there, as_written = words[place : last + 1], text[matches[place].start() : matches[last].end()]
                if self._fits(term, wanted, there, as_written):
                    start = matches[place].start()
                    hits.append((start, matches[last].end() - start, term))
        return _longest(hits)

    def _fits(self, term: Term, wanted: Sequence[str], there: Sequence[str], as_written: str) -> bool:
        if term.source.isupper() and len(term.source) <= 5:  # an abbreviation: IT is not it
            return as_written.startswith(term.source)
        return all(self._is_form(a, b) for a, b in zip(wanted, there, strict=True))

    def _is_form(self, wanted: str, there: str) -> bool:
        if wanted == there:
            return True
        common = common_start(wanted, there)
        ending, rest = there[common:], wanted[common:]
        if self._is_english and not rest and ending in _DERIVING:
            return False
        if len(wanted) < LEAST_STEM:
            return not rest and ending in _SHORT_ENDINGS
        return common >= max(LEAST_STEM, len(wanted) - 2) and len(ending) <= LONGEST_ENDING and len(rest) <= 2


def _longest(hits: list[tuple[int, int, Term]]) -> tuple[Term, ...]:
    hits.sort(key=lambda hit: (hit[0], -hit[1]))
    found: list[Term] = []
    end = -1
    for start, size, term in hits:
        if start + size <= end:
            continue
        end = max(end, start + size)
        if term not in found:
            found.append(term)
    return tuple(found)


def chosen(terms: Iterable[Term], most: int = MOST_TERMS) -> tuple[Term, ...]:
    """At most so many for one prompt, those that look alike side by side: a model then keeps them apart."""
    from rapidfuzz import fuzz

    left = list(dict.fromkeys(terms))[:most]
    found: list[Term] = []
    while left:
        last = found[-1].source.casefold() if found else ""
        score, place = max(
            ((fuzz.ratio(last, one.source.casefold()), -n) for n, one in enumerate(left)), default=(0, 0)
        )
        found.append(left.pop(-place if last and score >= LEAST_ALIKE else 0))
    return tuple(found)


def violated(terms: Iterable[Term], target: str) -> list[Term]:
    """Those whose translation is not in a target text. Inflected forms count; what is not to be translated is exact."""
    words = folded_words(target)
    return [term for term in terms if not _obeys(term, target, words)]


def _obeys(term: Term, target: str, words: Sequence[str]) -> bool:
    if term.source == term.target or WITHOUT_SPACES.search(term.target):
        return term.target in target
    if term.target.casefold() in target.casefold():
        return True
    return all(any(_begins_alike(wanted, word) for word in words) for wanted in folded_words(term.target))


def _begins_alike(wanted: str, word: str) -> bool:
    if len(wanted) <= LEAST_STEM:
        return word.startswith(wanted) and len(word) <= len(wanted) + LONGEST_ENDING
    return common_start(wanted, word) >= max(LEAST_STEM, len(wanted) - 2)


def folded_words(text: str) -> list[str]:
    """The words of a text without capitals and accents."""
    return [fold(match[0]) for match in JOINED_WORD.finditer(text)]


# Its file.

_HEADS = frozenset(
    ("source", "target", "term", "translation", "from", "to", "quelle", "ziel", "original", "src", "tgt")
)


def read_csv(path: Path) -> tuple[Term, ...]:
    """The terms of a file of two columns, divided by ; or , or tabulators, with or without a line of heads.

    UTF-8, with or without its mark, or UTF-16; a source without a target stays as it is. Raises DocumentUnreadable. The
    last line of two with the same source counts.
    """
    text = _text_of(path)
    found: dict[str, str] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=_delimiter(text), skipinitialspace=True)):
        cells = [cell.strip() for cell in (*row, "")]
        if not cells[0] or (number == 0 and _is_head(cells)):
            continue
        found[cells[0]] = cells[1] or cells[0]
    return tuple(Term(source, target) for source, target in found.items())


def write_csv(path: Path, terms: Iterable[Term]) -> None:
    """The same form, with commas, heads, and the mark by which spreadsheets know UTF-8.

    Raises DiskFull or FolderNotWritable.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("source", "target"))
    writer.writerows((term.source, term.target) for term in terms)
    try:
        path.write_bytes(text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise disk_problem(error, path.parent) from error


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except ValueError as error:
        raise DocumentUnreadable(str(path), "not_text") from error
    if "\0" in text:
        raise DocumentUnreadable(str(path), "not_text")
    return text


def _delimiter(text: str) -> str:
    """That which the lines have most evenly."""
    lines = [line for line in _QUOTED.sub("", text).splitlines() if line.strip()][:50]
    counts = {one: sum(one in line for line in lines) for one in ("\t", ";", ",")}
    return max(counts, key=lambda one: counts[one]) if any(counts.values()) else ","


def _is_head(cells: Sequence[str]) -> bool:
    first, second = (set(re.findall(r"[^\W\d_]+", cell.casefold())) for cell in cells[:2])
    return bool(first & _HEADS) and bool(second & _HEADS)
