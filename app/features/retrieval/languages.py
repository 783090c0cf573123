"""Tell a document's languages, and whether a question is in another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.language.language_detection import SMALL_WORD_SETS, language_by_words, scripts_differ
from app.language.words import WORD

# A document's middle may be a licence, or an untranslated chapter: 4,000 characters of it let partly translated
# documents be read as English.
SAMPLES = 96
"""Blocks sampled all over a document."""
SAMPLE_LENGTH = 600
"""Characters of each."""
# A shorter block is a title or a number.
LEAST_SAMPLE = 20
"""Characters."""
# Questions are short and full of these, which the small words of texts leave out.
_ASKED_IN = {
    "en": "what who whose which when where why how do does did can could should i my you a an",
    "de": "wer wen wem was wann wo warum wie welche welcher welches welchen woher wofür kann darf muss ich man",
    "fr": "qui quoi quel quelle quels quelles quand où pourquoi comment combien",
    "es": "qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuánta cuántos cuántas puedo hay",
    "it": "chi cosa quale quali quando dove perché come quanto quanti",
}
_QUESTION_WORDS = {code: words.union(_ASKED_IN.get(code, "").split()) for code, words in SMALL_WORD_SETS.items()}


@dataclass(frozen=True)
class DocumentLanguage:
    """A document's language: `code` as in `language_by_words`, "" if unknown."""

    code: str
    sample: str

    def differs_from(self, question: str) -> bool:
        """Judge whether a question is in another language, by scripts and small words; it has few of them."""
        counts = count_small_words(question)
        # More than, not other than: a question without small words is taken for one in the document's language.
        is_other = self.code in counts and max(counts.values()) > counts[self.code]
        return is_other or scripts_differ(question, self.sample)


def find_document_language(texts: Sequence[str]) -> DocumentLanguage:
    """Return the language of most of a document's text, by samples from all over it."""
    long = [text for text in texts if len(text) >= LEAST_SAMPLE] or list(texts)
    # Evenly spread; the last division rounds up.
    samples = [text[:SAMPLE_LENGTH] for text in long[:: max(1, -(-len(long) // SAMPLES))]]
    lengths: Counter[str] = Counter()
    for sample in samples:
        lengths[language_by_words(sample)] += len(sample)
    # Samples that tell nothing (numbers, code) vote for nothing.
    del lengths[""]
    if not lengths:
        # All samples together may have enough small words where none has alone.
        whole = "\n".join(samples)
        return DocumentLanguage(language_by_words(whole), whole)
    code = lengths.most_common(1)[0][0]
    # Scripts are compared with the part in its main language.
    of_it = "\n".join(sample for sample in samples if language_by_words(sample) == code)
    return DocumentLanguage(code, of_it)


def count_small_words(question: str) -> dict[str, int]:
    """Count the small words and those by which one asks, by language."""
    asked = set(WORD.findall(question.casefold()))
    return {code: len(asked & words) for code, words in _QUESTION_WORDS.items()}
