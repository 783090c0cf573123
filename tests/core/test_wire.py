"""What crosses the wire comes out as it was; everything else is a violation, and nothing of it crashes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import CHECKOUT, Child
from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.model_errors import ModelDamaged
from app.core.json_forms import to_json
from app.core.wire import Ended, Failed, Greeting, Wire, WireClient, WireInbox, from_json
from tests.helpers.program import wait_until
from tests.helpers.wire import VALUES, any_value, check_missing_keys, survives


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Spot(NamedTuple):
    x: float
    y: float
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Circle:
    centre: Spot
    radius: float


@dataclass(frozen=True, slots=True)
class Square:
    corner: Spot
    side: float | None


@dataclass(frozen=True)
class Mark:
    number: int


@dataclass(frozen=True)
class Drawing:
    """Every kind of field that a message may have."""

    shapes: tuple[Circle | Square, ...]
    words: tuple[str | Mark, ...]
    name: str | None
    size: Size
    kind: Literal["sketch", "plan", 3]
    pixels: bytes
    pairs: Sequence[tuple[str, int]] = ()
    counts: dict[str, int] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)
    lines: list[Spot] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def area(self) -> float:
        """Is no field, so it does not cross."""
        return 1.0


@dataclass(frozen=True)
class Draw:
    drawing: Drawing


@dataclass(frozen=True)
class Drawn:
    id: int
    ink: float = 0.0


WIRE = Wire(7, (Draw,), (Drawn, Failed))
DONE = b'{"type":"Drawn","id":1}\n'


@pytest.mark.parametrize(("cls", "is_request"), [(Draw, True), (Drawn, False), (Failed, False), (Greeting, False)])
def test_a_message_survives_and_keys_of_a_newer_side_are_ignored(cls: type, is_request: bool) -> None:
    survives(WIRE, cls, is_request=is_request)
    check_missing_keys(WIRE, cls, is_request=is_request)


@given(any_value(Drawing))
def test_a_value_comes_back_from_json_text(drawing: Drawing) -> None:
    _ = drawing.area
    assert from_json(Drawing, json.loads(json.dumps(to_json(drawing)))) == drawing


def test_one_dataclass_in_a_union_needs_no_name_and_several_have_theirs() -> None:
    spot = Spot(1, 2)
    drawing = Drawing((Circle(spot, 3),), ("a", Mark(1)), None, Size.SMALL, "plan", b"\0")
    body = json.loads(json.dumps(to_json(drawing)))
    assert body["words"] == ["a", {"number": 1}]
    assert body["shapes"] == [{"type": "Circle", "centre": [1, 2, "red"], "radius": 3}]


def test_a_situation_crosses_with_its_name_and_fields() -> None:
    error = WIRE.parse_reply(WIRE.encode_message(Failed(ModelDamaged("/m", "why")))).error
    assert (type(error), error.path, error.detail) == (ModelDamaged, "/m", "why")
    unknown = WIRE.parse_reply(b'{"type":"Failed","error":{"type":"Strange","path":1}}').error
    assert isinstance(unknown, ProtocolViolation)


def test_a_type_without_a_form_is_found_where_it_is_declared() -> None:
    @dataclass
    class Odd:
        ask: Callable[[], None]

    with pytest.raises(TypeError, match="no form"):
        to_json(Odd(print))


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"llama_model_load: error", b"\xff\xfe", b"null", b"5", b'"Drawn"', b"[]", b'[{"type":"Drawn"}]',
        b"{}", b'{"id":1}', b'{"type":null,"id":1}', b'{"type":["Drawn"],"id":1}', b'{"type":{},"id":1}',
        b'{"type":"Drawn","id":1', DONE.strip() * 2, b'{"type":"Spot"}', b'{"type":"Draw","drawing":{}}',
        b'{"type":"Drawn","id":"1"}', b'{"type":"Drawn","id":true}', b'{"type":"Drawn","id":1,"ink":"blue"}',
        b'{"type":"Failed","error":{}}', b'{"type":"Failed","error":[]}', b'{"type":"Failed","error":"NoModel"}',
        b"[" * 100_000, b'{"type":' * 100_000, b"1" * 10_000,
    ],
    ids=range(27),
)  # fmt: skip
def test_garbage_is_a_violation_that_quotes_a_little_of_it(line: bytes) -> None:
    with pytest.raises(ProtocolViolation) as raised:
        WIRE.parse_reply(line)
    assert len(raised.value.detail) < 1000


@given(st.binary(max_size=50) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_line_raises_anything_else(line: bytes) -> None:
    for read in (WIRE.parse_request, WIRE.parse_reply):
        try:
            read(line)
        except ProtocolViolation:
            pass


@given(any_value(Draw), st.data())
def test_a_line_whose_values_are_others_is_a_violation_or_a_message(message: Draw, data: st.DataObject) -> None:
    body = json.loads(WIRE.encode_message(message))
    body["drawing"][data.draw(st.sampled_from(sorted(body["drawing"])))] = data.draw(VALUES)
    try:
        assert isinstance(WIRE.parse_request(json.dumps(body).encode()), Draw)
    except ProtocolViolation:
        pass


@given(any_value(Drawn), st.data())
def test_a_line_that_was_cut_is_a_violation(message: Drawn, data: st.DataObject) -> None:
    line = WIRE.encode_message(message).rstrip(b"\n")
    with pytest.raises(ProtocolViolation):
        WIRE.parse_reply(line[: data.draw(st.integers(0, len(line) - 1))])


# Conversations

GREETS = 'import sys; print(\'{"type":"Greeting","protocol":7,"version":"1","pid":1}\', flush=True); '


def talk(code: str, folder: Path) -> tuple[Child, WireClient, WireInbox]:
    said, child = WireInbox(), Child([sys.executable, "-c", code], folder)
    return child, WireClient(WIRE, child, said.add_item), said


def heard(said: WireInbox) -> Any:
    return wait_until(said.next_item, "the child to say something")


def test_a_child_greets_is_asked_answers_and_ends(tmp_path: Path) -> None:
    code = GREETS + 'sys.stdin.readline(); print(\'{"type":"Drawn","id":5}\', flush=True); sys.exit(3)'
    child, conversation, said = talk(code, tmp_path)
    assert conversation.send(Drawn(1))
    assert heard(said) == Drawn(5)
    assert conversation.has_greeted
    assert heard(said) == Ended(3, "")
    assert conversation.send(Drawn(1)), "its end was heard already"
    child.close()


@pytest.mark.parametrize(
    "code",
    [
        "print('garbage', flush=True); input()",
        """print('{"type":"Drawn","id":1}', flush=True); input()""",
        """print('{"type":"Greeting","protocol":6,"version":"1","pid":1}', flush=True); input()""",
        GREETS + """print('{"type":"Draw","drawing":{}}', flush=True); input()""",
    ],
    ids=["garbage", "no greeting", "another version", "a request"],
)
def test_a_child_that_speaks_otherwise_is_ended(tmp_path: Path, code: str) -> None:
    child, _, said = talk(code, tmp_path)
    with pytest.raises(ProtocolViolation):
        heard(said)
    assert isinstance(heard(said), Ended)
    assert not child.running
    child.close()


def test_what_nobody_takes_stops_the_child_until_nobody_will(tmp_path: Path) -> None:
    said = WireInbox(most_waiting=2)
    code = GREETS + '\nfor n in range(99): print(\'{"type":"Drawn","id":%d}\' % n, flush=True)'
    child = Child([sys.executable, "-c", code], tmp_path)
    WireClient(WIRE, child, said.add_item)
    assert [heard(said).id for _ in range(3)] == [0, 1, 2]
    assert child.running
    said.close()
    wait_until(lambda: not child.running, "the child to be let go")
    child.close()


CHILD = """
import sys
from app.core.child import claim_wire
from app.core.wire import ParentSide
from tests.core.test_wire import WIRE, Drawn
parent = ParentSide(WIRE, *claim_wire())
parent.send_greeting("toy")
told = lambda request: parent.send_reply(Drawn(len(str(type(request)))))
parent.leave_with_parent(told, lambda: parent.send_reply(Drawn(99)))
import threading
threading.Event().wait()
"""


def test_the_childs_side_greets_hears_and_leaves_with_its_parent() -> None:
    lines = WIRE.encode_message(Draw(Drawing((), (), None, Size.SMALL, 3, b""))) + b"nonsense\n"
    done = subprocess.run([sys.executable, "-c", CHILD], input=lines, capture_output=True, check=True, cwd=CHECKOUT)
    greeting, first, second, last = (WIRE.parse_reply(line) for line in done.stdout.splitlines() if line)
    assert (greeting.protocol, greeting.backend) == (7, "toy")
    assert first != second
    assert last == Drawn(99)
