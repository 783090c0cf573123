"""The user's glossary with its CSV form, and recurring names and terms, which are passed to all later requests.

Recurring terms are found before translating: names of several words, or single ones within a sentence, found three
times or more, and short segments contained in others. A rendering is learnt if it is evident: the name is unchanged
in the translation, the segment is just the name, or two translations share a run of words that others lack.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.core.errors.document_errors import DocumentUnreadable
from app.core.paths import disk_problem
from app.documents.segments import Content, content_of
from app.features.translate.translation_events import GlossaryTerm
from app.language.language_names import WITHOUT_SPACES, base_code
from app.language.words import JOINED_WORD, WORD, common_start, fold_words

LEAST_TIMES = 3
MOST_NAMES = 300
MOST_NAME_WORDS = 5
LEAST_RUN_LETTERS, LEAST_RUN_UNSPACED = 4, 2
MOST_KEPT = 4
"""Translations with a name that are compared for a common rendering."""
_JOINING = frozenset("of de du des der den la le van von di da do dos del y".split())  # noqa: SIM905 - read by people
"""Small words within names."""
_WITH_CAPITAL_NOUNS = ("de", "lb")
"""In these a single capitalised word is no name."""
_BEGINS = re.compile(r"(?:\A|[.!?…:]\s+|[\n•–—]\s*)[\"'“„«(]*\Z")


class TermConsistency:
    """Learns from accepted translations, in the order in which they come."""

    # Names are counted before anything is translated, so the first segment that has one already knows it.
    def __init__(self, texts: Sequence[str], source: str = "en") -> None:
        self._names = _repeated_names(texts, source)
        self._seen: dict[str, list[tuple[str, str]]] = {name: [] for name in self._names}
        self._others: list[str] = []
        self._found: dict[str, str] = {}

    @property
    def terms(self) -> tuple[GlossaryTerm, ...]:
        return tuple(GlossaryTerm(source, target) for source, target in self._found.items())

    def learn_pair(self, source: str, target: str) -> None:
        here = [name for name in self._names if name in source]
        # Others are the measure of what is common; a few hundred tell that.
        if len(self._others) < MOST_NAMES:
            self._others.append(target)
        for name in here:
            if name in self._found:
                continue
            seen = self._seen[name]
            rendering = _name_rendering(name, source, target) or self._shared_rendering(name, seen, target)
            # What is learnt stays: another rendering later would be the inconsistency that this is to prevent.
            if rendering:
                self._found[name] = rendering
            elif len(seen) < MOST_KEPT:
                seen.append((source, target))

    def found_in(self, text: str) -> list[GlossaryTerm]:
        return [GlossaryTerm(name, target) for name, target in self._found.items() if name in text]

    def _shared_rendering(self, name: str, seen: Sequence[tuple[str, str]], target: str) -> str:
        """Return the longest run of words this translation shares with an earlier one and few others have."""
        for _source, before in seen:
            run = _common_run(before, target)
            # A run of words must be rare, or "in the" would be taken for the name's rendering.
            if run and len(name.split()) > 1 and _is_telling(run) and self._is_rare(run, name):
                return run
        return ""

    def _is_rare(self, run: str, name: str) -> bool:
        with_it = {target for _, target in self._seen[name]}
        others = [target for target in self._others if target not in with_it]
        return sum(run in target for target in others) <= 1  # the one that is being learnt


def _repeated_names(texts: Sequence[str], source: str) -> list[str]:
    """Return frequent names in the texts, longer ones first."""
    # German writes every noun with a capital, so only several of them make a name.
    least = 2 if base_code(source) in _WITH_CAPITAL_NOUNS else 1
    counts: Counter[str] = Counter()
    for text in texts:
        for start, words in _capitalized_runs(text):
            counts.update(_names_of(words, least, begins=bool(_BEGINS.search(text[:start]))))
    often = [name for name, times in counts.most_common(MOST_NAMES) if times >= LEAST_TIMES]
    # Longer ones first: "Ulm University" before "Ulm".
    return sorted(often, key=len, reverse=True)


def _capitalized_runs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Capitalised words that follow each other, small ones between them; and where each run begins."""
    run: list[str] = []
    start = end = 0
    for match in JOINED_WORD.finditer(text):
        word = match[0]
        follows = bool(run) and text[end : match.start()] == " "
        # "Bank of Spain" goes on over the small word.
        if follows and (word[0].isupper() or word in _JOINING):
            run.append(word)
        else:
            if run:
                yield start, _without_joining(run)
            run, start = ([word], match.start()) if word[0].isupper() else ([], 0)
        end = match.end()
    if run:
        yield start, _without_joining(run)


def _without_joining(run: list[str]) -> list[str]:
    while run and run[-1] in _JOINING:
        run = run[:-1]
    return run


def _names_of(words: list[str], least: int, *, begins: bool) -> list[str]:
    """Return the names in a run of capitalised words; at a sentence's start the first word may be none."""
    # At a sentence's start the first word may be no part of the name.
    names = [words, words[1:]] if begins else [words]
    least = 2 if begins else least
    return [" ".join(name) for name in names if least <= len(name) <= MOST_NAME_WORDS and len(" ".join(name)) > 2]


def _name_rendering(name: str, source: str, target: str) -> str:
    if name in target:
        return name
    # A short segment that is just the name, such as a heading, tells its rendering.
    return target.strip(" .") if source.strip(" .") == name and len(target) < 4 * len(name) + 20 else ""


def _is_telling(run: str) -> bool:
    if WITHOUT_SPACES.search(run):
        return len(run) >= LEAST_RUN_UNSPACED
    words = run.split()
    return len(words) > 1 and any(len(word) >= LEAST_RUN_LETTERS and word[0].isupper() for word in words)


def _common_run(one: str, other: str) -> str:
    """Return the longest common run of words (of characters, in unspaced scripts)."""
    is_unspaced = bool(WITHOUT_SPACES.search(one))
    first, second = (list(text) if is_unspaced else JOINED_WORD.findall(text) for text in (one, other))
    best, end = 0, 0
    before = [0] * (len(second) + 1)
    for place, word in enumerate(first, 1):
        row = [0] * (len(second) + 1)
        for at, there in enumerate(second, 1):
            # Common runs by dynamic programming, one row at a time.
            if word == there:
                row[at] = before[at - 1] + 1
                if row[at] > best:
                    best, end = row[at], place
        before = row
    run = first[end - best : end]
    return "".join(run).strip(" 、。，") if is_unspaced else _trim_words(run)


def _trim_words(words: Iterable[str]) -> str:
    """Strip function words at both ends of a run."""
    kept = list(words)
    while kept and len(kept[0]) < LEAST_RUN_LETTERS and not kept[0][0].isupper():
        kept.pop(0)
    while kept and len(kept[-1]) < LEAST_RUN_LETTERS and not kept[-1][0].isupper():
        kept.pop()
    return " ".join(kept[:MOST_NAME_WORDS])


MOST_TERMS = 12
"""Terms given with a prompt."""
LONGEST_ENDING = 3
"""Letters that an inflected word may have more than its base form."""
LEAST_STEM = 4
LEAST_ALIKE = 70
_SIGNS = re.compile(r"[^\w\s'’.,&/\-]")
"""Signs in a term such as "C++", which is then searched verbatim."""
_QUOTED = re.compile(r'"[^"]*"')
_SHORT_ENDINGS = frozenset(("s", "es", "e", "n", "en", "er", "a", "i", "o", "u", "y"))
_DERIVING = frozenset(("or", "er", "ors", "ers", "ist", "ism", "ive", "al", "ly", "ion", "ial", "ing", "ual"))
"""In English these make other words: a contractor is no contract."""


class TermGlossary:
    """Terms, found quickly in many texts. `source` is the texts' language, "" if unknown."""

    def __init__(self, terms: Iterable[GlossaryTerm], source: str = "") -> None:
        self._is_english = source.casefold().startswith("en")
        self._by_word: dict[str, list[tuple[GlossaryTerm, list[str]]]] = defaultdict(list)
        self._unspaced_terms: list[GlossaryTerm] = []
        seen: set[str] = set()
        for term in terms:
            # The first of equal terms counts: the person's own stand before the shared ones.
            if not (wanted := term.source.strip()) or not term.target.strip() or wanted in seen:
                continue
            seen.add(wanted)
            words = folded_words(wanted)
            # Searched as they are: without spaces, or with signs, there are no words to compare.
            if WITHOUT_SPACES.search(wanted) or not words or _SIGNS.search(wanted):
                self._unspaced_terms.append(term)
            else:
                # Indexed by three letters: a glossary may have thousands of terms, a text a few hundred words.
                self._by_word[words[0][:3]].append((term, words))

    def __bool__(self) -> bool:
        return bool(self._by_word or self._unspaced_terms)

    def found_in(self, text: str) -> tuple[GlossaryTerm, ...]:
        """Return the terms in a text, in order; of overlapping ones the longer."""
        hits = [
            (text.index(glossary_term.source), len(glossary_term.source), glossary_term)
            for glossary_term in self._unspaced_terms
            if glossary_term.source in text
        ]
        matches = list(JOINED_WORD.finditer(text))
        words = [fold_words(match[0]) for match in matches]
        for place, word in enumerate(words):
            for term, wanted in self._by_word.get(word[:3], ()):
                last = place + len(wanted) - 1
                if last >= len(words) or not words[last].startswith(wanted[-1][:3]):  # most end here, of thousands
                    continue
                there, as_written = words[place : last + 1], text[matches[place].start() : matches[last].end()]
                if self._fits_term(term, wanted, there, as_written):
                    start = matches[place].start()
                    hits.append((start, matches[last].end() - start, term))
        return _longest_hits(hits)

    def _fits_term(self, term: GlossaryTerm, wanted: Sequence[str], there: Sequence[str], as_written: str) -> bool:
        if term.source.isupper() and len(term.source) <= 5:  # an abbreviation: IT is not it
            return as_written.startswith(term.source)
        return all(self._is_form(a, b) for a, b in zip(wanted, there, strict=True))

    def _is_form(self, wanted: str, there: str) -> bool:
        if wanted == there:
            return True
        # Forms of a word differ at their end.
        common = common_start(wanted, there)
        ending, rest = there[common:], wanted[common:]
        if self._is_english and not rest and ending in _DERIVING:
            return False
        if len(wanted) < LEAST_STEM:
            return not rest and ending in _SHORT_ENDINGS
        return common >= max(LEAST_STEM, len(wanted) - 2) and len(ending) <= LONGEST_ENDING and len(rest) <= 2


def _longest_hits(hits: list[tuple[int, int, GlossaryTerm]]) -> tuple[GlossaryTerm, ...]:
    # Of overlapping terms the longer one: "lease agreement" before "lease".
    hits.sort(key=lambda hit: (hit[0], -hit[1]))
    found: list[GlossaryTerm] = []
    end = -1
    for start, size, term in hits:
        if start + size <= end:
            continue
        end = max(end, start + size)
        if term not in found:
            found.append(term)
    return tuple(found)


def choose_terms(terms: Iterable[GlossaryTerm], most: int = MOST_TERMS) -> tuple[GlossaryTerm, ...]:
    """Choose at most `most` terms for a prompt, similar ones next to each other, which helps models to keep them
    apart.
    """
    from rapidfuzz import fuzz

    left = list(dict.fromkeys(terms))[:most]
    found: list[GlossaryTerm] = []
    while left:
        last = found[-1].source.casefold() if found else ""
        score, place = max(
            ((fuzz.ratio(last, glossary_term.source.casefold()), -n) for n, glossary_term in enumerate(left)),
            default=(0, 0),
        )
        # Similar terms next to each other, which helps models to keep them apart.
        found.append(left.pop(-place if last and score >= LEAST_ALIKE else 0))
    return tuple(found)


def violated_terms(terms: Iterable[GlossaryTerm], target: str) -> list[GlossaryTerm]:
    """Return the terms whose translation is missing in a target text.

    Inflected forms count; untranslated terms must match exactly.
    """
    words = folded_words(target)
    return [term for term in terms if not _obeys_term(term, target, words)]


def _obeys_term(term: GlossaryTerm, target: str, words: Sequence[str]) -> bool:
    if term.source == term.target or WITHOUT_SPACES.search(term.target):
        # Left untranslated, or without words to inflect, it has to be there as it is.
        return term.target in target
    if term.target.casefold() in target.casefold():
        return True
    return all(any(_begins_alike(wanted, word) for word in words) for wanted in folded_words(term.target))


def _begins_alike(wanted: str, word: str) -> bool:
    if len(wanted) <= LEAST_STEM:
        return word.startswith(wanted) and len(word) <= len(wanted) + LONGEST_ENDING
    return common_start(wanted, word) >= max(LEAST_STEM, len(wanted) - 2)


def folded_words(text: str) -> list[str]:
    """Return a text's words without case and accents."""
    return [fold_words(match[0]) for match in JOINED_WORD.finditer(text)]


_HEADS = frozenset(
    ("source", "target", "term", "translation", "from", "to", "quelle", "ziel", "original", "src", "tgt")
)
MOST_CELL_CHARACTERS = 100_000


def read_csv(path: Path) -> tuple[GlossaryTerm, ...]:
    """Read a two-column file, separated by ; or , or tabs, with or without a header.

    UTF-8 with or without a BOM, or UTF-16. A source without a target stays untranslated; the last line of a source
    counts. Raises DocumentUnreadable.
    """
    text = _text_of(path)
    found: dict[str, str] = {}
    try:
        # None: a single carriage return ends a line, too.
        lines = io.StringIO(text, newline=None)
        rows = list(csv.reader(lines, delimiter=_find_delimiter(text), skipinitialspace=True))
    except csv.Error as error:  # such as a cell longer than Python reads, unless something raised its limit
        raise DocumentUnreadable(str(path), "damaged") from error
    if any(len(cell) > MOST_CELL_CHARACTERS for row in rows for cell in row):
        raise DocumentUnreadable(str(path), "damaged")
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in (*row, "")]
        if not cells[0] or (number == 0 and _is_head(cells)):
            continue
        # An empty second column says that the term stays as it is.
        found[cells[0]] = cells[1] or cells[0]
    return tuple(GlossaryTerm(source, target) for source, target in found.items())


def write_csv(path: Path, terms: Iterable[GlossaryTerm]) -> None:
    """Write CSV with commas, a header, and the BOM by which spreadsheets recognise UTF-8.

    Raises DiskFull or FolderNotWritable.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    # By this line other programs, and this one, know which column is which.
    writer.writerow(("source", "target"))
    writer.writerows((term.source, term.target) for term in terms)
    try:
        path.write_bytes(text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise disk_problem(error, path.parent) from error


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
        # Spreadsheets save "Unicode text" as UTF-16.
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except ValueError as error:
        raise DocumentUnreadable(str(path), "not_text") from error
    # Decoded by chance: a binary file may be valid UTF-16.
    if "\0" in text:
        raise DocumentUnreadable(str(path), "not_text")
    return text


def _find_delimiter(text: str) -> str:
    """Return the delimiter that occurs most evenly across lines."""
    # Separators inside quotes are text.
    lines = [line for line in _QUOTED.sub("", text).splitlines() if line.strip()][:50]
    counts = {text: sum(text in line for line in lines) for text in ("\t", ";", ",")}
    return max(counts, key=lambda one: counts[one]) if any(counts.values()) else ","


def _is_head(cells: Sequence[str]) -> bool:
    first, second = (set(re.findall(r"[^\W\d_]+", cell.casefold())) for cell in cells[:2])
    return bool(first & _HEADS) and bool(second & _HEADS)


LEAST_ALIKE = 4
"""Letters that forms of the same word have in common at their start."""


def with_term(content: Content, wanted: str) -> Content | None:
    """Return the content with a term in place of the one run of words that is part or a form of it.

    None if no run or several match, when the user has to place it.
    """
    term = [fold_words(word) for word in WORD.findall(wanted)]
    found: list[tuple[int, int, int]] = []
    for number, part in enumerate(content):
        if isinstance(part, str):
            found += [(number, *span) for span in _runs(part, term)]
    if len(found) != 1:
        return None
    number, start, end = found[0]
    parts = list(content)
    text = parts[number]
    assert isinstance(text, str)
    # At the start of the text, the term takes over a capital letter.
    new = wanted[:1].upper() + wanted[1:] if text[start].isupper() and not text[:start].strip() else wanted
    parts[number] = text[:start] + new + text[end:]
    return content_of(parts)


def _runs(text: str, term: Sequence[str]) -> list[tuple[int, int]]:
    """Return runs of words that all belong to the term; short ones such as "of" can't start or end a run."""
    runs: list[list[re.Match[str]]] = []
    for match in WORD.finditer(text):
        if not any(_is_form(fold_words(match[0]), text) for text in term):
            continue
        is_next = bool(runs) and not text[runs[-1][-1].end() : match.start()].strip()
        runs = [*runs[:-1], [*runs[-1], match]] if is_next else [*runs, [match]]
    telling = [[match for match in run if len(match[0]) >= LEAST_ALIKE] for run in runs]
    return [(run[0].start(), run[-1].end()) for run in telling if run]


def _is_form(word: str, other: str) -> bool:
    common = common_start(word, other)
    # Inflection changes a few letters at the end.
    return word == other or common >= max(LEAST_ALIKE, len(word) - 3, len(other) - 3)
