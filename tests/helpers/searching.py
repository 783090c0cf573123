"""What the full-text index finds in a store of chats."""

from __future__ import annotations

from app.store.conversations import Conversations
from app.store.text_search import TextSearch


def search_text(conversations: Conversations, query: str, limit: int = 50) -> list[tuple[int, int, str]]:
    """(chat, message or 0 for its title, the text) where all words are, the last one a beginning; titles first."""
    search = TextSearch(conversations._database)
    hits = [(one.id, 0, one.title) for one in search.find_titles(query, limit)]
    ids = search.find_messages(query, limit - len(hits))
    texts = search.texts_of(ids)
    return hits + [(texts[one].id, one, texts[one].text) for one in ids]
