"""Names: capitalised words inside a sentence, runs of them, acronyms, and codes of letters and digits."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.language.language_detection import MOST_CHARACTERS, language_by_words
from app.language.language_names import LETTER_OR_DIGIT_WITH_CASE as _LETTER
from app.language.language_names import base_code
from app.language.text_cache import text_cache
from app.language.words import (
    AROUND,
    MissingFact,
    normalize_signs,
    share_at,
    shown_stretch,
    surroundings_closeness,
    surroundings_of,
    word_stems,
)

MANY_CAPITALS = 0.45
"""From this share of capitalised words inside sentences on, a capital names nothing (titles, all in capitals)."""
ENDING = 3
"""Letters that a name may have more or less at its end: "Ito's", "Müllers", "German" and "Germany"."""
# Small words inside of names, in the commoner languages: "Bank of England", "Ludwig van Beethoven".
_CONNECTING = "of|de|da|do|dos|di|del|della|der|den|van|von|zu|zur|du|la|le|el|al|bin|ibn|for|the|and|&"
_CAPITAL = r"[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f]"
LEAST_SHARE = 0.3
"""Share of a statement's words that a sentence needs to count as having another name instead."""
LEAST_CLOSENESS = 1.5
"""More than one word around it is the same."""
_PLAIN_WORD = re.compile(rf"{_LETTER}+")
_WORD = re.compile(rf"{_LETTER}+(?:[-'’./&]{_LETTER}+)*")
_NUMBER_WITH_WORD = re.compile(r"\d[\d.,'/]*(?:-?[^\W\d_A-Z]{2,}|[skgmhltKMBx%]$|[KMGT]?[BW]h?$|[KMG]?Hz$)")
_RUN = re.compile(rf"(?:{_CONNECTING})\Z")
_COMMON = frozenset(
    """a an the this that these those they he she it we i you his her its their our your my one some all each every any
    both many most several such other another no not and but or if when while where as at by for from in into of on to
    with without over under after before since during between among through there here what which who whose how why
    also only even just still then than thus hence however moreover although though because so more less new first
    der die das ein eine einer es sie er wir ihr und oder aber wenn als wie bei mit ohne nach vor seit für von im am zum
    zur den dem des diese dieser dieses auch nur noch alle jede jeder
    le la les un une des il elle ils elles nous vous et ou mais si quand comme avec sans après avant depuis pour dans de
    du en au aux ce cette ces
    el los las una unos unas y o pero cuando con sin por para en del al este esta estos estas su sus
    il lo gli i uno nel nella dei degli che non per tra fra
    o os as um uma e ou mas com sem no na dos das
    """.split()  # noqa: SIM905
)
"""Words that may begin a sentence and are no part of a name."""
_DETERMINER = (
    r"(?:d(?:er|ie|as|en|em|es)|[kmds]?eine?[mnrs]?|ihre?[mnrs]?|uns(?:er)?e?[mnrs]?|(?:dies|jed|jen|welch|manch|solch|all|"
    r"viel|einig|mehrer|wenig|beid|sämtlich|etlich)e[mnrs]?|im|am|zum|zur|vom|beim|ins|ans|aufs|fürs|übers|durchs|ums)"
)
_NO_ADJECTIVE = (
    r"(?:ohne|gegen|neben|zwischen|hinter|unter|über|wegen|oder|aber|außer|nahe|heute|werden?|wurden|haben|hatten|"
    r"waren|sagen|sagten|können|konnten|sollen|müssen|ihnen|denen|sondern|neulich|gestern)\b"
)
# In German what follows an article or an adjective is nearly always a noun, and seldom a name.
_BEFORE_NOUN = re.compile(
    rf"(?:\b(?i:{_DETERMINER})(?: [a-zäöüß]+te)?|\b(?!{_NO_ADJECTIVE})[a-zäöüß]{{3,}}(?:e[mnrs]|(?<!t)e)|\d)$"
)
"""Words that precede a German noun and seldom a name: determiner, adjective, number."""
_SEEMS_ADJECTIVE = re.compile(
    r"(?:ig|isch|lich|bar|sam|los|haft|end|[ei]rt|elt|ell|al|iv|ös|är|ar|bel|pel)e[mnrs]?$|(?:weit|breit)e[mnrs]?$"
)
_NOUN_ENDING = re.compile(
    r"(?:ung|heit|keit|schaft|[st]ion|tät|ismus|nis|tum|ment|chen|[mntskfrph]ik|[gmrntph]ie|[ae]nz|age|thek|zeug|"
    r"werk|gramm|weise|stelle|gruppe)(?:e[nrs]?|s|n|se[ns]?|ern)?$"
)
"""Of German nouns; hardly a name has one of them."""
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "sir", "herr", "herrn", "frau", "mme", "sr", "sra", "sig"})
"""Titles, after which a name follows in every language."""


class Name(NamedTuple):
    """A name from `start` to `end` and its capitalised words. `is_first`: the first one begins the sentence."""

    start: int
    end: int
    words: tuple[str, ...]
    is_first: bool
    has_title: bool = False


class Vocabulary(NamedTuple):
    """The words of a text as names are looked for in it."""

    words: tuple[str, ...]
    """Casefolded and sorted."""
    letters: str
    """All letters and digits in a row, a space between words: codes are looked for in it."""
    initials: str
    """The first letters of the longer words, in the case they are in."""


@text_cache(4096)
def text_vocabulary(text: str) -> Vocabulary:
    """Index a text's words for finding names: whole and in parts, folded, and their initials."""
    # Soft hyphens stand inside of words and are seen by nobody.
    plain = normalize_signs(text).replace("\u00ad", "")
    parts = [part.casefold() for word in _WORD.findall(plain) for part in (word, *re.split(r"[-'./&]", word))]
    whole = _PLAIN_WORD.findall(plain)
    # Blanks at both ends, so that whole words can be looked for.
    folded = f" {' '.join(whole).casefold()} "
    return Vocabulary(tuple(sorted(set(parts))), folded, "".join(word[0] for word in whole if len(word) > SHORTEST))


def holds_name(text: Vocabulary, word: str) -> bool:
    """Return whether a word of a name occurs, perhaps with another ending."""
    # Genitives: "Ito's", "Klaus'".
    wanted = re.sub(r"'s?$", "", normalize_signs(word).casefold())
    if any(character.isdigit() for character in wanted):
        return _holds_code(text, wanted)
    # Sorted, so that words with the same beginning are neighbours.
    at = bisect_left(text.words, wanted[: max(len(wanted) - ENDING, SHORTEST)])
    while at < len(text.words) and text.words[at][:SHORTEST] == wanted[:SHORTEST]:
        if is_same(text.words[at], wanted):
            return True
        at += 1
    # NGOs and NGO are one.
    if word.isupper() or (len(word) > 2 and word[:-1].isupper() and word[-1] == "s"):
        return _holds_initials(text, word.rstrip("s")) or f" {' '.join(wanted)} " in text.letters
    # "Smith-Jones" where the text has both apart.
    parts = [part for part in re.split(r"[-/]", word) if _is_name(part or "x")]
    return parts != [word] and bool(parts) and all(holds_name(text, part) for part in parts)


SHORTEST = 3


def is_same(one: str, other: str) -> bool:
    """Return whether two casefolded words are equal up to an ending."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    # Short words may differ in less, or "Ana" would be "Anatol".
    ending = min(ENDING, len(short) - SHORTEST + 1)
    if 0 < len(long) - len(short) <= ending and long.startswith(short):
        return True
    # In Slavic languages names change their endings in all cases.
    is_cyrillic = "\u0400" <= one[0] <= "\u04ff"
    return is_cyrillic and len(short) > SHORTEST and long[: max(len(short) - 2, SHORTEST)] == short[:-2][: len(long)]


def _holds_code(text: Vocabulary, code: str) -> bool:
    """Return whether a code occurs: "F1" in "F 1", "GPT-2" in "gpt2", but not in "gpt-20"."""
    # "F1", "F 1" and "F-1" are written by different people for the same.
    runs = re.findall(r"[^\W\d_]+|\d+", code)
    return bool(re.search(r"(?<![^\W_])" + " ?".join(map(re.escape, runs)) + r"(?!\d)", text.letters))


def _holds_initials(text: Vocabulary, acronym: str) -> bool:
    """Return whether an acronym is spelled out, as "NER" in "named entity recognition".

    Two letters only in capitals, which would otherwise match by chance.
    """
    return acronym in text.initials or (len(acronym) > 2 and acronym.casefold() in text.initials.casefold())


def is_code(word: str) -> bool:
    """Return whether letters and digits form a name ("F1", "GPT-4", "3D"); "60-day", "5km" and "20th" are numbers."""
    has_both = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return has_both and not _NUMBER_WITH_WORD.match(word)


@text_cache(4096)
def find_codes(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of codes such as "F1" and "GPT-4" in a text, in order."""
    return tuple(match.span() for match in _WORD.finditer(normalize_signs(text)) if is_code(match[0]))


@text_cache(4096)
def find_names(text: str) -> tuple[Name, ...]:
    """Return the names in sentences, marking those at a sentence's start."""
    found: list[Name] = []
    run: list[re.Match[str]] = []
    plain = normalize_signs(text)
    matches = list(_WORD.finditer(plain))
    # Capitalised words and small words between them make a run; anything else ends it.
    for at, match in enumerate(matches):
        if _is_name(match[0]) and not (run and not _is_joined(plain, run[-1], match, matches[at - 1])):
            run.append(match)
        elif _is_name(match[0]):
            found += _names_of_run(plain, run)
            run = [match]
        elif not (run and _RUN.match(match[0])):
            found += _names_of_run(plain, run)
            run = []
    found += _names_of_run(plain, run)
    return tuple(found)


def names_of_language(text: str, language: str) -> Iterable[Name]:
    """Return the names; in German without apparent nouns. `language` is a code, "" if unknown."""
    return _german_names(text) if base_code(language) == "de" else find_names(text)


def _is_joined(plain: str, last: re.Match[str], match: re.Match[str], previous: re.Match[str]) -> bool:
    """Return whether only a space or a small word separates two capitalised words."""
    between = plain[last.end() : match.start()]
    return between in (" ", " & ") or (
        previous is not last and re.fullmatch(r" [\w&]+(?: [\w&]+)? ", between) is not None
    )


def _is_name(word: str) -> bool:
    if word.isalpha():  # nearly all are, and are told quickly
        return word.lower() != word
    return is_code(word) or (word[0].isalpha() and word.lower() != word)


def _names_of_run(plain: str, run: list[re.Match[str]]) -> list[Name]:
    if not run:
        return []
    is_first = _begins_sentence(plain, run[0].start())
    # "The Bank" is "Bank", and "Mr" is no name itself but says that one follows.
    kept = run
    has_title = False
    while kept and kept[0][0].casefold() in _COMMON | _TITLES:
        has_title = kept[0][0].casefold() in _TITLES
        kept, is_first = kept[1:], False
    while kept and kept[-1][0].casefold() in _COMMON:
        kept = kept[:-1]
    if is_first and len(kept) > 1 and not is_code(kept[0][0]) and plain[kept[0].end() : kept[1].start()] != " ":
        kept, is_first = kept[1:], False  # "Ships of NATO"
    if not kept:
        return []
    return [Name(kept[0].start(), kept[-1].end(), tuple(match[0] for match in kept), is_first, has_title)]


def _begins_sentence(plain: str, at: int) -> bool:
    before = plain[max(0, at - 6) : at].rstrip(" \"'“„«([")
    # A list's sign, a colon or a line's end begin a sentence, too.
    return not before or before[-1] in ".!?:;\n•*-|\t" or before != before.rstrip()


@text_cache(4096)
def writes_words_large(text: str) -> bool:
    """Return whether capitals mark no names: in German, which capitalises all nouns, and in titles."""
    if language_by_words(text) == "de":
        return True
    # The first word is always large.
    inside = [match[0] for match in _WORD.finditer(normalize_signs(text)) if len(match[0]) > SHORTEST and match.start()]
    return len(inside) > 2 and sum(word[0].isupper() for word in inside) / len(inside) > MANY_CAPITALS


def missing_name(
    statement: str, texts: Sequence[str], elsewhere: Sequence[str] = (), *, codes_only: bool = False
) -> MissingFact | None:
    """Return a statement's first name found neither in the cited texts nor around them; None if all are.

    Names are also searched in `elsewhere`, since a paragraph says "she" where a statement gives the name; codes
    aren't. A sentence's first word is checked only as part of a longer name. In a title single words are skipped, and
    in German apparent nouns. `codes_only`: the texts are in another language.
    """
    cited = [text_vocabulary(text) for text in texts]
    vocabularies = [*cited, *(text_vocabulary(text) for text in elsewhere)]
    # A heading in capitals has no names that could be told.
    codes_only = codes_only or (statement.isupper() and len(_PLAIN_WORD.findall(statement)) > SHORTEST)
    sample = " ".join((*texts, *elsewhere))[:MOST_CHARACTERS]
    large = writes_words_large(statement) or writes_words_large(sample)
    is_german = not codes_only and (language_by_words(statement) or language_by_words(sample)) == "de"
    for name in _german_names(statement, vocabularies) if is_german else find_names(statement):
        looked_for = [
            word
            for at, word in enumerate(name.words)
            if is_german or _is_looked_for(name, at, large=large, codes_only=codes_only)
        ]
        # Codes only in the cited text itself: a neighbouring paragraph may speak of another version.
        codes_there = all(any(holds_name(words, word) for words in cited) for word in looked_for if is_code(word))
        is_there = all(any(holds_name(vocabulary, word) for vocabulary in vocabularies) for word in looked_for)
        if not codes_there or not (is_there or _is_written_out(name, vocabularies)):
            return MissingFact(
                statement[name.start : name.end], _name_instead(name, statement, texts, is_german=is_german)
            )
    return None


def _is_looked_for(name: Name, at: int, *, large: bool, codes_only: bool) -> bool:
    word = name.words[at]
    if len(word) < 2 or word.casefold() in _COMMON:
        return False
    if is_code(word):
        return True
    if codes_only:
        return False
    is_acronym = sum(character.isupper() for character in word) > 1
    if name.is_first and at == 0:
        return is_acronym
    # "Dr. Ito": behind a title and at the end of a run it is a name even where all words are large.
    is_family_name = name.has_title or (len(name.words) > 1 and at == len(name.words) - 1)
    return is_acronym or not large or is_family_name


def _german_names(text: str, texts: Sequence[Vocabulary] = ()) -> Iterator[Name]:
    """Find names in German, where every noun is capitalised.

    A noun is recognised by the word before it, its ending, or as a compound with a word of `texts`; of a hyphenated
    word only the part in capitals counts ("GPS-Gerät").
    """
    plain = normalize_signs(text)
    for run in find_names(text):
        start, found = run.start, list[Name]()
        for at, word in enumerate(run.words):
            # Found in the text, as parts are words without their places.
            start = plain.index(word, start)
            before = plain[max(0, start - AROUND) : start].rstrip()
            is_first = run.is_first and at == 0
            for part in _german_parts(word, before, texts, is_first=is_first, has_title=run.has_title):
                begin = start + word.index(part)
                if found and plain[found[-1].end : begin] == " ":  # "Ingrid Solberg"
                    last = found.pop()
                    found.append(last._replace(end=begin + len(part), words=(*last.words, part)))
                else:
                    found.append(Name(begin, begin + len(part), (part,), is_first))
            start += len(word)
        yield from found


def _german_parts(
    word: str, before: str, texts: Sequence[Vocabulary], *, is_first: bool, has_title: bool
) -> Iterator[str]:
    """Yield the parts of a capitalised word that are names."""
    parts = re.split(r"[-/]", word)
    # "GPS-Gerät": the noun tells nothing, the code does.
    signs = [part for part in parts if is_code(part) or (len(part) > 1 and part.isupper())]
    if len(parts) > 1 or signs:
        yield from signs
    elif has_title or sum(character.isupper() for character in word) > 1:
        yield word
    elif is_first or len(word) < SHORTEST or word.casefold() in _COMMON:
        return
    elif not _is_german_noun(word, before, texts):
        yield word


def _is_german_noun(word: str, before: str, texts: Sequence[Vocabulary]) -> bool:
    folded = word.casefold()
    if _BEFORE_NOUN.search(before) or _NOUN_ENDING.search(folded):
        return True
    # "Portables System": an adjective that only begins the sentence.
    last = re.search(r"[^\W\d_]+$", before)
    if last and last[0][0].isupper() and _SEEMS_ADJECTIVE.search(last[0]):  # "Portables System", at the beginning
        return True
    return len(folded) > COMPOUND and any(_is_compound_with(folded, there) for text in texts for there in text.words)


COMPOUND = 6
"""Shortest part of a compound, in letters."""


def _is_compound_with(word: str, there: str) -> bool:
    """ "Hafenamt" with "Hafens", "Seehafen" with "Hafen", "Tastatureingabe" with "Benutzereingabe"."""
    if len(there) <= SHORTEST:
        return False
    # Without its ending, which differs between cases.
    stem = there[: max(len(there) - 2, SHORTEST + 1)]
    return word.startswith(stem) or word.endswith(there) or (len(there) > COMPOUND and word[-5:] == there[-5:])


def _is_written_out(name: Name, vocabularies: Sequence[Vocabulary]) -> bool:
    """Return whether the texts have only the name's initials, as "NER" for "Named Entity Recognition"."""
    initials = "".join(word[0] for word in name.words).casefold()
    return len(initials) > 2 and any(initials in vocabulary.words for vocabulary in vocabularies)


def _name_instead(name: Name, statement: str, texts: Sequence[str], *, is_german: bool) -> str:
    """Return the name found instead: with a word in common, or with the same words around it; "" for none."""
    wanted, ours = word_stems(statement), surroundings_of(statement, name.start, name.end)
    said = {word.casefold() for word in _PLAIN_WORD.findall(statement)}
    best, found = 0.0, ""
    for text in texts:
        for there in _german_names(text) if is_german else find_names(text):
            folded = {word.casefold() for word in there.words}
            # A name that the statement has itself is not what stands instead.
            if folded <= said or all(len(word) < 2 for word in folded):
                continue
            in_common = len(
                # "GPT-4" instead of "GPT-5" has its letters in common.
                {_without_digits(word) for word in folded} & {_without_digits(word.casefold()) for word in name.words}
            )
            score = in_common + surroundings_closeness(ours, surroundings_of(text, there.start, there.end))
            if (
                (in_common or score >= LEAST_CLOSENESS)
                and share_at(text, there.start, wanted) >= LEAST_SHARE
                and score > best
            ):
                best, found = score, shown_stretch(text, there.start, there.end)
    return found


def _without_digits(word: str) -> str:
    """Strip the digits, so that "GPT-4" can replace "GPT-5"."""
    return re.sub(r"\d+", "", word)
