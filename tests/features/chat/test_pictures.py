"""Pictures of a chat: shown to a model that sees, kept and mentioned where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken, Role
from app.features.chat.answer_service import AnswerService
from app.store.conversations import StoredMessage
from app.store.media_store import StoredMedia
from tests.helpers.picture_files import BLUE, RED, picture, rows_of
from tests.helpers.script import media, prompts, write_script


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    path = write_script(tmp_path / "script", load={"sees": getattr(request, "param", True), "picture_tokens": 70})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def asked(chat: AnswerService, text: str, *pictures: StoredMedia, chat_id: int | None = None) -> StoredMessage:
    chat_id = chat_id or chat.conversations.create().id
    for one in pictures:
        chat.conversations.media.put_into_draft(chat_id, one.sha256, f"{one.format}.png", 64)
    question = chat.add_question(chat_id, text, draft_of=chat_id)
    list(chat.answer(question.id, CancelToken()))
    return question


def test_pictures_stand_before_their_words_in_every_turn(app: Fireside, script: Path, tmp_path: Path) -> None:
    chat = app.chat
    red, blue = (chat.media.add_picture(picture(tmp_path / f"{n}.png", c)) for n, c in (("red", RED), ("blue", BLUE)))
    question = asked(chat, "Which colours?", red, blue)
    for cached in app.paths.decoded.iterdir():
        cached.unlink()  # made again from what was given
    asked(chat, "And now?", chat_id=question.conversation_id)
    first, second = media(script)
    for told in (first[0], second[0]):
        assert [one["id"] for one in told] == [red.sha256, blue.sha256]
        assert {(one["at"], one["most_tokens"], one["width"], one["height"]) for one in told} == {(0, 64, 64, 48)}
        assert all(rows_of(Path(one["path"]))[:2] == (64, 48) for one in told)
    assert not second[-1]
    version = chat.versions.edit_question(question.id, "What colours?")
    list(chat.answer(version.id, CancelToken()))
    assert [one["id"] for one in media(script)[-1][-1]] == [red.sha256, blue.sha256]


def test_what_is_counted_before_is_what_the_prompt_takes(app: Fireside, tmp_path: Path) -> None:
    chat = app.chat
    chat_id = chat.conversations.create().id
    stored = chat.media.add_picture(picture(tmp_path / "a.png"))
    use = chat.conversations.media.put_into_draft(chat_id, stored.sha256, "a.png")
    assert [one.tokens for one in chat.looks.media_counts([use])] == [70]
    before = chat.looks.break_down(chat_id, "what is it")
    assert before is not None and before.pictures == 70
    question = chat.add_question(chat_id, "what is it", draft_of=chat_id)
    list(chat.answer(question.id, CancelToken()))
    answer = chat.conversations.read_branch(chat_id)[-1]
    assert answer.stats is not None
    assert answer.stats.media_tokens == 70
    assert 0 <= before.used_tokens - answer.stats.prompt_tokens <= 4  # there may be a system message


@pytest.mark.parametrize("script", [False], indirect=True)
def test_a_model_without_eyes_is_told_what_it_does_not_see(app: Fireside, script: Path, tmp_path: Path) -> None:
    chat = app.chat
    question = asked(chat, "What is it?", chat.media.add_picture(picture(tmp_path / "a.png")))
    _, text = prompts(script)[-1][-1]
    assert not media(script)[-1][-1]
    assert "not visible" in text and text.endswith("What is it?")
    counted = chat.looks.media_counts(chat.conversations.media.of_messages([question.id])[question.id])
    assert [one.tokens for one in counted] == [0]
    assert chat.conversations.read_branch(question.conversation_id)[0].role is Role.USER
