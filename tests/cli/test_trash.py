"""`trash` in the terminal, as processes."""

from __future__ import annotations

from contextlib import closing

from app.cli.trash import NOT_IN_TRASH, TRASH_EMPTY
from app.core.paths import AppPaths
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.page_store import PageStore
from tests.helpers.terminal import fireside, only_json


def test_what_was_deleted_is_listed_restored_and_given_up() -> None:
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        chats, pages = Conversations(database), PageStore(database)
        chat = chats.create(title="Rent")
        chats.delete(chat.id)
        page = pages.create("A page")
        pages.delete(page.id)
    body = only_json(fireside("trash", "list", "--json"))
    assert [(one["kind"], one["id"], one["title"]) for one in body["trash"]] == [
        ("page", page.id, "A page"),
        ("chat", chat.id, "Rent"),
    ]
    assert body["keep_days"] == 30
    assert all(one["kept_until"] - one["deleted_at"] == 30 * 24 * 3600 for one in body["trash"])
    assert only_json(fireside("trash", "restore", "chat", str(chat.id), "--json"))["title"] == "Rent"
    again = fireside("trash", "restore", "chat", str(chat.id))
    assert (again.returncode, again.stderr) == (1, f"{NOT_IN_TRASH.format(kind='chat', number=chat.id)}\n")
    assert only_json(fireside("trash", "empty", "--json")) == {"given_up": 1}
    assert fireside("trash", "list").stdout == f"{TRASH_EMPTY}\n"
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        assert [one.title for one in Conversations(database).find()] == ["Rent"]
