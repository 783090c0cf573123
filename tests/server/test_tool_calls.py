"""Calls are told from words whatever pieces they come in, and schemas are followed into themselves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.tool_calls import CallArguments, CallBegins, CallReader, Told, Tool, Words, schema_for


def read(text: str, cuts: list[int]) -> list[Told]:
    reader, told, begin = CallReader(), list[Told](), 0
    for cut in [*sorted(cuts), len(text)]:
        told += reader.read(text[begin:cut])
        begin = max(begin, cut)
    return told + list(reader.close())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CALLS = st.lists(st.tuples(st.text(min_size=1), st.dictionaries(st.text(), VALUES)), min_size=1, max_size=4)


@given(CALLS, st.data())
def test_calls_come_out_as_they_were_written(calls: list[tuple[str, dict[str, object]]], data: st.DataObject) -> None:
    text = "\n".join(json.dumps({"name": name, "arguments": values}) for name, values in calls)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=30))
    told = read(text, cuts)
    names = [one.name for one in told if isinstance(one, CallBegins)]
    arguments = [
        json.loads("".join(one.piece for one in told if isinstance(one, CallArguments) and one.number == number))
        for number in range(len(names))
    ]
    assert list(zip(names, arguments, strict=True)) == calls
    assert not any(isinstance(one, Words) for one in told)


@given(st.text(min_size=1).filter(lambda text: text.lstrip()[:1] != "{"), st.data())
def test_words_stay_words(text: str, data: st.DataObject) -> None:
    told = read(text, data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    assert "".join(one.piece for one in told if isinstance(one, Words)) == text
    assert all(isinstance(one, Words) for one in told)


def test_a_call_that_breaks_off_has_what_came() -> None:
    told = read('{"name": "f", "arguments": {"a": "b', [])
    assert told == [CallBegins(0, "f"), CallArguments(0, '{"a": "b')]
    assert read('{"name": "f"', []) == [Words('{"name": "f"')]


def test_references_of_a_schema_are_followed_and_never_without_end() -> None:
    tree = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}, "definitions": {"type": "string"}},
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    schema = json.loads(schema_for([Tool("f", parameters=tree), Tool("g", parameters=True)]))
    arguments = schema["anyOf"][0]["properties"]["arguments"]
    assert arguments["properties"]["root"] == {"type": "object", "properties": {"next": {}}}
    assert arguments["properties"]["definitions"] == {"type": "string"}
    assert schema["anyOf"][1]["properties"]["arguments"] == {"type": "object"}
    with pytest.raises(ValueError, match="nothing at"):
        schema_for([Tool("f", parameters={"properties": {"a": {"$ref": "#/$defs/gone"}}})])
    wide = {"$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(20)} | {"d20": {}}}
    with pytest.raises(ValueError, match="too large"):
        schema_for([Tool("f", parameters=wide | {"properties": {"a": {"$ref": "#/$defs/d0"}}})])
