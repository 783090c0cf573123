"""Calls are told from words whatever pieces they come in, and schemas are followed into themselves."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.engine.protocol import CallSyntax
from app.features.tool_calls import (
    JSON_LINES,
    CallArguments,
    CallBegins,
    CallWords,
    SyntaxReader,
    Told,
    ToolFunction,
    arguments_schema,
    calling_of,
    parse_arguments,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_references_of_a_schema_are_followed_and_never_without_end() -> None:
    tree = {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}, "definitions": {"type": "string"}},
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    arguments = arguments_schema(ToolFunction("f", parameters=tree))
    assert arguments["properties"]["root"] == {"type": "object", "properties": {"next": {}}}
    assert arguments["properties"]["definitions"] == {"type": "string"}
    assert arguments_schema(ToolFunction("g", parameters=True)) == {"type": "object"}
    gone = ToolFunction("f", parameters={"properties": {"a": {"$ref": "#/$defs/gone"}}})
    with pytest.raises(ValueError, match="nothing at"):
        calling_of(JSON_LINES, [gone], must_call=True, several=False)
    wide = {"$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(20)} | {"d20": {}}}
    with pytest.raises(ValueError, match="too large"):
        arguments_schema(ToolFunction("f", parameters=wide | {"properties": {"a": {"$ref": "#/$defs/d0"}}}))


TAGGED = CallSyntax(
    '<tool_call>\n{"name": "',
    '", "arguments": ',
    "}\n</tool_call>",
    '}\n</tool_call>\n<tool_call>\n{"name": "',
    begins="<tool_call>",
)
LISTED = CallSyntax("[CALLS] [", "|\0|", "]", ", ", begins="[CALLS]")
BY_ARGUMENT = CallSyntax(
    "<call>", "\n", "</call>", "</call>\n<call>", "<key>", "</key>\n<value>", "</value>\n", begins="<call>"
)
BY_NAME = CallSyntax("<call>[", "(", ")]", "), ", "", "=", begins="<call>", separator=", ")
IN_MARKS = CallSyntax(
    "<call>:", "{", "}</call>", "}</call><call>:", "", ":", begins="<call>", separator=",", quote='<|"|>'
)
LENT = [ToolFunction(name) for name in ("weather", "weather_of", "x")]
ARGUMENTS = st.dictionaries(st.sampled_from(["city", "days"]), VALUES)
WORDS = st.text(st.characters(exclude_characters="<[{"))


def as_value(syntax: CallSyntax, value: object) -> str:
    """A text in the marks of the syntax, if it has some; all else as JSON."""
    return f"{syntax.quote}{value}{syntax.quote}" if syntax.quote and isinstance(value, str) else json.dumps(value)


def written(syntax: CallSyntax, calls: list[tuple[str, dict[str, object]]]) -> str:
    """Calls as a model writes them that was taught so."""
    parts = []
    for name, values in calls:
        told = json.dumps(values)
        if syntax.key_opening:
            pairs = (
                f"{syntax.key_opening}{k}{syntax.key_closing}{json.dumps(v)}{syntax.value_closing}"
                for k, v in values.items()
            )
            told = "".join(pairs)
        if syntax.separator:
            told = syntax.separator.join(f"{k}{syntax.key_closing}{as_value(syntax, v)}" for k, v in values.items())
        parts.append(f"{name}{syntax.between.replace(chr(0), 'a1b2c3d4e')}{told}")
    return syntax.opening + syntax.joiner.join(parts) + syntax.closing


@given(
    st.sampled_from([TAGGED, LISTED, BY_ARGUMENT, BY_NAME, IN_MARKS, JSON_LINES]),
    WORDS,
    st.lists(st.tuples(st.sampled_from([tool.name for tool in LENT]), ARGUMENTS), max_size=3),
    st.data(),
)
def test_calls_in_a_models_own_way_come_out_as_they_were_written(
    syntax: CallSyntax, words: str, calls: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    if syntax.key_opening or syntax.quote:
        assume(not any("<" in json.dumps(values) for _, values in calls))
    text = words + (written(syntax, calls) if calls else "")
    reader, told, begin = SyntaxReader(syntax, LENT, must_call=False), list[Told](), 0
    for cut in [*sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=30))), len(text)]:
        told += reader.read(text[begin:cut])
        begin = max(begin, cut)
    told += reader.close()
    names = [one.name for one in told if isinstance(one, CallBegins)]
    arguments = [
        json.loads("".join(one.piece for one in told if isinstance(one, CallArguments) and one.number == number))
        for number in range(len(names))
    ]
    assert list(zip(names, arguments, strict=True)) == calls
    said = "".join(one.piece for one in told if isinstance(one, CallWords))
    assert said.rstrip() == words.rstrip()


@pytest.mark.parametrize("blanks", [" ", "\n", "\n  "])
@pytest.mark.parametrize("syntax", [TAGGED, LISTED])
def test_arguments_may_be_laid_out_in_lines(syntax: CallSyntax, blanks: str) -> None:
    calls: list[tuple[str, dict[str, object]]] = [("weather", {"city": "Ulm"}), ("x", {"days": 2})]
    laid_out = (
        written(syntax, calls).replace('{"city"', f'{{{blanks}"city"').replace('"Ulm"}', f'"Ulm"{blanks}}}{blanks}')
    )
    for size in (1, len(laid_out)):
        reader = SyntaxReader(syntax, LENT, must_call=True)
        told = [one for at in range(0, len(laid_out), size) for one in reader.read(laid_out[at : at + size])]
        pieces = [one for one in told if isinstance(one, CallArguments)]
        arguments = [json.loads("".join(one.piece for one in pieces if one.number == number)) for number in (0, 1)]
        assert arguments == [values for _, values in calls]


def test_a_call_may_begin_with_a_blank_and_break_off() -> None:
    reader = SyntaxReader(JSON_LINES, LENT, must_call=True)
    told = [*reader.read(' {"name": "x", "arguments": {"a": "b'), *reader.close()]
    assert told == [CallBegins(0, "x"), CallArguments(0, '{"a": "b')]
    assert parse_arguments('{"a": "b') == '{"a": "b'
    assert parse_arguments("[" * 100_000) == "[" * 100_000
    assert parse_arguments(" ") == {}


def test_a_value_that_is_a_text_stays_one_where_arguments_are_no_json() -> None:
    tool = ToolFunction(
        "weather", parameters={"type": "object", "properties": {"zip": {"type": "string"}, "days": {"type": "integer"}}}
    )
    reader = SyntaxReader(BY_ARGUMENT, [tool], must_call=True)
    text = "<call>weather\n<key>zip</key>\n<value>01234</value>\n<key>days</key>\n<value>2</value>\n</call>"
    told = [one for one in reader.read(text) if isinstance(one, CallArguments)]
    assert json.loads("".join(one.piece for one in told)) == {"zip": "01234", "days": 2}
