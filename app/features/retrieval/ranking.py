"""Rank the passages of a document by a question: by the words they share, and by what they mean.

Shared words count by SQLite FTS5's bm25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009), meaning
by `app.features.retrieval.meaning`; both are joined by reciprocal ranks. Languages written without spaces, of which a
full-text index sees whole runs only, are ranked by the pairs of letters they share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from app.language.language_detection import SMALL_WORDS
from app.language.language_names import WITHOUT_SPACES
from app.store.document_store import DocumentStore, Fields

SHORT_QUESTION_WORDS = 4
# Far more than a prompt has room for; the rest is only sorted.
MOST_RANKED = 200
# With two, .54 and .63 of 35 questions had their passage among the first 5 and 12, with one .51 and .63; of 37 held-out
# ones .65 and .73, with one .54 and .68.
MODEL_VOTES = 2
"""Weight of an embedding model's ranking; words have one and the table two."""
SMOOTHING = 5
"""The k of reciprocal ranks, by words and tables alone; of 5, 10 and 20 it found most in the development sets."""
MODEL_SMOOTHING = 10
"""The same where an embedding model ranks, too."""
# In common such question and document have names at most, so shared words say little.
CROSSING_VOTES = 2
"""Of the table's rankings, for a question in another language than the document."""
LONG_WORD = 6
ENDING = 2
"""Letters that a long word may change at its end."""
# They say how something is asked, not about what; a document that has "page" in a line would win by it.
ASKING_WORDS = (
    "what who whom whose which when where why how do does did can could would should will please tell say says said "
    "give show list find explain describe summarize about there anything something document text file page pages "
    "report name names many much any some all me you your our mean means "
    "wer wen wem wessen welche welcher welches wann wo warum wieso weshalb wie was kann kannst könnte soll bitte nenne "
    "sag sage zeig finde erkläre beschreibe gibt steht dokument text datei seite seiten bericht viele viel etwas alle "
    "qui quoi quel quelle quels quelles quand où pourquoi comment peux peut dis donne montre trouve explique document "
    "texte fichier page combien quién qué cuál cuáles cuándo dónde cómo cuánto puedes dime explica documento archivo "
    "página chi cosa quale quali quando dove perché come quanto puoi dimmi spiega documento pagina"
)
# The dots between a title and its page.
LEADERS = re.compile(r"(?:\. ?){5}|…{3}")
_WORD = re.compile(r"\w+")


def rank_blocks(
    store: DocumentStore, document_id: int, question: str, by_model: Sequence[Sequence[int]] = ()
) -> list[Fields]:
    """Return matching blocks, best first, by words and meaning; a table of contents never matches.

    `by_model` are rankings of block ids by an embedding model. Empty if no word of the question occurs and its
    meaning is unknown.
    """
    return [block for block, _ in rank_with_scores(store, document_id, question, by_model)]


def rank_with_scores(
    store: DocumentStore, document_id: int, question: str, by_model: Sequence[Sequence[int]] = ()
) -> list[tuple[Fields, float]]:
    """Rank as `rank_blocks`, with the mean reciprocal rank; 1 is first by words and by meaning."""
    from app.features.retrieval.meaning import passage_indexes  # NumPy comes with the first question
    from app.language.static_embeddings import reciprocal_scores

    is_crossing = passage_indexes().is_crossing(store, document_id, question)
    words = words_of(question)
    if is_crossing:
        # Function words mean something else in other languages: German “die” is an English verb.
        words = [word for word in words if word not in _small_words()]
    found = store.rank_blocks([document_id], words, MOST_RANKED)
    numbers = [number for _, number, _ in found]
    # The full-text index sees a run without blanks as one word.
    runs = "".join(WITHOUT_SPACES.findall(question))
    if len(runs) > 1:
        numbers = list(dict.fromkeys([*_by_pairs(store, document_id, runs), *numbers]))
    rankings = [
        numbers,
        *(CROSSING_VOTES if is_crossing else 1) * passage_indexes().rank(store, document_id, question, MOST_RANKED),
        *MODEL_VOTES * list(by_model),
    ]
    smoothing = MODEL_SMOOTHING if by_model else SMOOTHING
    scores = reciprocal_scores(rankings, smoothing)
    # The score of a passage that comes first in every ranking, so that 1 means that.
    best = sum(reciprocal_scores([[0]] * len(rankings), smoothing).values())
    numbers = sorted(scores, key=lambda number: -scores[number])[:MOST_RANKED]
    blocks = {int(fields["id"]): fields for fields in store.some_blocks(document_id, numbers)}
    # Told by signs of the whole document; LEADERS finds single lines in it.
    contents = passage_indexes().contents(store, document_id)
    ranked = [(blocks[number], scores[number] / best) for number in numbers if number not in contents]
    return [(block, score) for block, score in ranked if not LEADERS.search(str(block["text"]))]


def words_of(text: str) -> list[str]:
    """Return the words to search for; a long one as a prefix ("settl*"), since endings vary."""
    found = dict.fromkeys(word.casefold() for word in _WORD.findall(text))
    # Endings vary ("settle", "settled", "settlement"); of a short word too little would be left.
    return [f"{word[:-ENDING]}*" if len(word) >= LONG_WORD and word.isalpha() else word for word in found]


@cache
def _small_words() -> frozenset[str]:
    """Return function words, which mean something else in other languages and say little in their own."""
    return frozenset(words_of(f"{ASKING_WORDS} {' '.join(SMALL_WORDS.values())}"))


def _by_pairs(store: DocumentStore, document_id: int, runs: str) -> list[int]:
    wanted = {runs[at : at + 2] for at in range(len(runs) - 1)}
    # Pairs of letters: the shortest run that is mostly a word in Chinese or Japanese.
    scores: Counter[int] = Counter()
    for fields in store.every_block(document_id):
        text = str(fields["text"])
        hits = sum(1 for pair in wanted if pair in text)
        if hits:
            scores[int(fields["id"])] = hits
    return [number for number, _ in scores.most_common(MOST_RANKED)]
