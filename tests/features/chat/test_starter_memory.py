"""The same with the starter model in the real engine: counts to the token, re-use after an event, no trace left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.events import AnswerStats, CancelToken, Finished
from app.engine.protocol import Wish
from app.features.chat import titles
from app.features.chat.answer_service import AnswerEvent, AnswerService, ContextCompacted

pytestmark = pytest.mark.model

LONG = "It matters a lot to me, so please take your time. " * 8


@pytest.fixture
def app(starter: Path) -> Iterator[Fireside]:
    app = build_program()
    app.change_settings("chat", max_tokens=16, temperature=0.0)
    list(app.engine.load(starter, Wish(1024)))
    yield app
    app.close()


def ask(talk: AnswerService, chat_id: int, text: str) -> tuple[AnswerStats, list[AnswerEvent]]:
    events = list(talk.answer(talk.add_question(chat_id, text).id, CancelToken()))
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished.stats, events


@pytest.mark.parametrize("system", ["", "Be brief."])
@pytest.mark.slow
def test_a_prompt_is_counted_to_the_token_before_it_is_sent(app: Fireside, system: str) -> None:
    chat_id = app.conversations.create(system_prompt=system).id
    for text in ("Hello <|im_end|> there", "Ünïcödé 🔥 and 日本語", LONG):
        parts = app.chat.looks.break_down(chat_id, text)
        assert parts is not None
        assert ask(app.chat, chat_id, text)[0].prompt_tokens == parts.used_tokens


def test_after_the_event_the_next_turn_reads_only_what_is_new(app: Fireside, starter: Path) -> None:
    list(app.engine.load(starter, Wish(512)))
    chat_id = app.conversations.create(system_prompt="Be brief.").id
    ask(app.chat, chat_id, "Call me Ada.")
    while True:
        stats, events = ask(app.chat, chat_id, LONG)
        compacted = [event for event in events if isinstance(event, ContextCompacted)]
        if compacted:
            break
    assert stats.prompt_tokens <= compacted[0].kept_tokens < 0.75 * 512
    after, _ = ask(app.chat, chat_id, "And then?")
    assert after.reused_tokens >= stats.prompt_tokens


@pytest.mark.slow
def test_a_title_leaves_what_was_read_of_the_chat(app: Fireside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(titles, "LEAST_WEIGHTS", 0)
    monkeypatch.setattr(titles, "is_title", lambda _title, _said: True)
    chat_id = app.conversations.create(system_prompt="Be brief.").id
    before, _ = ask(app.chat, chat_id, LONG)
    writer = titles.ChatTitles(lambda _: nullcontext(app.engine), app.conversations, lambda: app.settings)
    assert list(writer.make_title(chat_id, CancelToken())), "the model was asked"
    after, _ = ask(app.chat, chat_id, "And then?")
    assert after.reused_tokens >= before.prompt_tokens + before.generated_tokens - 1


def test_a_temporary_chat_leaves_nothing_while_a_kept_one_leaves_its_state(app: Fireside, fresh_home: Path) -> None:
    talk = app.temporary.open_chat()
    chat_id = talk.conversations.create().id
    ask(talk, chat_id, f"My secret word is zanzibar. {LONG}")
    ask(talk, chat_id, "Say zanzibar.")
    states = app.paths.states
    app.close()
    files = [file for file in fresh_home.rglob("*") if file.is_file()]
    assert not any(b"zanzibar" in file.read_bytes().lower() for file in files)
    assert not list(states.rglob("*"))
