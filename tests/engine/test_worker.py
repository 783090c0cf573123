"""The child itself, on its bare wire: greeting, order, cancelling, and leaving."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import __version__
from app.core.cage_report import CageReport
from app.core.child import BEAT, CHECKOUT
from app.core.errors.model_errors import NoModel
from app.core.events import Finished, LoadProgress, ModelLoaded, PromptProgress, TextDelta
from app.core.wire import Caged, EventReply, Greeting
from app.engine import protocol
from app.engine.worker import DEFECT_EXIT_CODE
from tests.helpers.engine import user
from tests.helpers.program import is_gone, wait_until

WAIT_S = 20


class Wire:
    """A child with nothing between the test and its lines."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "--engine-worker", *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def send(self, *requests: protocol.Request) -> None:
        self.write(b"".join(protocol.WIRE.encode_message(request) for request in requests))

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self) -> Any:
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) == BEAT:
            pass
        return protocol.WIRE.parse_reply(line)

    def read_until(self, kind: type) -> Any:
        """The next event of a kind, in its envelope."""
        while not (isinstance(reply := self.read(), EventReply) and isinstance(reply.event, kind)):
            pass
        return reply

    def leave(self) -> tuple[int, bytes]:
        """Closes the child's input; returns its exit code and what it printed."""
        _, printed = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, printed.lstrip(BEAT)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Callable[..., Wire]]:
    """Starts bare children with a script, or real ones without."""
    started: list[Wire] = []

    def start(**script: Any) -> Wire:
        arguments: list[str] = []
        if script:
            path = tmp_path / "script.json"
            path.write_text(json.dumps({"load": {"any_path": True}} | script))
            arguments = ["--scripted", str(path)]
        started.append(Wire(*arguments))
        return started[-1]

    yield start
    for each in started:
        with each.process as process:
            process.kill()


def test_a_conversation_with_the_child_goes_as_recorded(wire: Callable[..., Wire]) -> None:
    child = wire(answers=[{"when": "hello", "text": "Hello to you"}])
    hello = (user("hello"),)
    child.send(
        protocol.LoadModel(1, "/m/words.gguf", protocol.Wish(64)),
        protocol.CountTokens(2, hello),
        protocol.Generate(3, protocol.Ask(hello)),
    )
    greeting = child.read()
    assert greeting == Greeting(protocol.VERSION, __version__, child.process.pid, "scripted")
    assert [child.read() for _ in range(5)] == [
        Caged(CageReport()),  # what is scripted has no cage
        EventReply(1, LoadProgress(0.0)),
        protocol.Loaded(1, ModelLoaded("/m/words.gguf", "words", 0, 64, 8192, True, 1, 0, "Scripted", 1)),
        protocol.TokensCounted(2, 5),
        EventReply(3, TextDelta("Hello")),
    ]
    answered = child.read_until(Finished)
    assert (answered.id, answered.event.stats.generated_tokens, answered.event.stats.finish_reason) == (3, 3, "stop")
    child.send(
        protocol.Generate(4, protocol.Ask(hello, max_tokens=1)),
        protocol.UnloadModel(5),
        protocol.Generate(6, protocol.Ask(hello)),
    )
    assert child.read() == EventReply(4, TextDelta("Hello"))
    answered = child.read()
    stats = answered.event.stats
    assert (stats.generated_tokens, stats.reused_tokens, stats.finish_reason) == (1, 4, "length")
    assert child.read() == protocol.Done(5)
    failed = child.read()
    assert (failed.id, type(failed.error)) == (6, NoModel)
    assert child.leave() == (0, b"")


def test_requests_that_are_cancelled_in_any_order_answer_all_the_same(wire: Callable[..., Wire]) -> None:
    child = wire(answers=[{"delay_s": 0.01, "repeat": 1000}])
    hello = (user("hello"),)
    child.send(
        protocol.LoadModel(1, "m"), protocol.Generate(2, protocol.Ask(hello)), protocol.Generate(3, protocol.Ask(hello))
    )
    child.read_until(TextDelta)
    child.send(protocol.Cancel(4, 3), protocol.Cancel(5, 2), protocol.Cancel(6, 99))
    answered = [child.read_until(Finished) for _ in range(2)]
    assert {one.id: one.event.stats.finish_reason for one in answered} == {2: "cancelled", 3: "cancelled"}


@pytest.mark.parametrize("rule", [{"stall_after": 1}, {"delay_s": 0.05, "repeat": 1000}])
def test_the_child_leaves_in_the_middle_of_an_answer_when_its_input_ends(
    wire: Callable[..., Wire], rule: dict[str, Any]
) -> None:
    child = wire(answers=[rule])
    child.send(protocol.LoadModel(1, "m"), protocol.Generate(2, protocol.Ask((user("hello"),))))
    child.read_until(TextDelta)
    code, _ = child.leave()
    assert code == 0


def test_a_line_that_is_no_request_ends_the_child_and_says_why(wire: Callable[..., Wire]) -> None:
    child = wire(answers=[])
    child.write(b"noise\n")
    assert child.process.wait(WAIT_S) == DEFECT_EXIT_CODE
    assert child.process.stderr is not None
    assert b"ProtocolViolation" in child.process.stderr.read()


@pytest.mark.model
def test_the_real_child_greets_and_leaves_while_it_decodes(wire: Callable[..., Wire], starter: Path) -> None:
    child = wire()
    assert child.read() == Greeting(protocol.VERSION, __version__, child.process.pid, "llama")
    question = (user("Write a very long story. " * 300),)
    child.send(protocol.LoadModel(1, str(starter)), protocol.Generate(2, protocol.Ask(question)))
    child.read_until(PromptProgress)
    code, _ = child.leave()
    assert code == 0


@pytest.mark.model
def test_the_real_child_leaves_while_it_loads(wire: Callable[..., Wire], starter: Path) -> None:
    child = wire()
    child.send(protocol.LoadModel(1, str(starter)))
    child.read_until(LoadProgress)
    code, _ = child.leave()
    assert code == 0


BEATING = """
import sys
from app.core import child
from app.engine import worker
child.BEAT_EVERY_S, child.LEAST_WORK = 0.1, 0.0025
worker.main(["--scripted", sys.argv[1]])
"""


def test_the_heart_beats_while_nobody_asks_and_stops_where_an_answer_hangs(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"load": {"any_path": True}, "answers": [{"stall_after": 1}]}))
    command, pipe = [sys.executable, "-c", BEATING, str(script)], subprocess.PIPE
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as child:
        assert child.stdin is not None and child.stdout is not None
        lines = child.stdout
        child.stdin.write(protocol.WIRE.encode_message(protocol.LoadModel(1, "m")))
        wait_until(lambda: b"Loaded" in lines.readline(), "the model")
        assert [lines.readline() for _ in range(3)] == [BEAT] * 3, "it beats while nobody asks"
        child.stdin.write(protocol.WIRE.encode_message(protocol.Generate(2, protocol.Ask((user("hello"),)))))
        wait_until(lambda: b"Delta" in lines.readline(), "the first word")

        def is_silent() -> bool:
            if not select.select([lines], [], [], 2)[0]:
                return True
            assert lines.readline() == BEAT
            return False

        wait_until(is_silent, "the heart to stop")
        child.kill()


PARENT = """
import sys
from pathlib import Path
from app.core.child import own_command
from app.core.events import Message, Role
from app.engine.client import EngineClient
client = EngineClient(own_command("--engine-worker"), Path(sys.argv[2]))
list(client.load(Path(sys.argv[1])))
for event in client.generate([Message(Role.USER, "Write a very long story.")]):
    print(client.pid, flush=True)
"""


@pytest.mark.model
def test_the_real_child_goes_with_its_killed_parent(starter: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(starter), str(tmp_path / "engine")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait(WAIT_S)
        wait_until(lambda: is_gone(pid), "the child to leave")
