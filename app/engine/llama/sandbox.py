"""The child that renders a chat template from a model file: a program by a stranger, so in a sandbox, on rations.

The environment has what Transformers gives to chat templates, as llama-cpp-python's formatter has. Sizes and numbers
are bounded where one operation could take for ever; whatever is overlooked ends with the child, at its limits of memory
and of processor time, or when the engine ends it (`app.engine.llama.template`).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import filters, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.core.cage import enter_cage
from app.core.child import claim_wire, run_in_heart
from app.core.landlock import ThreadGrant, program_places
from app.core.rlimits import lower_limit
from app.core.wire import Caged, ParentSide, check_request
from app.engine.llama.template_process import (
    MOST_PROCESSOR_S,
    RENDER_WIRE,
    Rendered,
    Template,
    TemplateAbandoned,
    TemplateProblem,
    TemplateReady,
    Unrendered,
)

MOST_CHARACTERS = 4_000_000  # that a template may add to the texts, or multiply out of them
MOST_EXPONENT, MOST_DIGITS = 64, 308
MOST_BITS = 4096
MOST_MEMORY_BYTES = 384 << 20


# The ration comes after the imports and before the first foreign byte.
def main(_arguments: list[str]) -> int:
    """Run `--template-renderer`: read a template, then variables, and write a text for each."""
    parent = ParentSide(RENDER_WIRE, *claim_wire())
    parent.send_greeting()
    # It reads nothing but its own modules, and writes nothing at all.
    cage = enter_cage(
        ThreadGrant(program_places(), programs=(), ports=()), most_file_bytes=0, other_threads=(run_in_heart,)
    )
    parent.send_reply(Caged(cage))
    _ration_memory()
    parent.send_reply(TemplateReady())
    render = _make_renderer("")
    for request in map(check_request, parent.read_requests()):
        # Renewed for each request, since the limit is on the total that the process has used.
        _ration_time()
        if isinstance(request, Template):
            render = _make_renderer(request.source)
            continue
        try:
            parent.send_reply(Rendered(render(request.variables)))
        except TemplateProblem as problem:
            parent.send_reply(Unrendered(str(problem), isinstance(problem, TemplateAbandoned)))
    os._exit(0)


def _make_renderer(source: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that renders the template. It is compiled now; errors are raised when it is called."""
    try:
        return CompiledTemplate(source).render
    except TemplateProblem as problem:
        found = problem  # the name of the exception is gone outside its block

    def fail(_variables: Mapping[str, Any]) -> NoReturn:
        raise found

    return fail


class CompiledTemplate:
    """A template, compiled by jinja2 in a sandbox. Raises TemplateProblem if it can't be."""

    def __init__(self, source: str) -> None:
        with _tell_problems():
            self._template = _SandboxedEnvironment().from_string(source)

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text that the template writes. Raises TemplateProblem, or TemplateAbandoned at its limits."""
        # Templates may write texts more than once, such as in a list of documents.
        size = sum(len(message["content"]) for message in variables["messages"])
        with _tell_problems():
            return self._render_pieces(variables, MOST_CHARACTERS + 4 * size)

    def _render_pieces(self, variables: Mapping[str, Any], limit: int) -> str:
        pieces, left = [], limit
        # Piece by piece, so that a loop without an end is noticed before the memory is full.
        for piece in self._template.generate(strftime_now=_strftime_now, raise_exception=_raise_exception, **variables):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise TemplateAbandoned(f"it wrote more than {limit} characters")
        return "".join(pieces)


@contextmanager
def _tell_problems() -> Iterator[None]:
    try:
        yield
    except TemplateProblem:
        raise
    # The ration of memory was reached: another try would end the same.
    except MemoryError as error:
        raise TemplateAbandoned("it wanted too much memory") from error
    # Whatever a stranger's program raises is a fault of the template, and told as one.
    except Exception as error:
        raise TemplateProblem(f"{type(error).__name__}: {error}") from error


class _GenerationTags(Extension):
    """`{% generation %}` marks what a model writes, for training; here it does nothing."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the nodes between the tags, without the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _SandboxedEnvironment(ImmutableSandboxedEnvironment):
    """Sandboxed: no attributes with underscores, no changes to lists, no ranges above 100,000."""

    # One operation in C may take for ever; an operator named here is not computed early either.
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTags, loopcontrols])
        # Transformers' templates expect a plain `tojson`: jinja's own escapes for HTML.
        self.filters |= {"tojson": _to_json, "round": _round_filter, "int": _int_filter}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute an operator, unless operands or result are huge."""
        for value in (left, right):
            # Both sides: 2**4096 as an operand costs as much as a result.
            _check_bounds(value)
        if operator == "**" and not (isinstance(right, int | float) and abs(right) <= MOST_EXPONENT):
            raise OverflowError("the exponent is too large")
        if operator == "*":
            # "text" * 10**9 and [0] * 10**9, in either order.
            size, times = (left, right) if isinstance(right, int) else (right, left)
            if hasattr(size, "__len__") and isinstance(times, int) and len(size) * times > MOST_CHARACTERS:
                raise OverflowError("the product is too long")
        return _check_bounds(super().call_binop(context, operator, left, right))


def _check_bounds(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise OverflowError("the number is too large")
    return value


def _round_filter(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > MOST_DIGITS:
        raise OverflowError("the precision is too large")
    return filters.do_round(_check_bounds(value), precision, method)


def _int_filter(value: Any, default: int = 0, base: int = 10) -> int:
    return int(_check_bounds(filters.do_int(value, default, base)))


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _strftime_now(form: str) -> str:
    if len(form) > 1000 or re.search(r"\d{4}", form):  # a width that fills the memory
        raise OverflowError("the form of the date is too long")
    return datetime.now().strftime(form)


def _raise_exception(message: str) -> NoReturn:
    raise ValueError(message)


def _ration_memory() -> None:
    """Limit the process's memory to `MOST_MEMORY_BYTES` more than now. Linux only: other systems have no limit that
    holds.
    """
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            most = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MOST_MEMORY_BYTES
        lower_limit("RLIMIT_AS", most)


def _ration_time() -> None:
    """Limit processor time to `MOST_PROCESSOR_S` from now (give or take a second); then the system kills the process.
    Not on Windows.
    """
    lower_limit("RLIMIT_CPU", int(time.process_time()) + 1 + MOST_PROCESSOR_S, is_final=False)
