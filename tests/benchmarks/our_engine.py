"""Our engine as the window uses it, through child, wire and client, measured where its events are consumed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from comparing import Answer

from app.core.child import own_command
from app.core.events import Finished, Message, ModelLoaded, Role, TextDelta
from app.core.paths import starter_model
from app.engine.client import EngineClient
from app.engine.protocol import Sampling, Wish
from app.engine.states import StateFolder

# Greedy and nothing else: the starter's family has a repeat penalty, which the other side would not have.
GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0)
STATES_BUDGET_BYTES = 4 * 10**9


class OurEngine:
    """A loaded model in a child of its own; `client` is the whole interface behind it."""

    def __init__(
        self,
        folder: Path,
        *,
        model: Path | None = None,
        context_tokens: int = 8192,
        threads: int = 0,
        environment: Mapping[str, str] | None = None,
        keep_states: bool = True,
        projector: Path | None = None,
    ) -> None:
        states = StateFolder(folder / "states", lambda: STATES_BUDGET_BYTES) if keep_states else None
        self.client = EngineClient(own_command("--engine-worker"), folder / "engine", environment, states)
        self.loaded: ModelLoaded
        eyes = str(projector) if projector else ""
        wish = Wish(context_tokens, gpu_layers=0, devices=("CPU",), threads=threads, projector=eyes)
        for event in self.client.load(model or starter(), wish):
            if isinstance(event, ModelLoaded):
                self.loaded = event

    def __enter__(self) -> OurEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def pid(self) -> int:
        """The child's process id."""
        pid = self.client.pid
        assert pid is not None, "the engine's child has ended"
        return pid

    def chat(self, messages: Sequence[Message], max_tokens: int, **options: Any) -> Answer:
        """One greedy answer; `options` are the fields of `Ask`."""
        began_s = time.perf_counter()
        return watched(self.client.generate(messages, max_tokens=max_tokens, sampling=GREEDY, **options), began_s)


def watched(events: Iterable[object], began_s: float) -> Answer:
    """An answer's events as the consumer saw them; `began_s` is when it was asked for."""
    first_s = 0.0
    pieces: list[str] = []
    for event in events:
        if isinstance(event, TextDelta):
            first_s = first_s or time.perf_counter()
            pieces.append(event.text)
        if isinstance(event, Finished):
            ended_s = time.perf_counter()
            stats = event.stats
    assert first_s, f"an answer without text: {stats}"
    return Answer(
        "".join(pieces),
        first_s - began_s,
        ended_s - first_s,
        stats.prompt_tokens,
        stats.reused_tokens,
        stats.generated_tokens,
    )


def starter() -> Path:
    """The model that set-up made."""
    model = starter_model()
    if model is None:
        raise FileNotFoundError("resources/models is empty: run `make setup`")
    return model


def question(text: str) -> list[Message]:
    """A chat of one question."""
    return [Message(Role.USER, text)]


def then(before: Sequence[Message], answer: str, text: str) -> list[Message]:
    """The chat after an answer and another question."""
    return [*before, Message(Role.ASSISTANT, answer), Message(Role.USER, text)]


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in the machine's memory now (Linux)."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def with_children_bytes(pid: int) -> int:
    """The same of a process and all that it has started; what they share is counted for each."""
    return sum(map(resident_bytes, [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]))


def processor_ticks(pid: int) -> int:
    """Processor time that a process has used so far, in clock ticks (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
