"""A temporary chat: works like any other, and leaves nothing behind in any file."""

from __future__ import annotations

import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.features.chat.session_messages import SaveDraft
from app.ui.chat.answer_view import REGENERATE
from app.ui.chat.chat_notices import TEMPORARY_NOTE, TemporaryBanner
from app.ui.chat.chat_view import TEMPORARY_CHAT_CLOSED
from app.ui.shared_labels import TRANSLATE_THIS
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.searching import search_text
from tests.ui.chat.conftest import Open, add_turns

SECRET = b"zanzibar"


def files_with(secret: bytes, folder: Path) -> list[str]:
    """Names of all files below a folder that contain these bytes, in UTF-8 or in UTF-16, in any case."""
    wide = secret.decode().encode("utf-16-le")
    found = []
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            if secret in content or wide in content:
                found.append(file.name)
    return found


def banner(desk: ChatDesk) -> TemporaryBanner:
    return desk.chat.findChildren(TemporaryBanner)[0]


def test_it_is_marked_and_works_like_any_other(open_chat: Open) -> None:
    desk = open_chat({"text": "The answer."})
    assert not banner(desk).isVisible()
    desk.chat.show_temporary()
    assert banner(desk).isVisible()
    assert banner(desk).accessibleName() == TEMPORARY_NOTE
    desk.ask("First")
    desk.ask("Second")
    assert desk.texts == ["First", "The answer.", "Second", "The answer."]
    assert desk.prompts()[-1] == [("user", "First"), ("assistant", "The answer."), ("user", "Second")]
    desk.click_action(desk.last, REGENERATE)
    desk.wait(lambda: not desk.chat.busy)
    assert desk.last_message is not None
    assert len(desk.last_message.versions) == 2
    assert desk.last.toolbar.row is not None
    assert desk.last.toolbar.row.button(TRANSLATE_THIS) is None, "what is translated is kept in a list"
    assert clipped_texts(desk.chat) == []


def test_nothing_of_it_is_in_any_file_after_asking_leaving_and_quitting(open_chat: Open, fresh_home: Path) -> None:
    desk = open_chat({"when": "secret", "text": f"You named {SECRET.decode()}."}, {"text": "Fine."})
    desk.ask("This one is kept")
    assert files_with(b"this one is kept", fresh_home) != [], "the search finds what is kept"
    desk.chat.show_temporary()
    desk.ask(f"My secret is {SECRET.decode()}")
    desk.type(f"unsent {SECRET.decode()}")
    desk.chat.session.dispatch(SaveDraft())
    assert SECRET.decode() in desk.last_text
    assert files_with(SECRET, fresh_home) == []
    log = desk.script.with_name("prompts.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["ask"]["session"] for line in log if '"Generate"' in line][-1] == ""
    desk.chat.show_conversation(None)
    assert desk.message == ""
    desk.chat.session.dispatch(SaveDraft())
    assert files_with(SECRET, fresh_home) == []
    assert [found.title for found in desk.conversations.find()] == ["This one is kept"]
    assert search_text(desk.conversations, SECRET.decode()) == []
    desk.app.close()
    assert files_with(SECRET, fresh_home) == []
    assert files_with(b"this one is kept", fresh_home) != []


def test_leaving_it_says_so_and_it_is_gone(open_chat: Open, qtbot: QtBot) -> None:
    desk = open_chat({"text": "The answer."})
    kept = add_turns(desk, 1)
    desk.chat.show_temporary()
    desk.chat.show_conversation(kept)
    assert desk.notices == [], "an empty one is left without a word"
    desk.chat.show_temporary()
    assert desk.turns == []
    desk.ask("First")
    temporary_id = desk.chat.conversation_id
    desk.chat.show_conversation(kept)
    assert desk.notices == [TEMPORARY_CHAT_CLOSED]
    assert not desk.chat.is_temporary
    assert not banner(desk).isVisible()
    assert desk.texts == ["Question 0", "An answer with **bold** words. 0"]
    desk.chat.show_conversation(temporary_id)
    assert desk.turns == [], "its number leads nowhere"
    log = desk.script.with_name("prompts.jsonl")
    qtbot.waitUntil(lambda: '"ForgetTexts"' in log.read_text("utf-8"))


def test_nothing_of_a_document_is_in_any_file(open_chat: Open, fresh_home: Path, tmp_path: Path) -> None:
    desk = open_chat({"text": "Noted."})
    desk.chat.show_temporary()
    path = notes(tmp_path / "secret.txt", f"The secret word is {SECRET.decode()}, and nobody may know it.")
    desk.attaching.add([path])
    desk.wait(lambda: [one.fit is not None for one in desk.attached] == [True])
    desk.wait(lambda: desk.attaching.reason_to_wait() == "")
    desk.ask("What is the word?")
    assert SECRET.decode() in desk.prompts()[-1][-1][1]
    assert files_with(SECRET, fresh_home) == []
    assert files_with(b"secret.txt", fresh_home) == []
    desk.chat.show_conversation(None)
    assert desk.attached == []
    desk.app.close()
    assert files_with(SECRET, fresh_home) == []
