"""Tell whether two sentences swap roles: who sold to whom, what costs more than what.

Compares word order and the function words before, without a parser: "A … sold … B" against "B … sold … A" is a swap,
unless a preposition or a case-marking article moved along, or one sentence is passive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from app.language.sentences import split_sentences
from app.language.words import SHORT, STEM, fold_words, normalize_signs

MOST_WORDS = 60
"""Longer sentences aren't judged: they have clauses that may change places."""
MOST_QUALIFIERS = 3
"""Adjectives and first names between the small words before a noun and the noun itself."""
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_ARTICLES = frozenset(
    """
    the a an das die ein eine ihre seine le la les un une l el los las una unos unas il lo gli i o os as um uma het
    een his her its their my our your mr mrs ms dr herr frau madame monsieur senor senora don dona signor signora
    """.split()  # noqa: SIM905
)
"""Articles, which say nothing about a word's role."""
_MARKERS = frozenset(
    """
    at by for from in into of off on onto out over than to towards under upon via with before after during against
    between without through near about as wegen trotz an als am auf aus bei beim durch fur gegen im ins mit nach
    seit uber um unter vom von vor wahrend zu zum zur dem den der des einem einen einer eines ihrem ihren ihrer
    ihres seinem seinen seiner seines herrn a al ante con contra de del desde en entre hacia hasta para por que
    segun sin sobre tras au aux avec chez comme contre dans depuis du par pendant pour sans sous sur vers d qu alla
    allo ai agli alle da dal dalla di nel nella per su tra fra ao aos com das do dos em na nas no nos pela pelo aan
    bij door met naar op te tegen tot uit van voor dan od przez ze w we dla niz po przed v vo s so u k ot iz za dlya
    """.split()  # noqa: SIM905
)
"""Prepositions, comparative particles, and articles that show case."""
_LINKS = frozenset("of de del des du d da do dos das di della dei van z".split())  # noqa: SIM905
"""They tie a word to the one before, whose part counts: "the team of Arcos"."""
_JOINS = frozenset("and or und oder et ou y e o en of i oraz lub".split())  # noqa: SIM905
_AGENT = re.compile(r"\b(?:by|von|vom|durch|par|por|pelo|pela|da|dal|dalla|door|przez)\b")
# In a passive the agent comes last, so that another order says nothing.
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|wird|werden|wurden?|worden|est|sont|était|étaient|été|fut|furent|sera|seront|"
    r"es|son|fue|fueron|sido|era|eran|será|serán|foi|foram|è|sono|fu|furono|stat[oaie]|wordt|worden|werd|werden|"
    r"jest|są|został[aoiy]?)\b"
)
# "A before B" is "B after A".
_CONVERSE = tuple(
    tuple(re.compile(rf"\b(?:{side})\b") for side in pair)
    for pair in (
        (r"before|earlier", r"after|later"),
        (r"vor(?:her)?|früher", r"nach(?:her|dem)?|später"),
        (r"avant", r"après"),
        (r"antes|ante", r"después|tras"),
        (r"more|\w+er than", r"less|fewer|not as"),
        (r"mehr", r"weniger"),
        (r"plus", r"moins"),
        (r"más", r"menos"),
        (r"older|bigger|larger|taller|longer|higher", r"younger|smaller|shorter|lower"),
        (r"älter\w*|größer\w*|höher\w*|länger\w*|teurer", r"jünger\w*|kleiner\w*|niedriger\w*|kürzer\w*|billiger"),
        (r"above|over", r"below|under"),
        (r"s[eo]ll\w*|sold|lends?|lent|gives?|gave", r"buy\w*|bought|borrow\w*|receiv\w*|gets?|got"),
        (r"verk[aä]uf\w*|vermiet\w*|leih\w*|gibt|gab", r"k[aä]uft?\w*|miete\w*|erh[aiä]\w*|bekommt|bekam\w*"),
        (r"vend\w*", r"achet\w*|compr\w*"),
        (r"won|wins?|beat\w*", r"lost|loses?"),
    )
)
"""Words that say the same of two things that have changed places."""


class _OrderedWord(NamedTuple):
    """A word: how it is compared, the function word before its group, and its kind."""

    stem: str
    marker: frozenset[str]
    is_small: bool
    is_anchor: bool
    """True if others may have swapped around it: no name, no capitalised noun, not in a list."""
    ends_clause: bool


def swapped_words(statement: str, sentence: str) -> str:
    """Return a word of the statement that has another's role in the sentence; "" for none."""
    spans = (sentence[start:end] for start, end in split_sentences(sentence))
    return next((word for span in spans if (word := _swapped_in(statement, span))), "")


def _swapped_in(statement: str, sentence: str) -> str:
    ours, theirs = _split_ordered(statement), _split_ordered(sentence)
    if max(len(ours), len(theirs)) > MOST_WORDS or _is_passive(statement) != _is_passive(sentence):
        return ""
    if _says_converse(statement, sentence):
        return ""
    places = {word.stem: at for at, word in enumerate(theirs) if not word.is_small}
    counts = Counter(word.stem for word in theirs)
    said = Counter(word.stem for word in ours)
    shared = [
        (at, places[word.stem])
        for at, word in enumerate(ours)
        # Only words that both have once: others could be matched wrongly.
        if word.stem in places and counts[word.stem] == said[word.stem] == 1 and not word.is_small
    ]
    # Each pair of words that has changed places.
    for (first, first_there), (last, last_there) in combinations(shared, 2):
        if first_there < last_there or _moved_whole(ours[first : last + 1], theirs[last_there : first_there + 1]):
            continue
        # A verb between them stayed where it was: then they have changed roles around it.
        between = (
            ours[at].is_anchor and theirs[there].is_anchor
            for at, there in shared
            if first < at < last and last_there < there < first_there
        )
        if any(between) or _exchange_markers(ours[first : last + 1], theirs[last_there : first_there + 1]):
            return ours[first].stem
    return ""


def _moved_whole(mine: Sequence[_OrderedWord], theirs: Sequence[_OrderedWord]) -> bool:
    """Return whether the first or last word moved together with the marker of its role, or is a clause of its own."""
    # "to the Y": it has kept its preposition, so that its role is the same.
    keeps_part = mine[0].marker & theirs[-1].marker or mine[-1].marker & theirs[0].marker
    return bool(keeps_part) or all(any(word.ends_clause for word in words[:-1]) for words in (mine, theirs))


def _exchange_markers(mine: Sequence[_OrderedWord], theirs: Sequence[_OrderedWord]) -> bool:
    """Return whether "… A to B" became "… B to A"; parts joined by "and" may swap."""
    if any(word.stem in _JOINS for word in (*mine, *theirs)):
        return False
    return mine[0].marker == theirs[0].marker != mine[-1].marker == theirs[-1].marker


def _is_passive(text: str) -> bool:
    plain = normalize_signs(text).casefold()
    return bool(_PASSIVE.search(plain) and _AGENT.search(plain))


def _says_converse(statement: str, sentence: str) -> bool:
    mine, theirs = (normalize_signs(text).casefold() for text in (statement, sentence))
    return any(
        (first.search(mine) and not first.search(theirs) and last.search(theirs))
        or (last.search(mine) and not last.search(theirs) and first.search(theirs))
        for first, last in _CONVERSE
    )


def _split_ordered(text: str) -> list[_OrderedWord]:
    matches = list(_WORD.finditer(normalize_signs(text)))
    plain = [fold_words(match[0]) for match in matches]
    return [
        _OrderedWord(
            word[:STEM] if len(word) > SHORT else word,
            frozenset(_find_markers(plain, at)),
            word in _ARTICLES | _MARKERS | _LINKS | _JOINS,
            # Nouns are large in German; an anchor is a verb or an adjective.
            match[0][0].islower() and not _is_listed(text, matches, plain, at),
            text[match.end() : match.end() + 1] in (",", ";", ":"),
        )
        for at, (match, word) in enumerate(zip(matches, plain, strict=True))
    ]


def _find_markers(plain: Sequence[str], at: int) -> Iterator[str]:
    """Yield the function words before a word's group that mark its role."""
    small = _ARTICLES | _MARKERS | _LINKS
    at -= 1
    least = at - MOST_QUALIFIERS
    # Adjectives may stand between an article and its noun.
    while at > least and at >= 0 and plain[at] not in small:
        at -= 1
    while at >= 0 and plain[at] in small:
        if plain[at] in _MARKERS - _LINKS:
            yield plain[at]
        if plain[at] in _LINKS:
            # "the team of Arcos": the part of the team counts.
            yield from _find_markers(plain, at)
            return
        at -= 1


def _is_listed(text: str, matches: Sequence[re.Match[str]], plain: Sequence[str], at: int) -> bool:
    """Return whether a word is in a list: next to a comma, "and" or "or"."""
    before, behind = plain[at - 1] if at else "", plain[at + 1] if at + 1 < len(plain) else ""
    signs = text[matches[at].end() : matches[at].end() + 1] + text[matches[at].start() - 2 : matches[at].start()]
    return before in _JOINS or behind in _JOINS or "," in signs
