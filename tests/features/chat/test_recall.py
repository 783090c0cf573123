"""Forgotten turns that a question is about are shown to the model again: which, how, and that they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken, Finished, Role
from app.features.chat.answer_service import AnswerEvent, AnswerService, ContextCompacted, DocumentsShown
from app.features.chat.prompt_inspector import MESSAGE, RECALLED, SYSTEM, TEMPLATE
from app.features.chat.recall import GAP, HEADING, MOST_BYTES, choose_turns, quote_messages, terms_of
from app.store.conversations import MessageState, StoredMessage
from tests.helpers.script import prompts, write_script

CONTEXT_TOKENS = 4000
LONG = "word " * 200
TOLD = "My sister Marit lives in Bergen."
ASKED = "In which city does Marit live?"

TALKS = {
    "en": (TOLD, "Tell me about bread.", "How do trains work?", ASKED),
    "de": (
        "Marit, meine Schwester, wohnt in Bergen.",
        "Erzähle von Brot.",
        "Wie fahren Züge?",
        "In welcher Stadt wohnt Marit?",
    ),
    "zh": ("我姐姐玛丽特住在卑尔根。", "请讲讲面包。", "火车怎么开？", "玛丽特住在哪个城市？"),
    "ar": ("أختي ماريت تسكن في بيرغن.", "حدثني عن الخبز.", "كيف تسير القطارات؟", "أين تسكن ماريت؟"),
    "ja": (
        "姉のマリットはベルゲンに住んでいます。",
        "パンについて教えて。",
        "電車はどう動く？",
        "マリットはどこに住んでいる？",
    ),
}


def message(number: int, text: str) -> StoredMessage:
    role = Role.USER if number % 2 else Role.ASSISTANT
    return StoredMessage(number, 1, None, role, text, MessageState.COMPLETE, "", 0.0, None, ())


def counted(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@pytest.mark.parametrize("language", TALKS)
def test_the_turn_that_a_question_is_about_is_chosen_with_its_answer(language: str) -> None:
    *told, asked = TALKS[language]
    said = [message(2 * at + part, text) for at, text in enumerate(told, 0) for part, text in ((1, text), (2, "OK."))]
    ids = range(1, 7)
    assert choose_turns(asked, said, ids, 400, counted) == [1, 2]
    assert choose_turns("Thanks!", said, ids, 400, counted) == []
    assert choose_turns(asked, said, ids, 5, counted) == [], "there is no room for it"
    assert choose_turns(asked, said, range(3, 7), 400, counted) == [], "it is shown already"


def test_turns_come_oldest_first_whichever_fits_best() -> None:
    others = ["What is rye?", "Why are trains late?", "Sing a song.", "What do whales eat?", "Who built Rome?"]
    told = [
        others[0],
        "We planted a cherry tree in the garden.",
        *others[1:4],
        "The cherry tree in the garden bears fruit.",
        *others[4:],
    ]
    said = [message(2 * at + part, text) for at, text in enumerate(told) for part, text in ((1, text), (2, "I see."))]
    assert choose_turns("Did the cherry tree in the garden bloom?", said, range(1, 15), 400, counted) == [3, 4, 11, 12]


@given(st.lists(st.text(), min_size=1, max_size=4), st.text())
def test_no_text_leaves_its_quotation(texts: list[str], question: str) -> None:
    said = [message(number, text) for number, text in enumerate(texts, 1)]
    own = {HEADING, "The user wrote:", "The assistant answered:", ""}
    assert {line for line in quote_messages(said, question).split("\n") if not line.startswith(">")} <= own


def test_of_a_long_message_the_sentences_that_have_the_words_are_quoted() -> None:
    text = f"{'It rained all day. ' * 60}The oven was at 190 degrees. {'Then the sun came out. ' * 60}"
    shown = quote_messages([message(1, text)], "How hot was the oven?")
    assert "The oven was at 190 degrees." in shown
    assert shown.count(GAP) == 2
    assert len(shown.encode()) < 1.5 * MOST_BYTES
    assert shown == quote_messages([message(1, text)], "How hot was the oven?"), "the prompt's beginning stays the same"


def test_a_word_stands_for_its_other_forms_and_a_short_one_only_for_itself() -> None:
    flour, port = terms_of("flours")[0], terms_of("cat")[0]
    assert (flour.count_in("some flour, whole-flour"), flour.count_in("cauliflower")) == (2, 0)
    assert (port.count_in("the cat sat"), port.count_in("concatenated categories")) == (1, 0)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", {"text": f"Certainly. {LONG}"}, load={"context_tokens": CONTEXT_TOKENS})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def app(script: Path) -> Iterator[Fireside]:
    app = build_program()
    app.change_settings("chat", when_full="rolling")  # it carries nothing by itself
    list(app.engine.load(Path("/any/model.gguf")))
    yield app
    app.close()


def ask(talk: AnswerService, chat_id: int, text: str) -> list[AnswerEvent]:
    return list(talk.answer(talk.add_question(chat_id, text).id, CancelToken()))


def forget(talk: AnswerService, chat_id: int) -> None:
    """Talks of something else until the first turn has left the model's memory."""
    for number in range(1, 20):
        events = ask(talk, chat_id, f"Story {number}. {LONG}")
        if any(isinstance(event, ContextCompacted) for event in events):
            return
    raise AssertionError("never full")


def told_and_forgotten(app: Fireside) -> int:
    chat_id = app.conversations.create(system_prompt="Be brief.").id
    ask(app.chat, chat_id, TOLD)
    forget(app.chat, chat_id)
    app.change_settings("chat", max_tokens=300)  # so that there is some room again
    return chat_id


def test_a_forgotten_turn_stands_right_before_the_question_and_stays_there(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    events = ask(app.chat, chat_id, ASKED)
    path = app.conversations.read_branch(chat_id)
    assert path[-2].recalled == (path[0].id, path[1].id)
    assert any(isinstance(event, DocumentsShown) and event.question_id == path[-2].id for event in events)
    assert prompts(script)[-1][-1][1].startswith(
        f"{HEADING}\n\nThe user wrote:\n> {TOLD}\n\nThe assistant answered:\n>"
    )
    assert prompts(script)[-1][-1][1].endswith(f"\n\n{ASKED}")
    assert TOLD not in "".join(text for _, text in prompts(script)[-1][:-1])
    finished = events[-1]
    after = ask(app.chat, chat_id, "Thank you.")[-1]
    assert isinstance(finished, Finished)
    assert isinstance(after, Finished)
    before, later = prompts(script)[-2:]
    assert later[: len(before)] == before
    assert after.stats.reused_tokens >= finished.stats.prompt_tokens
    assert app.conversations.read_branch(chat_id)[-2].recalled == ()
    ask(app.chat, chat_id, "Where does Marit live, again?")
    assert app.conversations.read_branch(chat_id)[-2].recalled == (), "it is still before the model's eyes"


def test_switched_off_nothing_is_shown_again(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    ask(app.chat, chat_id, ASKED)
    question = app.conversations.read_branch(chat_id)[-2]
    app.change_settings("chat", recall=False)
    list(app.chat.answer(question.id, CancelToken()))
    assert prompts(script)[-1][-1] == ("user", ASKED)
    assert app.conversations.read_branch(chat_id)[-2].recalled == ()


def test_the_parts_count_what_is_shown_again_with_what_is_being_written(app: Fireside) -> None:
    chat_id = told_and_forgotten(app)
    parts, without = app.chat.looks.break_down(chat_id, ASKED), app.chat.looks.break_down(chat_id, "Thank you.")
    assert parts is not None
    assert without is not None
    assert parts.recalled > 100
    assert without.recalled == 0
    finished = ask(app.chat, chat_id, ASKED)[-1]
    assert isinstance(finished, Finished)
    assert parts.used_tokens == finished.stats.prompt_tokens
    later = app.chat.looks.break_down(chat_id, "Thank you.")
    assert later is not None
    assert later.recalled == parts.recalled


def test_only_turns_of_the_own_branch_are_shown_again(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    first = app.conversations.read_branch(chat_id)[0]
    other = app.chat.versions.edit_question(first.id, "I like tea.")
    list(app.chat.answer(other.id, CancelToken()))
    forget(app.chat, chat_id)
    ask(app.chat, chat_id, ASKED)
    assert "Marit lives" not in prompts(script)[-1][-1][1]
    assert prompts(script)[-1][-1] == ("user", ASKED)


def test_a_temporary_chat_and_a_fork_have_them_too(app: Fireside, script: Path) -> None:
    talk = app.temporary.open_chat()
    chat_id = talk.conversations.create().id
    ask(talk, chat_id, TOLD)
    forget(talk, chat_id)
    ask(talk, chat_id, ASKED)
    assert TOLD in prompts(script)[-1][-1][1]
    path = talk.conversations.read_branch(chat_id)
    forked = talk.conversations.read_branch(talk.conversations.fork(path[-1].id, "fork"))
    assert forked[-2].recalled == (forked[0].id, forked[1].id)
    assert forked[-2].recalled != path[-2].recalled


def test_asked_first_no_turn_goes_to_make_room_for_them(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    app.change_settings("chat", when_full="ask")
    kept = app.conversations.get(chat_id)
    parts = app.chat.looks.break_down(chat_id, "")
    assert parts is not None
    ask(app.chat, chat_id, "word " * (parts.budget.prompt_tokens - parts.used_tokens - 300))
    ask(app.chat, chat_id, ASKED)
    after = app.conversations.get(chat_id)
    assert kept is not None
    assert after is not None
    assert after.first_kept_id == kept.first_kept_id
    assert prompts(script)[-1][-1] == ("user", ASKED), "there was no room for them"


def test_what_was_seen_for_each_answer_can_be_told_afterwards(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    ask(app.chat, chat_id, ASKED)
    ask(app.chat, chat_id, "Thank you.")
    path, asked = app.conversations.read_branch(chat_id), prompts(script)
    answers = [message for message in path if message.role is Role.ASSISTANT]
    for answer, prompt in zip(answers, asked, strict=True):
        seen = app.chat.looks.inspect_answer(answer.id, CancelToken())
        assert seen.is_exact
        assert seen.text == "\n\n".join(text for _, text in prompt)
        assert sum(part.tokens for part in seen.parts) == seen.tokens
    app.conversations.update(chat_id, system_prompt="Speak like a pirate. " * 10)
    changed = app.chat.looks.inspect_answer(answers[-1].id, CancelToken())
    assert not changed.is_exact


def test_what_comes_next_is_told_with_its_parts(app: Fireside, script: Path) -> None:
    chat_id = told_and_forgotten(app)
    coming = app.chat.looks.inspect_next(chat_id, ASKED)
    assert coming is not None
    assert coming.parts[0].kind == SYSTEM
    assert [part.kind for part in coming.parts][-3:] == [RECALLED, MESSAGE, TEMPLATE]
    finished = ask(app.chat, chat_id, ASKED)[-1]
    assert isinstance(finished, Finished)
    assert coming.tokens == finished.stats.prompt_tokens
    assert coming.text == "\n\n".join(text for _, text in prompts(script)[-1])
