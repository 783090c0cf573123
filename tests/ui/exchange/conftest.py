"""Chats to send away."""

from __future__ import annotations

import time

from app.core.events import Role
from app.store.conversation_row import Conversation
from app.store.conversations import MessageState, TreeMessage
from tests.helpers.desks.window import Frame


def add_chat(frame: Frame, title: str, *texts: str) -> int:
    """Questions and answers in turns; the list shows it."""
    roles = (Role.USER, Role.ASSISTANT)
    tree = [
        TreeMessage(n + 1, n or None, roles[n % 2], text, MessageState.COMPLETE, "tiny.gguf", 1.7e9 + n)
        for n, text in enumerate(texts)
    ]
    chat = Conversation(0, title, "", None, "m", "", 1.7e9, time.time(), None, False)
    number: int = frame.app.shelf.whole.add_tree(chat, tree)
    frame.chats.reload()
    return number
