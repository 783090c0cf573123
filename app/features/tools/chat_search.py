"""A tool that searches the person's other chats: by words, and where those occur nowhere by meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.features.finding import CHAT, HistorySearch, SearchHit, words_pattern
from app.features.tools.tool import IsStopped, MessagePlace, ToolResult
from app.store.text_search import TextSearch

if TYPE_CHECKING:
    from app.store.database import Database

MOST_HITS = 6
AROUND = 600
"""Characters shown of a message."""
BEFORE = 150
"""Of them before the first word that was found."""


class ChatSearchTool:
    """Searches all chats but the one that asks; deleted ones are never found."""

    def __init__(self, database: Database, current_chat: Callable[[], int | None] = lambda: None) -> None:
        self._finding, self._texts, self._current_chat = HistorySearch(database), TextSearch(database), current_chat

    def search(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Find messages, the best first, and show the part of each around what was found."""
        from app.features.retrieval.absence import telling_words  # rules that take a moment to compile

        query = " ".join(telling_words(arguments["query"])) or arguments["query"]
        current = self._current_chat()
        hits = [hit for hit in self._find_hits(query, is_stopped) if hit.message_id and hit.id != current]
        messages = self._texts.texts_of([hit.message_id for hit in hits])
        text, places = "", list[MessagePlace]()
        for hit in hits[:MOST_HITS]:
            if (message := messages.get(hit.message_id)) is not None:
                begin = len(text)
                day = datetime.fromtimestamp(hit.at).date().isoformat()
                text += f"Chat “{hit.title}”, {day}\n{part_around(message.text, query)}\n\n"
                places.append(MessagePlace(begin, len(text) - 2, hit.id, hit.message_id))
        if not places:
            return ToolResult("No other chat has that. Search with other words.")
        note = f"({len(hits) - MOST_HITS:,} more messages not shown)" if len(hits) > MOST_HITS else ""
        return ToolResult(f"{text}{note}".rstrip(), places=tuple(places))

    def _find_hits(self, query: str, is_stopped: IsStopped) -> list[SearchHit]:
        hits = self._finding.search_text(query, kinds=(CHAT,), is_cancelled=is_stopped)
        if len(hits) < MOST_HITS:
            known = {hit.id for hit in hits}
            hits += self._finding.find_similar(query, MOST_HITS, without=known, is_cancelled=is_stopped)
        return hits


def part_around(text: str, query: str) -> str:
    """Return the part of a message around the first word that was found, as one line, with marks where it was cut."""
    pattern = words_pattern(query)
    found = pattern.search(text) if pattern is not None else None
    begin = max(0, found.start() - BEFORE) if found is not None else 0
    begin = text.find(" ", begin) + 1 if begin else 0
    part = text[begin : begin + AROUND]
    end = "…" if begin + AROUND < len(text) else ""
    return f"{'…' if begin else ''}{' '.join(part.split())}{end}"
