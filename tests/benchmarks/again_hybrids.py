"""Recurrent, hybrid and sliding-window models that go back: tokens read again, and seconds, against reading anew.

Tiny models with random weights, whose seconds say nothing of real ones, and gemma-3-270m where `make test-gemma` has
put it. llama-server reads the same conversations in the same run, with checkpoints of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comparing import Answer, compared, progress
from llama_server import LlamaServer
from our_engine import OurEngine
from run import Row

from app.core.events import Message, Role
from app.engine.protocol import Wish
from tests.helpers.gemma_model import fetched_gemma, gemma_with_template
from tests.helpers.tiny_models import make_tiny

KINDS = ("mamba", "granitehybrid", "lfm2", "qwen35", "gemma3")
CONTEXT_TOKENS, ANSWER_TOKENS, ROUNDS = 8192, 8, 3
AT_MOST = 0.5
"""Of reading anew: where what changed is far from the end, what follows has to be read by any model."""
STORY = "Once there was a lighthouse keeper with a red boat and two dogs who feared the sea. "


@dataclass(frozen=True)
class WayBack:
    """A change of a conversation: `kept` turns of it stay, from the `first` on, and one question follows."""

    name: str
    kept: int
    first: int = 0
    session: str = "chat-1"
    is_restarted: bool = False

    def changed(self, turns: list[Message]) -> list[Message]:
        system, *others = turns
        return [system, *others[2 * self.first : 2 * self.kept], Message(Role.USER, f"And then, {self.name}?")]


TURNS = 4
WAYS = (
    WayBack("last question edited", TURNS),
    WayBack("forked at the third turn", 2, session="chat-2"),
    WayBack("earliest turn gone", TURNS, first=1),
    WayBack("last question edited after a restart", TURNS, is_restarted=True),
    WayBack("forked after a restart", 2, session="chat-2", is_restarted=True),
)


def rows(scratch: Path) -> Iterator[Row]:
    """Each kind in turn, and gemma-3-270m where it is."""
    for kind in KINDS:
        yield from _rows(kind, make_tiny(kind, scratch / f"{kind}.gguf", context_tokens=CONTEXT_TOKENS), scratch, 2)
    if fetched_gemma().exists():
        yield from _rows("gemma-3-270m", gemma_with_template(scratch / "gemma.gguf"), scratch, 6)


def _rows(kind: str, model: Path, scratch: Path, times: int) -> Iterator[Row]:
    turns = [Message(Role.SYSTEM, STORY * 8 * times)]
    for number in range(TURNS):
        turns += [
            Message(Role.USER, f"{number}. {STORY * times}"),
            Message(Role.ASSISTANT, f"{number}: {STORY * times}"),
        ]
    turns.append(Message(Role.USER, "Who walks?"))
    with OurEngine(scratch / kind, model=model, context_tokens=CONTEXT_TOKENS) as engine:
        for way in WAYS:
            progress(f"{kind}, {way.name}")
            found = [_measured(engine, model, turns, way) for _ in range(ROUNDS)]
            names = f"{kind}, {way.name}"
            ours, anew = ([_read(pair[index]) for pair in found] for index in (0, 1))
            yield compared(f"{names}: tokens read against reading anew", ours, anew, "tokens", at_most=AT_MOST)
            ours, anew = ([pair[index].first_s for pair in found] for index in (0, 1))
            yield compared(f"{names}: first token against reading anew", ours, anew, "s")
    for way in (way for way in WAYS if not way.is_restarted):  # whose checkpoints end with the program
        with LlamaServer(model, scratch / f"{kind}-server", context_tokens=CONTEXT_TOKENS) as server:
            server.chat(turns, ANSWER_TOKENS)
            read = _read(server.chat(way.changed(turns), ANSWER_TOKENS))
            yield Row(f"{kind}, {way.name}: tokens that llama-server reads", read, "tokens")


def _measured(engine: OurEngine, model: Path, turns: list[Message], way: WayBack) -> tuple[Answer, Answer]:
    """The changed conversation from what was kept, and from nothing."""
    _forget(engine)
    engine.chat(turns, ANSWER_TOKENS, session="chat-1")
    kept = _changed(engine, model, turns, way)
    _forget(engine)
    return kept, _changed(engine, model, turns, way)


def _changed(engine: OurEngine, model: Path, turns: list[Message], way: WayBack) -> Answer:
    """The changed conversation; after a restart it is one for either, as a first answer waits for more than reading."""
    if way.is_restarted:
        engine.client.unload()
        list(engine.client.load(model, Wish(CONTEXT_TOKENS, gpu_layers=0, devices=("CPU",))))
    return engine.chat(way.changed(turns), ANSWER_TOKENS, session=way.session)


def _forget(engine: OurEngine) -> None:
    for session in ("chat-1", "chat-2"):
        engine.client.forget_session(session)


def _read(answer: Answer) -> int:
    return answer.prompt_tokens - answer.reused_tokens
