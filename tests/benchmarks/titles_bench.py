"""Titles of thirty small chats: the first words, the same without greetings, and what models write; and what it costs.

The chats are written for this (`tests/data/titles/chats.json`). What models write is printed, to be read.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from comparing import compared, in_turns, progress
from our_engine import GREEDY, OurEngine
from pinned_wheel import cache_folder
from run import Row

from app.core.events import Finished, Message, Role, TextDelta
from app.engine.protocol import Ask
from app.features.chat.answer_service import title_from
from app.features.chat.titles import clean_title, first_words, is_title, title_ask, without_opening
from app.language.words import word_stems
from app.store.conversations import MessageState, StoredMessage

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.helpers.gemma_model import NAME, gemma_with_template

DATA = Path(__file__).parents[1] / "data" / "titles" / "chats.json"
GEMMA = cache_folder("models") / NAME
"""As `make test-gemma` fetches it."""
SEEN_CHARACTERS = 32
"""Of a title, so many are seen in the list."""
ROUNDS, LONG = 5, "It matters a lot to me, so please take your time. " * 30

Chat = tuple[str, str, str]
"""Language, question, answer."""


def rows() -> Iterator[Row]:
    """Words that say something are those of more than three letters behind a greeting."""
    chats: list[Chat] = [(one[0], one[1], one[2]) for one in json.loads(DATA.read_text("utf-8"))]
    seen = [[_seen(way(asked), asked) for _, asked, _ in chats] for way in (title_from, first_words)]
    before, now = (round(statistics.mean(counts), 2) for counts in seen)
    yield Row("titles: words that say something, seen of the first words without greetings", now, "words", before)
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        with OurEngine(Path(folder)) as engine:
            yield from _written("starter", engine, chats)
            yield _first_token(engine)
        if GEMMA.exists():
            with OurEngine(Path(folder), model=gemma_with_template(Path(folder) / "gemma.gguf")) as engine:
                yield from _written("gemma-3-270m", engine, chats)


def _seen(title: str, asked: str) -> int:
    return len(word_stems(title[:SEEN_CHARACTERS]) & word_stems(without_opening(" ".join(asked.split()))))


def _written(name: str, engine: OurEngine, chats: Sequence[Chat]) -> Iterator[Row]:
    """What passes the checks of a title."""
    passed = 0
    for language, asked, answered in chats:
        title = clean_title(
            "".join(_told(engine, title_ask(_said(asked, answered), engine.loaded))).strip().split("\n")[0]
        )
        passed += (is_one := is_title(title, f"{asked}\n{answered}"))
        progress(f"{name} {language} {'+' if is_one else '-'} {title!r}; first words {first_words(asked)!r}")
    yield Row(f"titles: what {name} writes passes for one", round(passed / len(chats), 2), "share")


def _first_token(engine: OurEngine) -> Row:
    """Of a second question, with a title asked for between and without; what is used again is the same."""

    def turn(number: int, *, has_title: bool) -> float:
        first = [Message(Role.USER, f"{number} {has_title} {LONG}")]
        answer = "".join(_told(engine, _ask(first)))
        if has_title:
            list(_told(engine, title_ask(_said(first[0].text, answer), engine.loaded)))
        ask = _ask([*first, Message(Role.ASSISTANT, answer), Message(Role.USER, "And then?")])
        ends = [event for event in engine.client.answer(ask) if isinstance(event, Finished)]
        stats = ends[-1].stats
        assert stats.reused_tokens > stats.prompt_tokens - 32, "only what is new is read"
        return stats.time_to_first_token_s * 1000

    with_title, without = in_turns(
        [lambda number: turn(number, has_title=True), lambda number: turn(number, has_title=False)], ROUNDS
    )
    return compared("titles: first token after one was made", with_title, without, "ms", at_most=1.5)


def _ask(messages: Sequence[Message]) -> Ask:
    return Ask(messages, max_tokens=16, sampling=GREEDY, session="chat-1")


def _told(engine: OurEngine, ask: Ask) -> Iterator[str]:
    return (event.text for event in engine.client.answer(ask) if isinstance(event, TextDelta))


def _said(asked: str, answered: str) -> list[StoredMessage]:
    return [
        StoredMessage(number, 1, None, role, text, MessageState.COMPLETE, "", 0.0, None, ())
        for number, (role, text) in enumerate(((Role.USER, asked), (Role.ASSISTANT, answered)), 1)
    ]
