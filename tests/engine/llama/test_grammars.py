"""What a schema or a grammar may ask of llama.cpp, counted: elements and ways to go on, not seconds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.core.errors.request_errors import GrammarInvalid
from app.engine.llama import grammars
from app.engine.llama.grammar_size import MOST_NODES, MOST_WAYS, GrammarSize, check_measures, measure_grammar
from app.engine.llama.grammars import gbnf_of_schema

HUGE = 2147483647


def counted(schema: Any) -> GrammarSize:
    return measure_grammar(gbnf_of_schema(json.dumps(schema)))


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "maxLength": 10_000},
        {"type": "string", "maxLength": HUGE},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "minLength": HUGE, "maxLength": HUGE},
        {"type": "string", "pattern": "^[a-z]{1,1000000000}b{10000}$"},
        {"type": "array", "items": {"type": "string"}, "maxItems": 10_000},
        {"type": "array", "items": {"type": "string"}, "minItems": 10**9, "maxItems": HUGE},
        object_of(**{f"field{number}": {"type": "string", "maxLength": 2000} for number in range(60)}),
        object_of(**{f"field{number}": {"type": "string", "maxLength": 2000} for number in range(150)}),
    ],
)
@pytest.mark.parametrize("wrap", [lambda schema: schema, lambda schema: object_of(call=object_of(argument=schema))])
def test_bounds_of_any_size_make_a_grammar_of_ordinary_size(schema: Any, wrap: Any) -> None:
    measures = counted(wrap(schema))
    assert measures.nodes <= MOST_NODES
    assert measures.ways <= 10
    assert len(gbnf_of_schema(json.dumps(wrap(schema)))) < 60_000


@pytest.mark.parametrize(
    ("least", "most", "taken", "refused"),
    [
        (0, 3, (0, 3), (4,)),
        (2, 4, (2, 4), (1, 5)),
        (0, 2000, (0, 2000), (2001,)),
        (2500, 2600, (2500, 2600), (2499, 2601)),
        (2500, 2500, (2500,), (2499, 2501)),
        (1_234_567, None, (1_234_567,), (1_234_566,)),
        (1, 10_000, (1, 2, 99, 100, 101, 5_000, 9_999, 10_000), (0, 10_001, 10_100)),
        (0, 2_001, (0, 1, 43, 44, 45, 1_980, 2_000, 2_001), (2_002, 2_024)),
        (0, 2_209, (0, 46, 47, 2_208, 2_209), (2_210,)),  # a square: no rest
        (3, 900_000, (3, 800_000, 900_000), (2, 900_001)),
        (1, 2**31, (1, 2_000_000), (0,)),  # dropped: no context holds that
    ],
)
def test_bounds_are_kept_but_for_an_upper_one_that_no_answer_reaches(
    least: int, most: int | None, taken: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    assert len(grammars._repeat_rule("a", least, most, most=2000)) < 200
    chars = re.compile(grammars._repeat_rule("a", least, most, most=2000).replace(" ", ""))
    items = re.compile(grammars._repeat_rule("a", least, most, ",", most=2000).replace(" ", ""))
    for count in taken + refused:
        assert bool(chars.fullmatch("a" * count)) == (count in taken)
        assert bool(items.fullmatch(",".join("a" * count))) == (count in taken)


def test_one_of_thousands_of_values_is_looked_for_in_one_way() -> None:
    values = ["", "a", "ab", *(f"value number {number}" for number in range(2000))]
    thousands = [f"value {number}" for number in range(5000)]
    for schema in ({"enum": thousands}, {"anyOf": [{"const": value} for value in values]}):
        measures = counted(object_of(chosen=schema))
        assert measures.nodes < 100_000
        assert measures.ways <= 11
    rule = grammars._one_of(values, re.escape).replace(" | ", "|").replace(") ", ")").replace(" (", "(")
    found = re.compile(rule)
    assert all(found.fullmatch(value) for value in values)
    assert not any(found.fullmatch(value) for value in ("b", "abc", "value number ", "value number 2000"))


def laughs(kind: str, name: str = "d{}") -> dict[str, Any]:
    """Ten definitions, each of which refers ten times to the next."""

    def layer(number: int) -> dict[str, Any]:
        next_one = {"$ref": f"#/$defs/{name.format(number + 1)}"}
        if kind == "anyOf":
            return {"anyOf": [next_one, {"type": "array", "items": next_one}] * 5}
        return {"type": "object", "properties": {f"key{key}": next_one for key in range(10)}}

    definitions = {name.format(number): layer(number) for number in range(9)}
    return {"$ref": f"#/$defs/{name.format(0)}", "$defs": definitions | {name.format(9): {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (laughs("anyOf"), "ways at once"),
        (laughs("anyOf", "d.{}"), "more than 20000 schemas"),  # names that the converter does not find again
        (laughs("object", "d.{}"), "more than 20000 schemas"),
        ({"type": "string", "minLength": 5, "maxLength": 4}, "is nothing"),
        ({"enum": ["long " * 50_000]}, "is longer than"),
    ],
)
def test_what_would_take_too_long_is_refused_before_it_is_built(schema: Any, words: str) -> None:
    with pytest.raises(GrammarInvalid, match=words) as caught:
        check_measures(gbnf_of_schema(json.dumps(schema)))
    assert words in caught.value.detail


def test_references_that_meet_again_and_again_are_followed_once() -> None:
    assert counted(laughs("object")).nodes < 2000


@pytest.mark.parametrize(
    ("gbnf", "nodes", "ways"),
    [
        ('root ::= "abc" [a-z]* # a comment "here"', 4, 1),
        ('root ::= ("ab" | "cd" other){2,50}\nother ::= "x"?', 56, 2),
        ("root ::= a a a\na ::= [ab]? | [cd]?", 5, 22),
        ("root ::= [a]{0,100000}", 100_000, 2),
        ('root ::= "(" root ")" | [a-z]+', 4, 2),
    ],
)
def test_a_grammar_is_measured(gbnf: str, nodes: int, ways: int) -> None:
    assert measure_grammar(gbnf) == GrammarSize(nodes, ways)


@pytest.mark.parametrize(
    "gbnf", ["root ::= [a]{0,1000000000}", "root ::= " + "[a]? " * (MOST_WAYS + 1), "root ::= ([a]?){1000} [b]"]
)
def test_a_grammar_of_a_client_that_asks_too_much_is_refused(gbnf: str) -> None:
    with pytest.raises(GrammarInvalid):
        check_measures(gbnf)
