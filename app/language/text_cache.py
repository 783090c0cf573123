"""Answers about texts, kept while checks ask about the same texts again and again, and forgotten at rest.

Four thousand paragraphs' words, names and numbers take 300 MB, so nothing of that may stay until the program ends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Question = Callable[[str], Answer]
_CACHES: list[Any] = []


def text_cache(most: int) -> Callable[[Question[Answer]], Question[Answer]]:
    """Keep a function's answers about so many texts, as `lru_cache` does, until they are forgotten together."""

    def cached(question: Question[Answer]) -> Question[Answer]:
        cache = lru_cache(maxsize=most)(question)
        _CACHES.append(cache)
        return cache

    return cached


def count_kept_texts() -> int:
    """Return how many answers are kept at the moment, those of all functions together."""
    return sum(cache.cache_info().currsize for cache in _CACHES)


def forget_texts() -> None:
    """Forget all answers about texts, from any thread; whoever asks again waits for them again."""
    for cache in _CACHES:
        cache.cache_clear()
