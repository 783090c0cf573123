"""Runs a chat template from a model file: a program by a stranger, so in a sandbox, on a clock, and on a ration.

The environment has what Transformers gives to chat templates, as llama-cpp-python's formatter has. A template that
does not come to an end is left: it runs in a thread of its own, which gets an exception and is not waited for.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

DEADLINE_S = 5.0
MOST_CHARACTERS = 4_000_000  # that a template may add to the texts, or multiply out of them
MOST_EXPONENT, MOST_BITS = 64, 65_536
MOST_MEMORY_BYTES = 384 << 20  # with the new thread's own stack and heap, which are some 100 MB of addresses


class TemplateProblem(Exception):
    """The template failed; the text says how."""


class TemplateAbandoned(TemplateProblem):
    """The template wanted more time or memory than it may have; trying again in another way is of no use."""


class CompiledTemplate:
    """A template ready to be rendered."""

    def __init__(self, source: str) -> None:
        self._template: jinja2.Template = _supervised(lambda: _Environment().from_string(source))

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text; raises TemplateProblem."""
        size = sum(len(message["content"]) for message in variables["messages"])
        return _supervised(lambda: self._write(variables, MOST_CHARACTERS + 4 * size))

    def _write(self, variables: Mapping[str, Any], limit: int) -> str:
        pieces, left = [], limit
        for piece in self._template.generate(strftime_now=_now, raise_exception=_raise, **variables):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise TemplateAbandoned(f"it wrote more than {limit} characters")
        return "".join(pieces)


class _GenerationTags(Extension):
    """`{% generation %}` marks what a model writes, for training; here it does nothing."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What stands between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """Sandboxed: no attributes with underscores, no changes to lists, no ranges above 100,000."""

    # One operation in C that neither ends nor can be interrupted; an operator named here is not computed early either.
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTags, loopcontrols])
        self.filters["tojson"] = _to_json

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Products and powers, unless they are huge."""
        if operator == "**" and not (isinstance(right, int | float) and abs(right) <= MOST_EXPONENT):
            raise OverflowError("the exponent is too large")
        if operator == "*" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() + right.bit_length() > MOST_BITS:
                raise OverflowError("the product is too large")
        elif operator == "*":
            size, times = (left, right) if isinstance(right, int) else (right, left)
            if hasattr(size, "__len__") and isinstance(times, int) and len(size) * times > MOST_CHARACTERS:
                raise OverflowError("the product is too long")
        return super().call_binop(context, operator, left, right)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _raise(message: str) -> NoReturn:
    raise ValueError(message)


class _Leave(BaseException):
    """Thrown into a thread whose template takes too long."""


def _supervised(work: Any) -> Any:
    """What `work` returns, done in a thread of its own within the deadline; raises TemplateProblem."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - all that a stranger's program can come up with
            failure.append(error)

    thread = threading.Thread(target=run, name="chat-template", daemon=True)
    with _rationed_memory():
        thread.start()
        thread.join(DEADLINE_S)
        is_late = thread.is_alive()
        if is_late and thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Leave))
    if is_late:
        raise TemplateAbandoned(f"it did not come to an end within {DEADLINE_S:.0f} seconds")
    if not failure:
        return outcome[0]
    error = failure[0]
    if isinstance(error, MemoryError):
        raise TemplateAbandoned("it wanted too much memory") from error
    raise error if isinstance(error, TemplateProblem) else TemplateProblem(f"{type(error).__name__}: {error}")


@contextmanager
def _rationed_memory() -> Iterator[None]:
    """On Linux, the process gets no more than `MOST_MEMORY_BYTES` beyond what it has; asking for it fails.

    Nothing else works in the child meanwhile. Elsewhere the system has no such limit, and the deadline must do.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        limit = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MOST_MEMORY_BYTES
    if before[0] != resource.RLIM_INFINITY:
        limit = min(limit, before[0])
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
