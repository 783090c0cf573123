"""JSON schemas as GBNF, and what a grammar asks of llama.cpp: counted before it is built, which nothing can stop."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from app.core.errors.request_errors import GrammarInvalid
from app.engine.llama.grammar_size import MOST_GRAMMAR_CHARACTERS, MOST_NODES, measure_grammar

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
