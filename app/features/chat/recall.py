"""Recall turns that no longer fit the context: find those a new question is about, and quote them.

A turn, a question with its answers, is ranked as one text: the question names the topic, the answers have what is
sought. The ranking is BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009) over the chat's own
turns, so that words rare in this chat count most. `make bench ONLY=recall` compares it with SQLite's full-text
ranking, and counts how often a question about nothing earlier recalls something.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.language.language_names import INFLECTED_INSIDE, WITHOUT_SPACES
from app.language.sentences import split_sentences
from app.language.words import WORD, stems_of_word
from app.store.conversations import StoredMessage

SHARE = 0.15
"""Of what a prompt may take."""
MOST_TOKENS = 1024
MOST_TURNS = 6
LEAST_SCORE = 1.5
"""About that of one rare word in a short turn; less says nothing."""
NEAR_BEST = 0.45
"""Of the best score: what is further off is about something else."""
MANY_TERMS = 12
"""Terms above which more is required: a long question shares words with everything."""
PAIR_WEIGHT, RUN_EXPONENT = 0.65, 0.75
"""Weight of a character pair in scripts without spaces, where a word has about two; and the exponent that reduces the
weight of the trigrams standing for one word.
"""
SATURATION, LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b."""
PART, ASKED = 800, 120
"""Characters."""
MOST_BYTES = 800
"""Of one message; of a longer one the sentences are quoted that have the question's words, each with its neighbours."""
PIECE = 300
"""Characters: what is longer is no sentence, and quoted in pieces."""
GAP = "[…]"
HEADING = "From earlier in this conversation, which is not shown in full:"
SPEAKERS = {Role.USER: "The user wrote:", Role.ASSISTANT: "The assistant answered:"}

_INSIDE = re.compile(f"[{INFLECTED_INSIDE}]")

Count = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class SearchTerm:
    """A word searched for:

    `is_whole`, as a prefix, or `is_inside` any word. The parts of one word weigh as much as one together.
    """

    text: str
    weight: float = 1.0
    is_whole: bool = False
    is_inside: bool = False

    def count_in(self, text: str) -> int:
        """Count its matches in a casefolded text."""
        if self.is_inside:
            return text.count(self.text)
        found, at, size = 0, text.find(self.text), len(self.text)
        while at >= 0:
            # A term begins a word; it may end anywhere unless it has to be whole.
            ends = at + size == len(text) or not text[at + size].isalnum()
            found += (at == 0 or not text[at - 1].isalnum()) and (ends or not self.is_whole)
            at = text.find(self.text, at + size)
        return found


def terms_of(question: str) -> list[SearchTerm]:
    """Return the search terms of a question, each once."""
    found: dict[str, SearchTerm] = {}
    # Soft hyphens stand inside words of imported texts.
    for match in WORD.finditer(question.casefold().replace("\u00ad", "")):
        for term in _terms_of_word(match[0]):
            found.setdefault(term.text, term)
    return list(found.values())


def _terms_of_word(word: str) -> Iterable[SearchTerm]:
    # Without spaces pairs of characters stand for words; what stands between is a word by itself.
    if WITHOUT_SPACES.search(word):
        others = " ".join(WITHOUT_SPACES.split(word)).split()
        pairs = [SearchTerm(pair, PAIR_WEIGHT, is_inside=True) for pair in stems_of_word(word)]
        return [*pairs, *(SearchTerm(other, is_whole=True) for other in others)]
    # Numbers are whole or they are others.
    stems = [] if any(map(str.isdigit, word)) else stems_of_word(word)
    # Long words, and inflected ones, are matched by several parts, which together weigh as much as one word.
    if len(stems) > 1 or (stems and _INSIDE.match(word)):
        return [SearchTerm(stem, len(stems) ** -RUN_EXPONENT, is_inside=True) for stem in stems]
    if stems:
        return [SearchTerm(stems[0])]
    return [SearchTerm(word, is_whole=True)] if len(word) > 1 or word.isdigit() else []


def turns_of(messages: Iterable[StoredMessage]) -> list[list[StoredMessage]]:
    """Group messages into turns: a question with all that follows."""
    turns: list[list[StoredMessage]] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def rank_turns(question: str, turns: Sequence[Sequence[str]]) -> list[int]:
    """Return the indexes of turns a question is about, best first; maybe none. A turn is its texts, question first."""
    scores = score_turns(question, turns)
    # A long question shares words with everything, so more is asked of a match.
    least = LEAST_SCORE * max(1.0, len(terms_of(question)) / MANY_TERMS)
    best = max(scores, default=0.0)
    wanted = [number for number, score in enumerate(scores) if score >= max(least, NEAR_BEST * best)]
    return sorted(wanted, key=lambda number: -scores[number])[:MOST_TURNS]


def score_turns(question: str, turns: Sequence[Sequence[str]]) -> list[float]:
    """Return the BM25 score of each turn's best part, in units of a word found nowhere."""
    parts = [(number, part) for number, turn in enumerate(turns) for part in parts_of(turn)]
    average = sum(len(part) for _, part in parts) / max(1, len(parts))
    scores = [0.0] * len(parts)
    for term in terms_of(question):
        # Casefolded parts, so a plain search is enough.
        counts = {at: count for at, (_, part) in enumerate(parts) if (count := term.count_in(part))}
        # In units of a word found nowhere, so that the thresholds hold for chats of any length.
        rarity = math.log(1 + (len(parts) - len(counts) + 0.5) / (len(counts) + 0.5)) / math.log(1 + len(parts))
        for at, count in counts.items():
            length = 1 - LENGTH_SHARE + LENGTH_SHARE * len(parts[at][1]) / average
            # BM25: a word that comes often counts less each time, and so do long parts.
            scores[at] += term.weight * rarity * count * (SATURATION + 1) / (count + SATURATION * length)
    best = [0.0] * len(turns)
    for (number, _), score in zip(parts, scores, strict=True):
        # The best part counts: a long turn may be about many things.
        best[number] = max(best[number], score)
    return best


def parts_of(turn: Sequence[str]) -> list[str]:
    """Split a turn into casefolded parts to rank: a short one whole, else runs of lines, each prefixed with the start
    of its question.
    """
    whole = "\n".join(turn).casefold()
    if len(whole) <= PART:
        return [whole]
    parts = [""]
    for line in whole.splitlines():
        if parts[-1] and len(parts[-1]) + len(line) > PART:
            parts.append("")
        parts[-1] += f"{line}\n"
    # Each part begins with its question, which names the topic.
    asked = whole[:ASKED]
    return [parts[0], *(f"{asked}\n{part}" for part in parts[1:])]


def choose_turns(
    question: str, branch: Iterable[StoredMessage], hidden: Collection[int], room_tokens: int, count: Count
) -> list[int]:
    """Choose hidden messages to show again, as ids, oldest first, quoted in at most `room_tokens` of `count`.

    Shown turns count for word rarity, and if they match better, nothing is recalled.
    """
    turns = turns_of(message for message in branch if message.text.strip())
    chosen: list[StoredMessage] = []
    for number in rank_turns(question, [[message.text for message in turn] for turn in turns]):
        wanted = [turn for turn in turns[number] if turn.id in hidden]
        # By id, that is in the order in which it was said.
        together = sorted([*chosen, *wanted], key=lambda one: one.id)
        # Quoted as it would be, since marks and headings take tokens, too.
        if wanted and count([quote_messages(together, question)])[0] <= room_tokens:
            chosen = together
    return [message.id for message in chosen]


def quote_messages(messages: Sequence[StoredMessage], question: str) -> str:
    """Quote messages for the prompt before a question.

    Every line is marked, so that no text can end its quotation or start another. The result is deterministic, which
    keeps the KV cache usable.
    """
    terms = terms_of(question)
    parts = [
        f"{SPEAKERS[message.role]}\n{_mark_lines(make_excerpt(message.text, terms))}"
        for message in messages
        if message.role in SPEAKERS
    ]
    return "\n\n".join([HEADING, *parts]) if parts else ""


def _mark_lines(text: str) -> str:
    # Each line is marked, so that no text can end its quotation.
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def make_excerpt(text: str, terms: Sequence[SearchTerm]) -> str:
    """Shorten a text to `MOST_BYTES`: the sentences with most of the terms, in order."""
    if len(text.encode()) <= MOST_BYTES:
        return text
    # What is longer than a sentence is quoted in pieces.
    spans = [(at, min(at + PIECE, end)) for start, end in split_sentences(text) for at in range(start, end, PIECE)]
    folded = [text[start:end].casefold() for start, end in spans]
    hits = [sum(term.weight for term in terms if term.count_in(text)) for text in folded]
    # A sentence beside one that matches explains it.
    near = [hit + max(hits[max(0, at - 1) : at + 2]) / 4 for at, hit in enumerate(hits)]
    kept: set[int] = set()
    room = MOST_BYTES
    # Of equal ones the earlier, so that the same question gives the same excerpt.
    for at in sorted(range(len(spans)), key=lambda at: (-near[at], at)):
        if (size := len(text[slice(*spans[at])].encode())) <= room:
            kept.add(at)
            room -= size
    return _join_spans(text, spans, kept)


def _join_spans(text: str, spans: Sequence[tuple[int, int]], kept: set[int]) -> str:
    parts, last = [], -1
    for at in sorted(kept):
        if at != last + 1:
            parts.append(GAP)
        elif parts:
            parts.append(text[spans[last][1] : spans[at][0]] or " ")
        parts.append(text[slice(*spans[at])])
        last = at
    if last < len(spans) - 1:
        parts.append(GAP)
    # White space between neighbours stays as it was; a gap is marked.
    return "".join(f" {part} " if part is GAP else part for part in parts).strip()
