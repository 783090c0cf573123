"""Names and terms that a document repeats: their first accepted rendering is told with all later requests.

What repeats is found before anything is translated: names of several words, or single ones within a sentence, that
stand in the text three times or more, and short segments that stand in others too. A rendering is taken where it can be
told: the name is in the translation as it is, the segment is nothing but the name, or two translations of segments with
it share a run of words that those without it have not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from app.features.translation.result import Term
from app.language.names import WITHOUT_SPACES, base
from app.language.words import JOINED_WORD

LEAST_TIMES = 3
MOST_NAMES = 300
MOST_NAME_WORDS = 5
LEAST_RUN_LETTERS, LEAST_RUN_UNSPACED = 4, 2
MOST_KEPT = 4
"""Translations with a name that are looked at for what they share."""
_JOINING = frozenset("of de du des der den la le van von di da do dos del y".split())  # noqa: SIM905 - read by people
"""Small words within names."""
_WITH_CAPITAL_NOUNS = ("de", "lb")
"""In these a single capitalised word is no name."""
_BEGINS = re.compile(r"(?:\A|[.!?…:]\s+|[\n•–—]\s*)[\"'“„«(]*\Z")


class Consistency:
    """Learns from accepted translations, in the order in which they come."""

    def __init__(self, texts: Sequence[str], source: str = "en") -> None:
        self._names = _repeated(texts, source)
        self._seen: dict[str, list[tuple[str, str]]] = {name: [] for name in self._names}
        self._others: list[str] = []
        self._found: dict[str, str] = {}

    @property
    def terms(self) -> tuple[Term, ...]:
        """What is fixed so far, in the order in which it was found."""
        return tuple(Term(source, target) for source, target in self._found.items())

    def learn(self, source: str, target: str) -> None:
        here = [name for name in self._names if name in source]
        if len(self._others) < MOST_NAMES:
            self._others.append(target)
        for name in here:
            if name in self._found:
                continue
            seen = self._seen[name]
            rendering = _rendering(name, source, target) or self._shared(name, seen, target)
            if rendering:
                self._found[name] = rendering
            elif len(seen) < MOST_KEPT:
                seen.append((source, target))

    def found_in(self, text: str) -> list[Term]:
        return [Term(name, target) for name, target in self._found.items() if name in text]

    def _shared(self, name: str, seen: Sequence[tuple[str, str]], target: str) -> str:
        """The longest run of words that this translation shares with one before, and that stands in few others."""
        for _source, before in seen:
            run = _common_run(before, target)
            if run and len(name.split()) > 1 and _is_telling(run) and self._is_rare(run, name):
                return run
        return ""

    def _is_rare(self, run: str, name: str) -> bool:
        with_it = {target for _, target in self._seen[name]}
        others = [target for target in self._others if target not in with_it]
        return sum(run in target for target in others) <= 1  # the one that is being learnt


def _repeated(texts: Sequence[str], source: str) -> list[str]:
    """The names in the texts that are there often enough, the longer ones first."""
    least = 2 if base(source) in _WITH_CAPITAL_NOUNS else 1
    counts: Counter[str] = Counter()
    for text in texts:
        for start, words in _runs(text):
            counts.update(_names_of(words, least, begins=bool(_BEGINS.search(text[:start]))))
    often = [name for name, times in counts.most_common(MOST_NAMES) if times >= LEAST_TIMES]
    return sorted(often, key=len, reverse=True)


def _runs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Capitalised words that follow each other, small ones between them; and where each run begins."""
    run: list[str] = []
    start = end = 0
    for match in JOINED_WORD.finditer(text):
        word = match[0]
        follows = bool(run) and text[end : match.start()] == " "
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
    """What of a run of capitalised words is a name; at the beginning of a sentence its first word may be none."""
    names = [words, words[1:]] if begins else [words]
    least = 2 if begins else least
    return [" ".join(one) for one in names if least <= len(one) <= MOST_NAME_WORDS and len(" ".join(one)) > 2]


def _rendering(name: str, source: str, target: str) -> str:
    if name in target:
        return name
    return target.strip(" .") if source.strip(" .") == name and len(target) < 4 * len(name) + 20 else ""


def _is_telling(run: str) -> bool:
    if WITHOUT_SPACES.search(run):
        return len(run) >= LEAST_RUN_UNSPACED
    words = run.split()
    return len(words) > 1 and any(len(word) >= LEAST_RUN_LETTERS and word[0].isupper() for word in words)


def _common_run(one: str, other: str) -> str:
    """The longest run of words (of characters, in scripts without spaces) that both have."""
    is_unspaced = bool(WITHOUT_SPACES.search(one))
    first, second = (list(text) if is_unspaced else JOINED_WORD.findall(text) for text in (one, other))
    best, end = 0, 0
    before = [0] * (len(second) + 1)
    for place, word in enumerate(first, 1):
        row = [0] * (len(second) + 1)
        for at, there in enumerate(second, 1):
            if word == there:
                row[at] = before[at - 1] + 1
                if row[at] > best:
                    best, end = row[at], place
        before = row
    run = first[end - best : end]
    return "".join(run).strip(" 、。，") if is_unspaced else _trimmed(run)


def _trimmed(words: Iterable[str]) -> str:
    """Without small words at its ends: a run begins and ends with what carries it."""
    kept = list(words)
    while kept and len(kept[0]) < LEAST_RUN_LETTERS and not kept[0][0].isupper():
        kept.pop(0)
    while kept and len(kept[-1]) < LEAST_RUN_LETTERS and not kept[-1][0].isupper():
        kept.pop()
    return " ".join(kept[:MOST_NAME_WORDS])
