"""Tell a document's languages, and whether a question is in another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.language.language_detection import SMALL_WORDS, language_by_words, scripts_differ
from app.language.words import WORD

SAMPLES = 96
"""Blocks sampled all over a document: its middle may be a licence, or an untranslated chapter."""
SAMPLE_LENGTH = 600
"""Characters of each."""
LEAST_SAMPLE = 20
"""Characters; a shorter block is a title or a number."""
NEARLY_ALL = 0.8
_ASKED_IN = {
    "en": "what who whose which when where why how do does did can could should i my you a an",
    "de": "wer wen wem was wann wo warum wie welche welcher welches welchen woher wofür kann darf muss ich man",
    "fr": "qui quoi quel quelle quels quelles quand où pourquoi comment combien",
    "es": "qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuánta cuántos cuántas puedo hay",
    "it": "chi cosa quale quali quando dove perché come quanto quanti",
}


@dataclass(frozen=True)
class DocumentLanguage:
    """A document's language:

    `code` as in `language_by_words`, "" if unknown; `is_alone`: hardly anything is in another.
    """

    code: str
    is_alone: bool
    sample: str

    def differs_from(self, question: str) -> bool:
        """Judge whether a question is in another language, by scripts and small words; it has few of them."""
        counts = count_small_words(question)
        is_other = self.code in counts and max(counts.values()) > counts[self.code]
        return is_other or scripts_differ(question, self.sample)


def find_document_language(texts: Sequence[str]) -> DocumentLanguage:
    """Return the language of most of a document's text, by samples from all over it."""
    long = [text for text in texts if len(text) >= LEAST_SAMPLE] or list(texts)
    samples = [text[:SAMPLE_LENGTH] for text in long[:: max(1, -(-len(long) // SAMPLES))]]
    lengths: Counter[str] = Counter()
    for sample in samples:
        lengths[language_by_words(sample)] += len(sample)
    del lengths[""]
    if not lengths:
        whole = "\n".join(samples)
        return DocumentLanguage(language_by_words(whole), True, whole)
    code, most = lengths.most_common(1)[0]
    of_it = "\n".join(sample for sample in samples if language_by_words(sample) == code)
    return DocumentLanguage(code, most >= NEARLY_ALL * lengths.total(), of_it)


def count_small_words(question: str) -> dict[str, int]:
    """Count the small words and those by which one asks, by language."""
    asked = set(WORD.findall(question.casefold()))
    return {code: len(asked & set(f"{row} {_ASKED_IN.get(code, '')}".split())) for code, row in SMALL_WORDS.items()}
