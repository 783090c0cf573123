"""JSON schemas as GBNF, and what a grammar asks of llama.cpp: counted before it is built, which nothing can stop."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from app.core.errors import GrammarInvalid

# A schema as GBNF, by llama-cpp-python's converter, with bounds that llama.cpp can hold.


MOST_SCHEMA_CHARACTERS = 200_000
MOST_REPEATED = (2000, 200, 20)
"""An upper bound that leaves more open is written in blocks: llama.cpp has a rule for each repetition, and two or three
ways to go on in blocks. The next one is tried where the rules of all bounds together would be too many."""
MOST_BOUNDED = 1_000_000
"""A larger upper bound is dropped: no context holds such an answer."""
BLOCK = 1000
MOST_VISITS = 20_000
LEAST_TO_SORT = 16  # with fewer values each is an alternative of its own
ANNOTATIONS = frozenset(
    ("$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly")
)
"""Keywords of a schema that don't restrict values."""
TEXT_CHARACTER = r'[^"\\\x00-\x1f\x7f] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})'
"""A character of a JSON string."""
BLANK = r'(" " | "\n" [ \t]{0,20})?'
"""Between values in JSON; endless in none."""
ANYTHING = {"type": ["object", "array", "string", "number", "boolean", "null"]}


@functools.lru_cache(8)
def gbnf_of_schema(json_schema: str) -> str:
    """Return a JSON schema as GBNF; nothing is fetched for it. Raises GrammarInvalid."""
    if len(json_schema) > MOST_SCHEMA_CHARACTERS:
        raise GrammarInvalid(f"a schema of {len(json_schema)} characters is longer than {MOST_SCHEMA_CHARACTERS}")
    try:
        # Its own converter goes through the schema by recursion, and references may lead in circles.
        schema = _without_outer_reference(json.loads(json_schema))
        for most in MOST_REPEATED:
            gbnf = _convert_schema(schema, most)
            if len(gbnf) <= MOST_GRAMMAR_CHARACTERS and measure_grammar(gbnf).nodes <= MOST_NODES:
                break
    except GrammarInvalid:
        raise
    except Exception as error:
        raise GrammarInvalid(f"{type(error).__name__}: {error}"[:500]) from error
    return gbnf


def _convert_schema(schema: Any, most: int) -> str:
    """Convert a schema to GBNF. Raises whatever the converter raises for an invalid one."""
    from llama_cpp import llama_grammar

    # WORKAROUND: the converter writes every repetition out, a thousand brackets deep, and llama.cpp knows {m,n}:
    # https://github.com/abetlen/llama-cpp-python/blob/main/llama_cpp/llama_grammar.py
    # Replaced in the module each time, for the bound differs.
    llama_grammar._build_repetition = functools.partial(_repeat_rule, most=most)
    # WORKAROUND: its texts may hold line breaks and tabs as they are, which JSON does not allow.
    llama_grammar.PRIMITIVE_RULES["char"] = llama_grammar.BuiltinRule(TEXT_CHARACTER, [])
    # WORKAROUND: it forbids line breaks between values; models that lay out JSON say less without them:
    # https://github.com/ggml-org/llama.cpp/pull/7866
    llama_grammar.SPACE_RULE = BLANK
    converter = llama_grammar.SchemaConverter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
    visit, visits = converter.visit, 0

    def visit_within_budget(schema: Any, name: str) -> Any:
        nonlocal visits
        visits += 1
        if visits > MOST_VISITS:
            raise GrammarInvalid(f"its references lead to more than {MOST_VISITS} schemas")
        if isinstance(schema, dict) and schema and not schema.keys() - ANNOTATIONS:
            # Claude Code has an argument that is only described: any value is meant.
            schema = ANYTHING
        values = _values_of(schema)
        if len(values) < LEAST_TO_SORT:
            return visit(schema, name)
        # The rule is written as one of many texts, or the parser would follow a path for each value.
        rule = _one_of({json.dumps(value) for value in values}, converter._format_literal)
        return converter._add_rule(f"{name}-" if name in llama_grammar.RESERVED_NAMES else name or "root", rule)

    converter.visit = visit_within_budget
    # A copy, since references are resolved in place.
    converter.visit(converter.resolve_refs(json.loads(json.dumps(schema)), "schema"), "")
    return str(converter.format_grammar())


def _values_of(schema: Mapping[str, Any]) -> list[Any]:
    """Return a schema's values if it only enumerates them."""
    chosen = schema.get("oneOf") or schema.get("anyOf")
    if (
        isinstance(chosen, list)
        and "$ref" not in schema
        and all("const" in branch and "$ref" not in branch for branch in chosen)
    ):
        return [branch["const"] for branch in chosen]
    values = schema.get("enum")
    if not isinstance(values, list) or isinstance(schema.get("type"), list):
        return []
    return [] if {"$ref", "oneOf", "anyOf", "const"} & schema.keys() else values


def _repeat_rule(
    item_rule: str,
    min_items: Any,
    max_items: Any,
    separator_rule: str | None = None,
    *,
    most: int,
    **_literal: bool,
) -> str:
    """Replacement for the converter's rule. Keeps every lower bound, but upper ones only if an answer could reach
    them.
    """
    least, rest = max(0, int(min_items)), None if max_items is None else int(max_items) - max(0, int(min_items))
    if rest is not None and rest < 0:
        raise GrammarInvalid(f"at least {min_items} and at most {max_items} is nothing")
    rest = None if rest is None or rest > MOST_BOUNDED else rest
    # Without a separator items simply follow each other.
    if separator_rule is None:
        return " ".join(filter(None, (_repeat_exactly(item_rule, least), _at_most(item_rule, rest, most))))
    further = f"({separator_rule} {item_rule})"
    if least:
        return " ".join(filter(None, (item_rule, _repeat_exactly(further, least - 1), _at_most(further, rest, most))))
    if rest == 0:
        return ""
    return f"({item_rule} {_at_most(further, None if rest is None else rest - 1, most)})?"


def _at_most(item: str, count: int | None, most: int) -> str:
    """Return a rule for at most `count` items (None: any number). Beyond `most`, nested blocks of about its root are
    used.
    """
    if count is None:
        return f"{item}*"
    if count <= most:
        return f"{item}{{0,{count}}}" if count else ""
    # Blocks of about the root: rules and ways to go on are then both about the root.
    size = math.isqrt(count)
    blocks, single = divmod(count, size)
    block = f"({item}{{{size}}})"
    full = f"{block}{{{blocks}}} {item}{{0,{single}}}" if single else f"{block}{{{blocks}}}"
    return f"({block}{{0,{blocks - 1}}} {item}{{0,{size - 1}}} | {full})"


def _repeat_exactly(item: str, count: int) -> str:
    """Return a rule for exactly `count` items, with nested blocks for many."""
    if count <= BLOCK:
        return f"{item}{{{count}}}" if count > 1 else item * count
    blocks, single = divmod(count, BLOCK)
    return " ".join(filter(None, (_repeat_exactly(f"({item}{{{BLOCK}}})", blocks), _repeat_exactly(item, single))))


def _one_of(values: Iterable[str], literal: Callable[[str], str]) -> str:
    """Return a rule for one of many texts with shared prefixes merged, so that a parser follows one path only."""
    return _branch_rules(sorted(values), 0, literal)


def _branch_rules(values: list[str], at: int, literal: Callable[[str], str]) -> str:
    """Return what may follow the first `at` characters, which all of these (sorted) texts have in common."""
    # Sorted, so the shortest of those with a common beginning comes first.
    ends, values = (values[0] == values[0][:at]), [value for value in values if len(value) > at]
    branches = []
    for _, group in groupby(values, key=lambda value: value[at]):
        alike = list(group)
        upto = at + _common_length(alike[0][at:], alike[-1][at:])
        follow = "" if len(alike) == 1 else f" {_branch_rules(alike, upto, literal)}"
        branches.append(literal(alike[0][at:upto]) + follow)
    rule = f"({' | '.join(branches)})" if len(branches) > 1 or ends else branches[0]
    return f"{rule}?" if ends else rule


def _common_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _without_outer_reference(given: Any) -> Any:
    """WORKAROUND: the converter ignores definitions next to a `$ref`, where recursive models have them."""
    schema = _without_bare_schemas(given)
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target = schema
    for name in reference[2:].split("/"):
        target = target[name]
    return {name: value for name, value in schema.items() if name != "$ref"} | target


def _without_bare_schemas(schema: Any) -> Any:
    """WORKAROUND: the converter doesn't know `true` as a schema, and takes `{}` for any object; both mean any value."""
    if schema is True or schema == {}:
        return ANYTHING
    if not isinstance(schema, dict):
        return schema
    whole = dict(schema)
    for name in ("properties", "$defs", "definitions"):
        if isinstance(inner := whole.get(name), dict):
            # `false` forbids a property; left out it is not offered.
            whole[name] = {
                key: _without_bare_schemas(inner_schema)
                for key, inner_schema in inner.items()
                if inner_schema is not False
            }
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(inner := whole.get(name), list):
            whole[name] = [_without_bare_schemas(inner_item) for inner_item in inner]
    for name in ("items", "additionalProperties"):
        if name in whole and not isinstance(whole[name], bool):
            whole[name] = _without_bare_schemas(whole[name])
    # "items": true is what the converter does anyway.
    if whole.get("items") is True:
        del whole["items"]
    return whole


# What a grammar asks of llama.cpp: an element of a rule for every repetition, and a stack for every way to go on.


MOST_GRAMMAR_CHARACTERS = 500_000
MOST_NODES = 200_000
MOST_WAYS = 500
ROUNDS = 50
MANY = 10**9
_PIECE = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<literal>"(?:[^"\\]|\\.)*") |(?P<set>\[(?:[^\]\\]|\\.)*\]|\.|!?<[^<>\n]*>)
    |(?P<rule>[\w-]+)\s*::= |(?P<name>[\w-]+)
    |(?P<times>[*+?]|\{\s*\d+\s*(?:,\s*\d*\s*)?\}) |(?P<open>\() |(?P<close>\)) |(?P<or>\|)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)


@dataclass(frozen=True)
class GrammarSize:
    """`nodes` are the elements of all rules with every repetition written out, `ways` the most stacks of one step."""

    nodes: int
    ways: int


@dataclass(slots=True)
class _RepeatedElement:
    """A repeated element: a named rule, or this many characters."""

    name: str = ""
    characters: int = 0
    least: int = 1
    most: int = 1
    is_open: bool = False


@dataclass
class _GrammarRules:
    """Rules of a grammar by name; a group in brackets is a rule too."""

    found: dict[str, list[list[_RepeatedElement]]] = field(default_factory=dict)

    def read_rules(self, gbnf: str) -> None:
        """Read rules as far as possible; llama.cpp reports errors in the rest."""
        at: list[str] = []
        # Only as much of GBNF as is needed for counting.
        for kind, text in _split_gbnf(gbnf):
            if kind == "rule":
                at = [text]
                self.found[text] = [[]]
                continue
            if not at:
                continue
            alternatives = self.found[at[-1]]
            if kind == "or":
                alternatives.append([])
            elif kind == "open":
                name = f"({len(self.found)}"
                alternatives[-1].append(_RepeatedElement(name))
                self.found[name] = [[]]
                at.append(name)
            elif kind == "close":
                # A bracket too many is llama.cpp's to report.
                del at[max(1, len(at) - 1) :]
            elif kind == "times" and alternatives[-1]:
                _apply_repetition(alternatives[-1][-1], text)
            elif kind != "times":
                characters = len(_ESCAPE.sub("_", text)) - 2 if kind == "literal" else 1
                alternatives[-1].append(
                    _RepeatedElement(text if kind == "name" else "", 0 if kind == "name" else characters)
                )


@functools.lru_cache(8)
def measure_grammar(gbnf: str) -> GrammarSize:
    """Return the size of a grammar. Raises GrammarInvalid if it is too long to be measured."""
    if len(gbnf) > MOST_GRAMMAR_CHARACTERS:
        raise GrammarInvalid(f"{len(gbnf)} characters are more than {MOST_GRAMMAR_CHARACTERS}")
    rules = _GrammarRules()
    rules.read_rules(gbnf)
    elements = (
        repeated_element for rule in rules.found.values() for alternative in rule for repeated_element in alternative
    )
    # Each character of a literal is an element, each repetition a copy.
    nodes = sum(min(MANY, max(element.most, 1) * max(element.characters, 1)) for element in elements)
    return GrammarSize(nodes, _count_ways(rules.found) if nodes <= MOST_NODES else MANY)


def check_measures(gbnf: str) -> None:
    """Raise GrammarInvalid for a grammar that llama.cpp would take too long or too much memory for."""
    measures = measure_grammar(gbnf)
    if measures.nodes > MOST_NODES:
        raise GrammarInvalid(f"with every repetition it has {measures.nodes} elements, more than {MOST_NODES}")
    if measures.ways > MOST_WAYS:
        raise GrammarInvalid(f"it can go on in more than {MOST_WAYS} ways at once")


def _split_gbnf(gbnf: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(gbnf):
        found = _PIECE.match(gbnf, at)
        if found is None:
            return
        if kind := found.lastgroup:
            yield kind, found[kind]
        at = found.end()


def _apply_repetition(element: _RepeatedElement, times: str) -> None:
    least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(times, (0, None))
    if times[0] == "{":
        first, comma, last = times[1:-1].partition(",")
        least = int(first)
        most = (int(last) if last.strip() else None) if comma else least
    element.least *= least
    element.is_open = element.is_open or most is None
    element.most *= max(least, 1) if most is None else max(most, least)


# A stack of the parser is kept for each way to go on.
def _count_ways(rules: Mapping[str, list[list[_RepeatedElement]]]) -> int:
    """Return the most ways into any rule. What recurs is counted in rounds, until nothing changes."""
    ways = dict.fromkeys(rules, (0, 0))
    order = _inner_first(rules)
    for _ in range(ROUNDS):
        before = dict(ways)
        for name in order:
            counts = [_ways_into(alternative, ways) for alternative in rules[name]]
            ways[name] = min(MANY, sum(into for into, _ in counts)), min(MANY, sum(past for _, past in counts))
        if ways == before:
            break
    return max((into + past for into, past in ways.values()), default=0)


def _ways_into(alternative: list[_RepeatedElement], ways: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Return in how many ways a first character can be matched, and in how many there is none."""
    into, past = 0, 1
    for element in alternative:
        # Something before it always takes a character.
        if not past:
            break
        if element.name:
            one, none = ways.get(element.name, (1, 0))
        else:
            one, none = (1, 0) if element.characters else (0, 1)
        if none:  # each of them may be the first that is there
            count = min(MOST_WAYS + 1, element.most)
            one, none = one * count, 1 if element.least == 0 or element.is_open else none
        elif element.least == 0:
            none = 1
        into, past = min(MANY, into + past * one), min(MANY, past * none)
    return into, past


# Rules before those that use them, so that most are counted in one round.
def _inner_first(rules: Mapping[str, list[list[_RepeatedElement]]]) -> list[str]:
    seen: set[str] = set()
    order: list[str] = []
    for start in rules:
        waiting = [(start, False)]
        while waiting:
            name, is_done = waiting.pop()
            if is_done:
                order.append(name)
            elif name in rules and name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [
                    (repeated_element.name, False)
                    for alternative in rules[name]
                    for repeated_element in alternative
                    if repeated_element.name
                ]
    return order
