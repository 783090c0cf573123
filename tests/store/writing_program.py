"""A program that writes an answer or a page into the store, without end, and reports each commit until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from app.core.events import Role
from app.store.conversations import Conversations, MessageState
from app.store.database import Database
from app.store.page_store import PageStore


def text_after(saves: int) -> str:
    """What the answer says after so many saves: it grows, as a real one does."""
    return "".join(f"sentence {number} of the answer. " * 20 for number in range(saves))


def main() -> None:
    database = Database.open(Path(sys.argv[1]))
    if sys.argv[2:] == ["page"]:
        write_page(PageStore(database))
    else:
        write_answer(Conversations(database))


def write_page(pages: PageStore) -> None:
    page = pages.create(title="killed")
    saves = 0
    while True:
        sys.stdout.write(f"{saves}\n")
        sys.stdout.flush()
        pages.keep_undo(page.id, text_after(saves))
        saves += 1
        text = text_after(saves)
        pages.save(page.id, text, [(0, len(text))], len(text))
        if saves % 3 == 0:
            pages.find("sentence")


def write_answer(conversations: Conversations) -> None:
    chat = conversations.create(title="killed")
    question = conversations.add_message(chat.id, None, Role.USER, "Tell me a long story")
    answer = conversations.add_message(chat.id, question.id, Role.ASSISTANT, "", state=MessageState.WRITING)
    saves = 0
    while True:
        sys.stdout.write(f"{saves}\n")
        sys.stdout.flush()
        saves += 1
        conversations.save_text(answer.id, text_after(saves))


if __name__ == "__main__":
    main()
