"""A chat of 4,000 tokens that is opened again after the engine ended: from its saved state, and read anew."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparing import ALTERNATIONS, Answer, compared, progress
from llama_server import LlamaServer
from our_engine import OurEngine, question, starter, then
from run import Row
from texts import STORY, prose

from app.core.events import Message, Role

CHAT_TOKENS = 4000
FIRST_ANSWER_TOKENS = 16
CONTINUED_TOKENS = 48
SAME_TEXT_ROUNDS = 3
SAME_TEXT_TOKENS = 1000
AT_MOST = 0.1


@dataclass(frozen=True)
class Reopened:
    """One round: milliseconds to the first text, of the first reading and after opening again; and how it went on."""

    anew_ms: float
    reopened_ms: float
    text: str


def rows() -> Iterator[Row]:
    """Ours and llama-server's slot restore in turns, then whether the texts stay the same."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with LlamaServer(starter(), folder / "server") as server:
            ours, theirs = [], []
            for number in range(ALTERNATIONS):
                progress(f"opening again, {number + 1} of {ALTERNATIONS}")
                chat = question(prose(CHAT_TOKENS, 7000 + number) + " " + STORY)
                ours.append(reopened_by_us(folder / f"ours-{number}", chat))
                theirs.append(reopened_by_server(server, chat))
            yield from times(ours, theirs)
            yield same_tokens_of_server(server)
        yield same_text(folder)
        yield second_of_a_project(folder)


def times(ours: Sequence[Reopened], theirs: Sequence[Reopened]) -> Iterator[Row]:
    """Opening again against reading anew, and against llama-server."""
    name = f"first token of a reopened chat of {CHAT_TOKENS} tokens"
    mine = [one.reopened_ms for one in ours]
    yield compared(f"{name}, against reading it anew", mine, [one.anew_ms for one in ours], "ms", at_most=AT_MOST)
    yield compared(f"{name}, against llama-server's slot restore", mine, [one.reopened_ms for one in theirs], "ms")
    alike = sum(one.text == other.text for one, other in zip(ours, theirs, strict=True))
    yield Row(
        f"reopened chats that go on alike here and in llama-server, {CONTINUED_TOKENS} tokens",
        alike,
        "chats",
        len(ours),
    )


def reopened_by_us(folder: Path, chat: Sequence[Message]) -> Reopened:
    """The child ends in between, as with the program; the time is that of an answer with the model loaded."""
    with OurEngine(folder) as before:
        first = before.chat(chat, FIRST_ANSWER_TOKENS, session="chat-1")
    with OurEngine(folder) as after:
        second = after.chat(next_turn(chat, first), CONTINUED_TOKENS, session="chat-1")
    assert first.reused_tokens < CHAT_TOKENS / 100, f"the first reading re-used {first.reused_tokens} tokens"
    assert second.reused_tokens > CHAT_TOKENS * 0.9, f"opened again, {second.reused_tokens} tokens were re-used"
    return Reopened(first.first_s * 1000, second.first_s * 1000, second.text)


def reopened_by_server(server: LlamaServer, chat: Sequence[Message]) -> Reopened:
    """The slot is saved, erased and restored; restoring is part of the time."""
    first = server.chat(chat, FIRST_ANSWER_TOKENS)
    server.save("chat.bin")
    server.erase()
    began_s = time.perf_counter()
    server.restore("chat.bin")
    restored_s = time.perf_counter() - began_s
    second = server.chat(next_turn(chat, first), CONTINUED_TOKENS)
    assert second.reused_tokens > CHAT_TOKENS * 0.9, f"restored, {second.reused_tokens} tokens were re-used"
    return Reopened(first.first_s * 1000, (restored_s + second.first_s) * 1000, second.text)


def same_tokens_of_server(server: LlamaServer) -> Row:
    """llama-server's own: the continuation's token ids with and without saving and restoring."""
    same = 0
    for number in range(SAME_TEXT_ROUNDS):
        chat = question(prose(SAME_TEXT_TOKENS, 8000 + number) + " " + STORY)
        ids = []
        for restored in (False, True):
            server.erase()
            first = server.chat(chat, FIRST_ANSWER_TOKENS)
            if restored:
                server.save("same.bin")
                server.erase()
                server.restore("same.bin")
            ids.append(server.tokens(next_turn(chat, first), CONTINUED_TOKENS))
        same += ids[0] == ids[1]
    return Row("llama-server: same tokens after a slot restore", same, "chats", SAME_TEXT_ROUNDS)


def same_text(folder: Path) -> Row:
    """A reopened chat goes on word for word as one that stayed open; with a fixed number of threads, to round alike."""
    progress("same text")
    same = 0
    threads = os.cpu_count() or 1
    for number in range(SAME_TEXT_ROUNDS):
        chat = question(prose(SAME_TEXT_TOKENS, 8000 + number) + " " + STORY)
        with OurEngine(folder / f"open-{number}", threads=threads) as engine:
            first = engine.chat(chat, FIRST_ANSWER_TOKENS, session="chat-1")
            stayed = engine.chat(next_turn(chat, first), CONTINUED_TOKENS, session="chat-1")
        with OurEngine(folder / f"again-{number}", threads=threads) as engine:
            again = engine.chat(chat, FIRST_ANSWER_TOKENS, session="chat-1")
            assert again.text == first.text, "the same question was answered differently"
        with OurEngine(folder / f"again-{number}", threads=threads) as engine:
            reopened = engine.chat(next_turn(chat, first), CONTINUED_TOKENS, session="chat-1")
        assert reopened.reused_tokens > SAME_TEXT_TOKENS * 0.9
        same += reopened.text == stayed.text
    name = f"reopened chats that go on with the same {CONTINUED_TOKENS} tokens"
    return Row(name, same, "chats", SAME_TEXT_ROUNDS, at_least=1.0)


def second_of_a_project(folder: Path) -> Row:
    """Another chat that begins with the same document, after the engine ended: what was read for the first is enough.

    The state of the first chat itself is gone: only that of what both begin with is there.
    """
    first_ms, second_ms = [], []
    for number in range(ALTERNATIONS):
        progress(f"the second chat of a project, {number + 1} of {ALTERNATIONS}")
        beginning = prose(CHAT_TOKENS, 9000 + number)
        common = {"shared": "project-1", "shared_characters": len(beginning)}
        system = Message(Role.SYSTEM, beginning)
        place = folder / f"project-{number}"
        with OurEngine(place) as engine:
            first = engine.chat([system, *question(STORY)], FIRST_ANSWER_TOKENS, session="chat-1", **common)
            engine.client.forget_session("chat-1")
        with OurEngine(place) as engine:
            second = engine.chat([system, *question("Who is in it?")], FIRST_ANSWER_TOKENS, session="chat-2", **common)
        left = second.prompt_tokens - second.reused_tokens
        assert left < CHAT_TOKENS / 100, f"the second chat read {left} tokens"
        first_ms.append(first.first_s * 1000)
        second_ms.append(second.first_s * 1000)
    name = f"first token of the second chat of a project with {CHAT_TOKENS} tokens of documents, against the first"
    return compared(name, second_ms, first_ms, "ms", at_most=AT_MOST)


def next_turn(chat: Sequence[Message], first: Answer) -> list[Message]:
    """The chat with its answer and one more question."""
    return then(chat, first.text, "Go on. Write about the sailor next.")
