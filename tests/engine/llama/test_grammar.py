"""Grammars in the real library: kept to, refused without a crash, and out of the way of thinking."""

from __future__ import annotations

import json
import re

import pytest

from app.core.errors import GrammarInvalid
from app.engine.llama.grammar import gbnf_of_schema, open_grammar
from app.engine.llama.library import open_library
from app.engine.llama.model import Model
from app.engine.llama.sampling import Choice
from tests.helpers.writer import Writer

pytestmark = pytest.mark.model

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 99}},
    "required": ["name", "age"],
}


def test_an_answer_keeps_to_a_grammar(writer: Writer) -> None:
    assert writer.write("Is the sky blue?", gbnf='root ::= "yes" | "no"') in ("yes", "no")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_keeps_to_a_schema_however_it_is_sampled(writer: Writer, seed: int) -> None:
    choice = Choice(temperature=1.5, top_k=0, top_p=1, repeat_penalty=1.1, dry_multiplier=0.8, seed=seed)
    person = json.loads(writer.write("Describe a person as JSON.", schema=PERSON, choice=choice))
    assert set(person) == {"name", "age"}


def test_a_grammar_that_fits_changes_nothing(writer: Writer) -> None:
    free = writer.write("Say hello.", most_tokens=20)
    assert writer.write("Say hello.", gbnf="root ::= [^\\x00]*", most_tokens=20) == free


def test_what_stands_outside_is_not_checked(writer: Writer) -> None:
    seen: list[int] = []

    def is_outside(token: int) -> bool:
        seen.append(token)
        return len(seen) <= 5

    free = writer.write("Count to three.", most_tokens=5)
    text = writer.write("Count to three.", gbnf='root ::= "[" [0-9]{2} "]"', is_outside=is_outside)
    assert text.startswith(free)
    assert text.removeprefix(free)[:1] == "["
    assert text.endswith("]")


def test_a_grammar_that_no_token_fits_says_so(writer: Writer) -> None:
    with pytest.raises(GrammarInvalid):
        writer.write("Hi", gbnf="root ::= <[999999]>")


@pytest.mark.parametrize(
    "gbnf",
    [
        "nonsense",
        'root ::= root "a"',
        "root ::= a\na ::= root",
        "root ::= <no-such-token>",
    ],
)
def test_a_bad_grammar_is_refused(starter_loaded: Model, gbnf: str) -> None:
    with pytest.raises(GrammarInvalid) as refused:
        open_grammar(open_library(), starter_loaded, gbnf, "")
    assert refused.value.detail


@pytest.mark.parametrize(
    "schema",
    [
        "not JSON",
        "[]",
        '"text"',
        '{"$ref": "https://example.org/schema.json"}',
        '{"$ref": "#/nowhere"}',
        '{"type": "fancy"}',
        '{"type": "string", "pattern": "no anchors"}',
        '{"type": "string", "pattern": "^(?=a)$"}',
        "[" * 5000,
        json.dumps({"enum": ["x" * 60_000]}),
    ],
)
def test_a_bad_schema_is_refused(schema: str) -> None:
    with pytest.raises(GrammarInvalid):
        gbnf_of_schema(schema)


def test_a_schema_that_is_too_deep_is_refused(starter_loaded: Model) -> None:
    text = "{" + '"type":"array","items":{' * 1500 + "}" * 1501
    with pytest.raises(GrammarInvalid):
        open_grammar(open_library(), starter_loaded, "", text)


def test_a_schema_that_contains_itself_is_followed(writer: Writer) -> None:
    node = {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}}
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node | {"required": ["n"]}}}
    text = writer.write("A list, as JSON.", schema=schema, most_tokens=40)
    assert re.match(r'\{ ?"n" ?: ?-?\d+( ?, ?"next" ?: ?\{)?', text)


def test_a_long_limit_of_characters_is_no_obstacle(starter_loaded: Model) -> None:
    schema = {"type": "object", "properties": {"t": {"type": "string", "maxLength": 500}}, "required": ["t"]}
    grammar = open_grammar(open_library(), starter_loaded, "", json.dumps(schema))
    assert grammar is not None
    grammar.free()


def test_a_large_schema_is_ready_quickly(starter_loaded: Model) -> None:
    ids = [{"const": number} for number in range(1500)]
    schema = {"type": "array", "items": {"anyOf": ids}, "minItems": 3, "maxItems": 10}
    grammar = open_grammar(open_library(), starter_loaded, "", json.dumps(schema))
    assert grammar is not None
    grammar.free()


def test_without_either_there_is_no_grammar(starter_loaded: Model) -> None:
    assert open_grammar(open_library(), starter_loaded, "", "") is None
