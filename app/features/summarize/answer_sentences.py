"""Sentences that the rules of an answer ended at their most characters: they get back to their last whole word.

Grammars (GBNF) that answers follow: points with the numbers of what they come from, and the forms of a write-up.
"""

from __future__ import annotations

MOST_SENTENCE_WORDS, MOST_UNSPACED_CHARACTERS = 70, 300
MOST_FREE_CHARACTERS, MOST_PARAGRAPH_CHARACTERS = 500, 1500
LONGEST_WORD = 40
"""Longer runs without a space aren't words: the text is written without spaces."""
GOES_ON = "…"
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔", GOES_ON, '"', "”", ")")
_LOOSE = " ,;:(–—-"


def sentence_of_small(text: str) -> str:
    """Mark a small model's sentence as cut if it reached the grammar's limit (words, or characters in unspaced
    scripts).
    """
    # Only a sentence that reached the limit was cut by it.
    is_full = len(text.split(" ")) > MOST_SENTENCE_WORDS or (len(text) >= MOST_UNSPACED_CHARACTERS and " " not in text)
    return text if not is_full or text.endswith(_ENDS) else f"{text.rstrip(_LOOSE)}{GOES_ON}"


def sentence_of_larger(text: str) -> str:
    """Mark a larger model's sentence as cut if it reached its grammar's limit."""
    limits = (MOST_FREE_CHARACTERS, MOST_PARAGRAPH_CHARACTERS)
    # One character more or less: the grammar counts the first one apart.
    is_full = any(abs(len(text) - most) <= 1 for most in limits) and not text.endswith(_ENDS)
    return whole_words(text) if is_full else text


def whole_words(text: str) -> str:
    """Drop the last word, which may be cut, and add an ellipsis."""
    before, _, last = text.rpartition(" ")
    # Half a word would look like one that the text doesn't have.
    return f"{(before if len(last) <= LONGEST_WORD else text).rstrip(_LOOSE)}{GOES_ON}"
