"""Beside llama-server of the same source on the same file: writing, reading, the second turn of a chat, memory."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import EQUAL, EQUAL_TIME, Answer, compared, in_turns, progress
from llama_server import LlamaServer
from our_engine import OurEngine, question, starter, then, with_children_bytes
from run import ROOT, Row
from starter_model import fetch_shipped
from texts import STORY, prose

DECODED_TOKENS = 128
PROMPT_TOKENS = 2000
OTHER_FILE_PROMPT_TOKENS = 500
TURN_TOKENS = 300
FIRST_ANSWER_TOKENS = 16  # so few that both sides write the same, and the turns stay alike
MB = 1e6
Side = OurEngine | LlamaServer


def rows() -> Iterator[Row]:
    """Every comparison; one side works while the other rests."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
        folder = Path(scratch)
        with OurEngine(folder / "ours") as ours, LlamaServer(starter(), folder / "server") as server:
            yield writing("decoding beside llama-server", ours, server, EQUAL)
            yield reading(f"reading a prompt of {PROMPT_TOKENS} tokens", ours, server, PROMPT_TOKENS, EQUAL)
            yield second_turn(ours, server)
        yield from memory(folder)
        yield from other_file(folder)


def writing(name: str, ours: Side, server: Side, at_least: float | None) -> Row:
    """Tokens per second from the first to the last text."""
    progress(name)

    def rate(side: Side) -> Callable[[int], float]:
        return lambda _number: whole(side.chat(question(STORY), DECODED_TOKENS), DECODED_TOKENS).tokens_per_s

    for side in (ours, server):
        rate(side)(0)  # pages of the file, and the first graph
    mine, theirs = in_turns([rate(ours), rate(server)])
    return compared(name, mine, theirs, "tokens/s", at_least=at_least)


def reading(name: str, ours: Side, server: Side, tokens: int, at_least: float | None) -> Row:
    """Tokens per second from the request to the first text; every prompt begins differently."""
    progress(name)

    def rate(side: Side) -> Callable[[int], float]:
        return lambda number: side.chat(question(prose(tokens, 1000 + number)), 4).prompt_tokens_per_s

    mine, theirs = in_turns([rate(ours), rate(server)])
    return compared(name, mine, theirs, "tokens/s", at_least=at_least)


def second_turn(ours: OurEngine, server: LlamaServer) -> Row:
    """From the second question of a chat to its first text."""
    progress("second turn of a chat")

    def turn(side: Side) -> Callable[[int], float]:
        def measured(number: int) -> float:
            first = question(prose(TURN_TOKENS, 2000 + number) + " " + STORY)
            named = {"session": f"chat-{number}"} if side is ours else {}
            before = side.chat(first, FIRST_ANSWER_TOKENS, **named)
            after = side.chat(then(first, before.text, prose(40, 3000 + number)), 4, **named)
            assert after.reused_tokens > TURN_TOKENS / 2, f"the second turn re-used {after.reused_tokens} tokens"
            return after.first_s * 1000

        return measured

    mine, theirs = in_turns([turn(ours), turn(server)])
    return compared("first token of a chat's second turn", mine, theirs, "ms", at_most=EQUAL_TIME)


def memory(folder: Path) -> Iterator[Row]:
    """Resident memory after the same work, CPU only on llama-server's side."""
    progress("memory")
    with LlamaServer(starter(), folder / "memory-server") as server:
        theirs = worked(server)
    without_gpu = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(cpu_only_package(folder / "cpu-only"))])}
    for name, environment, at_most in (
        ("engine's resident memory, CPU libraries only", without_gpu, 1.15),
        ("engine's resident memory, as installed", None, 1.35),
    ):
        with OurEngine(folder / f"memory-{at_most}", environment=environment) as ours:
            mine = worked(ours)
            note = f"Vulkan library {'loaded' if loads_vulkan(ours.pid) else 'not loaded'}"
        yield Row(name, round(mine / MB, 1), "MB", round(theirs / MB, 1), note, at_most=at_most)


def worked(side: Side) -> int:
    """Bytes after a prompt of 2,000 tokens and an answer."""
    side.chat(question(prose(PROMPT_TOKENS, 4000) + " " + STORY), DECODED_TOKENS)
    return with_children_bytes(side.pid)


def cpu_only_package(folder: Path) -> Path:
    """A folder from which the child imports llama_cpp, whose backends are the CPU libraries alone."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    (folder / "bin").mkdir(parents=True)
    (folder / "llama_cpp").symlink_to(package)
    for library in (package.parent / "bin").glob("*ggml-cpu*"):
        (folder / "bin" / library.name).symlink_to(library)
    return folder


def loads_vulkan(pid: int) -> bool:
    """Whether ggml's Vulkan library is in the process."""
    return "ggml-vulkan" in Path(f"/proc/{pid}/maps").read_text()


def other_file(folder: Path) -> Iterator[Row]:
    """The starter as set-up converts it against the file as it is published: another file, so no limit."""
    shipped = fetch_shipped()
    with OurEngine(folder / "converted") as ours, LlamaServer(shipped, folder / "shipped") as server:
        label = "other file: starter as Q8_0 here, as published (Q4_1) in llama-server"
        yield writing(f"{label}, decoding", ours, server, None)
        yield reading(
            f"{label}, reading {OTHER_FILE_PROMPT_TOKENS} tokens", ours, server, OTHER_FILE_PROMPT_TOKENS, None
        )


def whole(answer: Answer, tokens: int) -> Answer:
    """The answer, if it has as many tokens as were asked for."""
    assert answer.generated_tokens == tokens, f"{answer.generated_tokens} tokens instead of {tokens}"
    return answer
