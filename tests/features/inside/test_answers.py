"""Answers of the real starter: told as they were written, and another token in the place of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken, Finished, Role, TokenChosen, TokenSeen
from app.engine.protocol import Ask
from app.features.inside.looks import replace_token, tokens_of, tokens_within
from app.store.conversations import StoredMessage
from tests.helpers.engine import answer_of

pytestmark = pytest.mark.model
QUESTION = "Name three colours."


@pytest.fixture
def app(starter: Path) -> Iterator[Fireside]:
    app = build_program()
    app.change_settings("chat", temperature=0.0, max_tokens=24)
    list(app.engine.load(starter))
    yield app
    app.close()


def asked(app: Fireside) -> tuple[StoredMessage, list[TokenSeen]]:
    """An answer as it is stored, and its tokens as they came."""
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, QUESTION)
    events = list(app.chat.answer(question.id, CancelToken(), alternatives=3))
    stored = app.conversations.read_branch(chat.id)[-1]
    return stored, tokens_within([event.token for event in events if isinstance(event, TokenChosen)], stored.text)


def test_read_again_an_answer_is_told_as_it_was_written(app: Fireside) -> None:
    stored, came = asked(app)
    told = [
        event
        for event in app.chat.looks.reread_answer(stored.id, CancelToken(), most=3)
        if isinstance(event, TokenSeen)
    ]
    assert [token.id for token in told] == [token.id for token in came]
    for one, other in zip(told, came, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, abs=0.02)
        assert one.alternatives[0].id == other.alternatives[0].id
    assert app.conversations.read_branch(stored.conversation_id)[-1] == stored


@pytest.mark.slow
def test_reading_again_costs_the_next_turn_nothing_of_what_was_read(app: Fireside) -> None:
    stored, _ = asked(app)
    list(app.chat.looks.reread_answer(stored.id, CancelToken()))
    question = app.chat.add_question(stored.conversation_id, "And one more?")
    finished = list(app.chat.answer(question.id, CancelToken()))[-1]
    assert isinstance(finished, Finished)
    assert stored.stats is not None
    assert finished.stats.reused_tokens >= stored.stats.prompt_tokens + stored.stats.generated_tokens - 1


def test_an_answer_goes_on_from_another_token_as_a_new_version(app: Fireside) -> None:
    stored, came = asked(app)
    number = 4
    guess = next(one for one in came[number].alternatives if one.data != came[number].data)
    found = replace_token(stored.text, came, number, guess)
    assert found is not None
    list(app.chat.answer_from(stored.id, *found, CancelToken()))
    version = app.conversations.read_branch(stored.conversation_id)[-1]
    assert version.versions == (stored.id, version.id)
    assert version.text.startswith(found[0] + guess.data.decode())
    assert len(version.text) > len(found[0] + guess.data.decode())
    before = app.conversations.get_message(stored.id)
    assert before is not None
    assert before.text == stored.text


def test_the_prompt_is_what_the_engine_was_asked(app: Fireside) -> None:
    stored, _ = asked(app)
    ask = app.chat.looks.rebuild_ask(stored.id, CancelToken())
    tokens = tokens_of(app.engine, messages=ask.messages, variables=ask.template_variables)
    text = b"".join(token.data for token in tokens).decode()
    assert [message.role for message in ask.messages] == [Role.USER]
    assert text.endswith(f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n")
    assert stored.stats is not None
    assert len(tokens) == stored.stats.prompt_tokens


def test_forced_tokens_come_first_and_count_as_written(app: Fireside) -> None:
    ids = [token.id for token in tokens_of(app.engine, "Green leaves")]
    ask = Ask((), text="Once", forced=tuple(ids), max_tokens=len(ids) + 2)
    text, stats = answer_of(app.engine.answer(ask))
    assert text.startswith("Green leaves")
    assert stats.generated_tokens == len(ids) + 2


def test_in_the_middle_of_a_character_the_answer_goes_on_from_its_bytes(app: Fireside) -> None:
    chat = app.conversations.create()
    question = app.chat.add_question(chat.id, "A party?")
    stored = app.conversations.add_message(chat.id, question.id, Role.ASSISTANT, "So 🎉 it is!")
    told = [event for event in app.chat.looks.reread_answer(stored.id, CancelToken()) if isinstance(event, TokenSeen)]
    assert b"".join(token.data for token in told).decode() == stored.text
    inside = next(number for number, token in enumerate(told) if not _is_whole(token.data))
    number = inside + 1
    guess = next(one for one in told[number].alternatives if one.data != told[number].data)
    found = replace_token(stored.text, told, number, guess)
    assert found is not None
    assert found[0] == "So"
    assert found[1] == (told[inside].id, guess.id)
    list(app.chat.answer_from(stored.id, *found, CancelToken()))
    version = app.conversations.read_branch(chat.id)[-1].text
    assert version.encode().startswith(b"So" + told[inside].data + guess.data) or version.startswith("So \ufffd")


def _is_whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
