"""Prefixes that embedding models expect before questions and passages, by their publishers; unknown models get none.

The pooling is in the model's own file.
"""

from __future__ import annotations

import re

from app.core.gguf import GgufHeader
from app.core.lazy_dataclasses import dataclass

_WEB_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"


@dataclass(frozen=True)
class EmbeddingRecipe:
    """Templates for both kinds of texts, each with `{text}`."""

    question: str = "{text}"
    passage: str = "{text}"

    def for_question(self, text: str) -> str:
        return self.question.replace("{text}", text)

    def for_passage(self, text: str) -> str:
        return self.passage.replace("{text}", text)


PLAIN = EmbeddingRecipe()
# The publishers' own words: vectors of questions without them are farther from those of passages.
_SEARCHING = EmbeddingRecipe("Represent this sentence for searching relevant passages: {text}")
_RECIPES = (
    # The first that fits counts, so special families stand before general ones.
    (r"e5.*instruct", EmbeddingRecipe(f"Instruct: {_WEB_SEARCH}\nQuery: {{text}}")),
    (r"\be5\b", EmbeddingRecipe("query: {text}", "passage: {text}")),
    (
        r"embedding ?gemma|gemma embedding",
        EmbeddingRecipe("task: search result | query: {text}", "title: none | text: {text}"),
    ),
    (r"nomic embed|modernbert embed", EmbeddingRecipe("search_query: {text}", "search_document: {text}")),
    (r"qwen3 embedding", EmbeddingRecipe(f"Instruct: {_WEB_SEARCH}\nQuery:{{text}}")),
    (r"arctic embed.*v2", EmbeddingRecipe("query: {text}")),
    (r"arctic embed|mxbai embed", _SEARCHING),
    (r"\bbge (small|base|large) en\b", _SEARCHING),
    (r"\bbge (small|base|large) zh\b", EmbeddingRecipe("为这个句子生成表示以用于检索相关文章：{text}")),
)
# Publishers write names with hyphens, underscores, dots or blanks.
_GAPS = re.compile(r"[-_. ]+")


def recipe_of(header: GgufHeader, file_name: str) -> EmbeddingRecipe:
    """Return the recipe of a model's family, recognised by the file's metadata, else by its name."""
    keys = ("general.architecture", "general.name", "general.basename", "general.size_label", "general.finetune")
    # What the file says of itself comes before its name, which anybody can change.
    said = " ".join(str(header.metadata.get(key, "")) for key in keys)
    for name in (said, file_name):
        plain = _GAPS.sub(" ", name).lower()
        for pattern, recipe in _RECIPES:
            if re.search(pattern, plain):
                return recipe
    return PLAIN
