"""Titles of chats: first words that say something, and what a large model writes when nobody waits; the real child."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken
from app.features.chat.titles import WISH, ChatTitles, clean_title, first_words, is_title
from tests.helpers.script import requests, write_script

LARGE = 3_000_000_000
QUESTION = "Hi! Can you help me plan a vegetable garden for a small balcony?"
TITLE = {"when": "Write a title", "text": "**Vegetable garden on a balcony.**"}
Make = Callable[..., Fireside]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        (QUESTION, "Plan a vegetable garden for a small balcony"),
        ("Hello there, I hope you are well. Please explain DNS to me?", "Explain DNS to me"),
        ("Guten Tag, ich würde gerne wissen, wie viel Wasser er braucht.", "Wie viel Wasser er braucht"),
        ("Bonjour, pourriez-vous me donner une recette simple ?", "Une recette simple"),
        ("你好！请帮我写一封信。", "写一封信。"),
        ("مرحبا، هل يمكنك مساعدتي في كتابة رسالة؟", "كتابة رسالة"),
        ("¿Cómo se cultiva el aguacate?", "¿Cómo se cultiva el aguacate?"),
        ("Hello world in Rust", "Hello world in Rust"),
        ("So long, and thanks for all the fish", "So long, and thanks for all the fish"),
        ("Good morning", "Good morning"),
        ("Please", "Please"),
        ("", ""),
    ],
)
def test_first_words_begin_with_what_is_wanted(question: str, title: str) -> None:
    assert first_words(question) == title


@given(st.text(max_size=200))
def test_first_words_are_never_empty_or_long(text: str) -> None:
    found = first_words(text)
    assert bool(found) == bool(text.split())
    assert len(found) <= 49
    assert "\n" not in found


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('"Balcony vegetables"', "Balcony vegetables"),
        ("Title: Balcony vegetables.", "Balcony vegetables"),
        ("# **Titel:** „Gemüse auf dem Balkon“", "Gemüse auf dem Balkon"),
        ("标题：阳台种菜。", "阳台种菜"),
        ("Here is **everything** in *one* `list`", "Here is everything in one list"),
        ("What __init__ does, and 2*3*4", "What __init__ does, and 2*3*4"),
    ],
)
def test_what_models_put_around_a_title_goes(written: str, title: str) -> None:
    assert clean_title(written) == title


@pytest.mark.parametrize(
    ("title", "is_one"),
    [
        ("Vegetables on the balcony", True),
        ("Gardening on a balcony", True),
        ("The Art of Persuasion", False),
        ("Yes, of course I can help you to plan a vegetable garden there", False),
        ("阳台种菜", False),
        ("", False),
    ],
)
def test_a_title_is_short_and_about_the_chat(title: str, is_one: bool) -> None:
    assert is_title(title, f"{QUESTION}\nGrow lettuce and herbs.") is is_one


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Fireside] = []

    def opened(*rules: dict[str, Any], **load: Any) -> Fireside:
        script = write_script(tmp_path / "script", *rules, load={"weights": LARGE} | load)
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app = build_program()
        made.append(app)
        list(app.engine.load(Path("/any/model.gguf")))
        return app

    yield opened
    for app in made:
        app.close()


def titles_of(app: Fireside) -> ChatTitles:
    return ChatTitles(lambda _: nullcontext(app.engine), app.conversations, lambda: app.settings)


def chat_of(app: Fireside) -> int:
    """One with an answer."""
    chat_id = app.conversations.create().id
    list(app.chat.answer(app.chat.add_question(chat_id, QUESTION).id, CancelToken()))
    return chat_id


def title_of(app: Fireside, chat_id: int) -> tuple[str, str]:
    found = app.conversations.get(chat_id)
    assert found is not None
    return found.title, found.titled_by


def test_a_large_model_writes_the_title_in_the_background_for_which_nothing_leaves(make: Make, tmp_path: Path) -> None:
    app = make(TITLE)
    chat_id = chat_of(app)
    before = app.conversations.get(chat_id)
    assert titles_of(app).is_wanted(chat_id, app.loaded)
    assert list(titles_of(app).make_title(chat_id, CancelToken())) == ["Vegetable garden on a balcony"]
    assert title_of(app, chat_id) == ("Vegetable garden on a balcony", "model")
    ask = requests(tmp_path / "script" / "script.json")[-1]
    assert (ask["background"], ask["modest"], ask["session"]) == (True, True, "")
    assert ask["messages"][-1] == ["user", f"{WISH}\n\n> {QUESTION}\n> You said: {QUESTION}"]
    after = app.conversations.get(chat_id)
    assert before is not None
    assert after is not None
    assert after.updated_at == before.updated_at, "its place in the list stays"
    assert not titles_of(app).is_wanted(chat_id, app.loaded), "once is enough"


@pytest.mark.parametrize("load", [{"weights": 135_000_000}, {"weights": 0}, {"can_chat": False}])
def test_a_small_model_is_not_asked(make: Make, load: dict[str, Any]) -> None:
    app = make(TITLE)
    chat_id = chat_of(app)
    assert titles_of(app).is_wanted(chat_id, app.loaded)
    app.close()
    small = make(TITLE, **load)
    assert not titles_of(small).is_wanted(chat_id, small.loaded)
    assert list(titles_of(small).make_title(chat_id, CancelToken())) == []


def test_it_can_be_switched_off_and_a_person_s_title_is_never_touched(make: Make) -> None:
    app = make(TITLE)
    chat_id = chat_of(app)
    app.change_settings("chat", titles=False)
    assert not titles_of(app).is_wanted(chat_id, app.loaded)
    app.change_settings("chat", titles=True)
    app.conversations.update(chat_id, title="Mine")
    assert not titles_of(app).is_wanted(chat_id, app.loaded)
    assert list(titles_of(app).make_title(chat_id, CancelToken())) == [], "written while the model was being asked"
    assert title_of(app, chat_id) == ("Mine", "person")


@pytest.mark.parametrize("text", ["The Unyielding Law of the Universe", "word " * 60, "\n\n"])
def test_what_is_no_title_changes_nothing(make: Make, text: str) -> None:
    app = make({"when": "Write a title", "text": text})
    chat_id = chat_of(app)
    assert list(titles_of(app).make_title(chat_id, CancelToken())) == []
    assert title_of(app, chat_id) == ("Plan a vegetable garden for a small balcony", "")


def test_a_title_waits_while_somebody_is_answered_and_can_be_cancelled(make: Make, tmp_path: Path) -> None:
    app = make({**TITLE, "held_after": 1, "until": "never"})
    chat_id = chat_of(app)
    cancel, found = CancelToken(), list[str]()
    thread = threading.Thread(target=lambda: found.extend(titles_of(app).make_title(chat_id, cancel)))
    thread.start()
    while len(requests(tmp_path / "script" / "script.json")) < 2:
        thread.join(0.01)
    assert chat_of(app), "an answer is written meanwhile"
    cancel.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert found == []
    assert title_of(app, chat_id)[1] == ""
