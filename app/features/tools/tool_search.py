"""Chooses whole tools for a question where the schemas of all would take too much of the context."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.features.retrieval.ranking import words_of
from app.features.tool_calls import ToolFunction

_NAME_PARTS = re.compile(r"[^\W_]+")


def rank_tools(question: str, tools: Sequence[ToolFunction]) -> list[int]:
    """Return the numbers of the tools, those that fit a question first, by shared words and by meaning."""
    from app.language.static_embeddings import load_table, reciprocal_scores  # NumPy comes with it

    texts = [f"{' '.join(_NAME_PARTS.findall(tool.name))}. {tool.description}" for tool in tools]
    rankings = [_rank_by_words(question, texts)]
    if (table := load_table()) is not None and question.strip():
        closeness = table.embed(texts) @ table.embed([question])[0]
        rankings.append(sorted(range(len(tools)), key=lambda number: -closeness[number]))
    scores = reciprocal_scores(rankings)
    # What no ranking knows stays behind, in its order.
    return sorted(range(len(tools)), key=lambda number: -scores.get(number, 0.0))


def choose_tools(question: str, tools: Sequence[ToolFunction], tokens: Sequence[int], room_tokens: int) -> list[int]:
    """Return the numbers of the tools to tell, in their order: the best that fit into the room, each one whole."""
    chosen: list[int] = []
    for number in rank_tools(question, tools):
        if tokens[number] <= room_tokens:
            chosen.append(number)
            room_tokens -= tokens[number]
    return sorted(chosen)


def _rank_by_words(question: str, texts: Sequence[str]) -> list[int]:
    wanted = [word.rstrip("*") for word in words_of(question)]
    found = [_NAME_PARTS.findall(text.casefold()) for text in texts]
    # A word that few tools have says more.
    rarity = {word: 1 / (1 + sum(_has_word(words, word) for words in found)) for word in wanted}
    scores = [sum(rarity[word] for word in wanted if _has_word(words, word)) for words in found]
    return sorted((n for n, score in enumerate(scores) if score), key=lambda number: -scores[number])


def _has_word(words: Sequence[str], wanted: str) -> bool:
    return any(word.startswith(wanted) if len(wanted) > 3 else word == wanted for word in words)
