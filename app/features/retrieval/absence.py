"""Tell whether some passage of a document seems to answer a question, and whether an answer rests on any.

Five signs of how near the question and the document are, weighed by a logistic regression that was fitted on the
development sets alone (`tests/benchmarks/absence.py` fits and measures it). It cannot know what a passage says:
questions on the document's topic that it never answers are recognised less often than those about something else. The
chat model knows more, where it is asked (`app.features.chat.passage_judge`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from app.core.lazy_dataclasses import dataclass
from app.features.retrieval.languages import count_small_words, find_document_language
from app.features.retrieval.meaning import passage_indexes, text_with_headings
from app.features.retrieval.ranking import ASKING_WORDS, LEADERS, SHORT_QUESTION_WORDS
from app.features.retrieval.source_places import SourcePlace
from app.features.retrieval.support import statements_of
from app.language.admissions import admits_absence
from app.language.language_detection import SMALL_WORDS
from app.language.language_names import WITHOUT_SPACES
from app.store.document_store import DocumentStore

# In a shorter document any word is rare.
LEAST_BLOCKS = 8
AROUND = 2
"""Blocks before and after one that count as the same passage."""
# Two letters are mostly articles and prepositions; numbers count at any length.
LEAST_LETTERS = 3
STEM_LETTERS = 5
"""Words of at least this many letters also match inside others, without their last letters."""
ENDING = 2
# These say little about the topic in the three languages this was measured in, and would be found missing in most
# documents.
COMMON_WORDS = (
    "long often happens happen happened need needs needed stay keep put take takes give able kind sort any anybody "
    "somebody someone anyone nobody nothing after before while without than then here goes get gets got use used "
    "using times plus minus divided multiplied percent make makes made let want going still even ever never only "
    "own other into onto over under them they mal geteilt lange oft hoch heißt heißen passiert geschieht gilt "
    "stelle mache machen macht muss brauche brauchen mich dich mir dir ich man habe hat haben können soll sollte "
    "darf dürfen lässt bekommt bekomme geht gehen noch schon aus oder aber wenn bei nach vor über unter wofür wozu "
    "mein meine meinen dividido multiplicado llama lleva sirve pasa mucho muchos veces largo puedo soy sea tiempo "
    "debo debe hacer hago hay tengo tiene puede haya ser está están hoy sin sobre nadie alguien otro otra cuánta "
    "cuántas cuántos quiénes"
)
_POLITE = "please |bitte |por favor,? |can you |could you |kannst du "
_ORDERS = (
    "translate|rewrite|rephrase|shorten|write|draft|compose|make|put|repeat|continue|thanks?|hello|hi|"
    r"übersetz\w*|schreib\w*|kürz\w*|formulier\w*|mach\w*|danke|hallo|"
    "traduce|escribe|reescribe|acorta|haz|repite|continúa|gracias|hola|"
    r"tradui\w*|écri\w*|merci|bonjour|scrivi|grazie|ciao"
)
_REQUEST = re.compile(rf"[\W_]*(?:{_POLITE})?(?:{_ORDERS})\b", re.IGNORECASE)
"""Requests to the model itself rather than to a document, in five languages."""
_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")
# A heading has the number without the word, so these tell nothing.
_NUMBERED_PARTS = (
    "chapter section part page figure table article paragraph line step point item example question appendix "
    "kapitel abschnitt teil seite abbildung tabelle artikel absatz zeile schritt punkt beispiel frage anhang "
    "capítulo sección parte página figura tabla artículo párrafo línea paso punto ejemplo pregunta anexo"
)
NAME_REACH = 2
"""Tokens from a name to the number that belongs to it."""
_CAPITALIZES_NOUNS = "de"
# After these a capital proves no name.
_BEFORE_SENTENCES = '.?!:¿¡"“„«('


@dataclass(frozen=True)
class AnswerSigns:
    """Signs of how near a question and a document are.

    `missing`: the share of the question's words found nowhere; `together`: the largest share found in one passage;
    both weighted by rarity. `closeness`: cosine of the nearest passage, None if the table can't tell. `lacks_name`: a
    name or number of the question occurs nowhere, or its number never behind it where others
    stand. `blocks`: the document's size, since in a long one something is always near.
    """

    missing: float
    together: float
    closeness: float | None
    lacks_name: bool
    blocks: int = 1_000


# Fitted on the development sets alone by `tests/benchmarks/absence.py`, which measures the held-out ones. The
# signs' weights belong together: one of them is not changed by itself.
BIAS = 1.345
MISSING = 2.17
TOGETHER = -0.278
CLOSENESS = -13.15
LACKS_NAME = 6.98
SIZE = 0.465
"""Of the logarithm of the number of blocks."""
USUAL_CLOSENESS = 0.47
"""Default where the closeness is unknown."""
# From here on a passage that answers is said not to be there.
MOST_ABSENCE = 0.5
LEAST_BORNE = 0.5
"""Share of a sentence's new words, beyond the question's, that must be together in its source."""
# Where no passage seemed to answer, an answer is doubted sooner.
LEAST_BORNE_IN_DOUBT = 0.85
LEAST_ADDED_WORDS = 2


def absence_of(signs: AnswerSigns) -> float:
    """Return from 0 to 1 how surely no passage answers."""
    return 1 / (1 + math.exp(-absence_logit(signs)))


def absence_logit(signs: AnswerSigns) -> float:
    """Return the logarithm of how much likelier it is that no passage answers than that one does."""
    closeness = USUAL_CLOSENESS if signs.closeness is None else signs.closeness
    logit = BIAS + MISSING * signs.missing + TOGETHER * signs.together + SIZE * math.log(max(1, signs.blocks))
    return logit + CLOSENESS * closeness + LACKS_NAME * signs.lacks_name


def has_answer(store: DocumentStore, document_id: int, question: str) -> bool | None:
    """Judge whether some passage seems to answer; None if unknown.

    Unknown for short questions, those of function words only, scripts without spaces, other languages than the
    document's, and very short documents.
    """
    signs = signs_of(store, document_id, question)
    return None if signs is None else absence_of(signs) < MOST_ABSENCE


def signs_of(store: DocumentStore, document_id: int, question: str) -> AnswerSigns | None:
    """Look a question's words up in a document; None as in `has_answer`."""
    if not asks_something(question):
        return None
    document = _SearchedDocument(store, document_id)
    # Of another language the words are found nowhere, so nothing could be told by them.
    if document.block_count < LEAST_BLOCKS or document.is_in_another_language(question):
        return None
    words = telling_words(question)
    places = {word: document.places_of(word) for word in words}
    # As in bm25: a word of few blocks weighs more. The half keeps a word that is nowhere finite.
    rarity = {word: math.log((len(document.texts) + 1) / (len(places[word]) + 0.5)) for word in words}
    whole = sum(rarity.values())
    missing = sum(rarity[word] for word in words if not places[word])
    names = names_of(question)
    return AnswerSigns(
        missing / whole,
        _joint_rarity(places, rarity) / whole,
        passage_indexes().closeness(store, document_id, question),
        # One name that is nowhere tells more than all other words together: see LACKS_NAME.
        any(not (places[name] if name in places else document.places_of(name)) for name in names)
        or any(document.lacks_version(name, number) for name, number in numbered_names(question)),
        document.block_count,
    )


def asks_something(question: str) -> bool:
    """Return whether a question has a topic: no greeting, sum or order to write, and not too short."""
    is_long = len(question.split()) >= SHORT_QUESTION_WORDS and not WITHOUT_SPACES.search(question)
    return is_long and not _REQUEST.match(question) and any(word.isalpha() for word in telling_words(question))


def rests_on_nothing(
    store: DocumentStore,
    document_ids: Sequence[int],
    question: str,
    answer: str,
    sources: Sequence[SourcePlace],
    *,
    is_doubted: bool = False,
) -> bool:
    """Judge whether an answer states something found nowhere in the documents.

    Looks for the words each sentence adds to the question. False if a sentence has a citation, the answer admits
    finding nothing, or it can't be judged. `is_doubted`: no passage seemed to answer the question, so more of those
    words are needed, and an answer that adds none is unsupported.
    """
    stated = list(statements_of(answer, sources))
    # "The document does not say" rests on nothing and is right all the same.
    if not asks_something(question) or any(has_place or admits_absence(sentence) for sentence, has_place in stated):
        return False
    asked = question.casefold()
    # Words of the question say nothing about where the answer is from: a model repeats them.
    added = [[word for word in telling_words(sentence) if _word_stem(word) not in asked] for sentence, _ in stated]
    added = [words for words in added if len(words) >= (0 if is_doubted else LEAST_ADDED_WORDS)]
    limit = LEAST_BORNE_IN_DOUBT if is_doubted else LEAST_BORNE
    documents = [_SearchedDocument(store, document_id) for document_id in dict.fromkeys(document_ids)]
    if not added or not documents or any(document.is_in_another_language(answer) for document in documents):
        return False
    return all(document.share_together(words) < limit for words in added for document in documents)


class _SearchedDocument:
    """The texts of a document, to look words up in."""

    def __init__(self, store: DocumentStore, document_id: int) -> None:
        blocks = list(store.every_block(document_id))
        self.block_count = len(blocks)
        self.texts = [
            # Lines of a table of contents have every topic's words, and answer nothing.
            text_with_headings(block).casefold()
            for block in blocks
            if not LEADERS.search(str(block["text"]))
        ]
        # Found for the whole document: a question may be in a language that only a part is in.
        self._language = find_document_language([str(block["text"]) for block in blocks])

    def is_in_another_language(self, text: str) -> bool:
        return self._language.differs_from(text)

    def places_of(self, word: str) -> set[int]:
        return _places_of(word, self.texts)

    def lacks_version(self, name: str, number: str) -> bool:
        """Return whether other numbers follow a name here, but this one never does."""
        found = {
            token for place in self.places_of(name) for token in _numbers_after(_word_stem(name), self.texts[place])
        }
        return bool(found) and number not in found

    def share_together(self, words: Sequence[str]) -> float:
        """Return the largest share of words found in one passage."""
        places = {word: self.places_of(word) for word in words}
        return _joint_rarity(places, dict.fromkeys(words, 1.0)) / len(words) if words else 0.0


def telling_words(question: str) -> list[str]:
    """Return the words that carry the topic, and the numbers."""
    words = dict.fromkeys(_TOKEN.findall(question.casefold()))
    return [word for word in words if word[0].isdigit() or (len(word) >= LEAST_LETTERS and word not in _common_words())]


def names_of(question: str) -> list[str]:
    """Return the numbers of a question, and its words with a capital that does not begin a sentence; no German ones."""
    counts = count_small_words(question)
    # In German every noun has a capital, so only numbers can be told.
    has_capitalized_nouns = counts[_CAPITALIZES_NOUNS] == max(counts.values()) > 0
    names = []
    for match in _TOKEN.finditer(question):
        token = match[0].casefold()
        is_capitalized = len(token) > 1 and match[0][0].isupper() and token not in _common_words()
        # Also a heading's or quotation's first word has a capital without being a name.
        begins = question[: match.start()].rstrip()[-1:] in _BEFORE_SENTENCES
        if any(map(str.isdigit, token)) or (is_capitalized and not begins and not has_capitalized_nouns):
            names.append(token)
    return names


def numbered_names(question: str) -> list[tuple[str, str]]:
    """Return the telling words directly before a number, with it: names with a version, a model or a year."""
    tokens = _TOKEN.findall(question.casefold())
    telling = set(telling_words(question)).difference(_NUMBERED_PARTS.split())
    return [
        (name, number)
        for name, number in pairwise(tokens)
        if number[0].isdigit() and name.isalpha() and name in telling
    ]


def _numbers_after(stem: str, text: str) -> Iterator[str]:
    """Yield the numbers that stand closely behind words with this stem."""
    tokens = _TOKEN.findall(text)
    for index, token in enumerate(tokens):
        if token[0].isdigit() and any(stem in other for other in tokens[max(0, index - NAME_REACH) : index]):
            yield token


def _joint_rarity(places: dict[str, set[int]], rarity: dict[str, float]) -> float:
    """Return the largest sum of rarities of words around one place."""
    sums: dict[int, float] = {}
    for word, found in places.items():
        # A passage is a block with its neighbours: an answer often begins in the block before.
        near = {place + step for place in found for step in range(-AROUND, AROUND + 1)}
        for place in near:
            sums[place] = sums.get(place, 0.0) + rarity[word]
    return max(sums.values(), default=0.0)


def _places_of(word: str, texts: Sequence[str]) -> set[int]:
    """Return the indexes of texts that have a word, perhaps with another ending or, if long, inside another word."""
    if len(word) < STEM_LETTERS or not word.isalpha():
        # Short words only whole: inside others they mean something else.
        pattern = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])")
        return {place for place, text in enumerate(texts) if word in text and pattern.search(text)}
    stem = _word_stem(word)
    return {place for place, text in enumerate(texts) if stem in text}


def _word_stem(word: str) -> str:
    return word[: max(STEM_LETTERS, len(word) - ENDING)] if word.isalpha() else word


@cache
def _common_words() -> frozenset[str]:
    """Return words found in any text, and those used for asking."""
    return frozenset(f"{ASKING_WORDS} {COMMON_WORDS} {' '.join(SMALL_WORDS.values())}".split())
