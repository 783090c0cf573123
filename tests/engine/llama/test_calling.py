"""How templates have functions called is found by comparing what they write; the grammar holds the model to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.events import FunctionCall, Message, Role
from app.engine.client import EngineClient
from app.engine.llama.call_grammar import grammar_of
from app.engine.llama.calling import call_syntax
from app.engine.llama.grammars import gbnf_of_schema
from app.engine.llama.sandbox import CompiledTemplate
from app.engine.llama.template import NOTHING
from app.engine.llama.template_process import TemplateProblem
from app.engine.protocol import Calling, CallSyntax, Sampling
from app.features.tool_calls import CallArguments, CallBegins, SyntaxReader, ToolFunction, tools_told
from tests.helpers.engine import GREEDY, answer_of, load, user
from tests.helpers.tiny_models import CONTROL, make_tiny

TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}CALLS<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LISTED = "{% if tools %}{% for t in tools %}{{ t.function.name }} {% endfor %}{% endif %}"
EACH = "{% for c in m.tool_calls or [] %}{% set f = c.function %}ONE{% endfor %}"


def template(one: str, before: str = "", after: str = "") -> str:
    """Turns whose calls are written so, with something before and after all of them."""
    calls = "{% if m.tool_calls %}" + before + EACH.replace("ONE", one) + after + "{% endif %}"
    return LISTED + TURNS.replace("CALLS", calls)


IN_TAGS = template(
    '<tool_call>\n{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}\n</tool_call>'
    "{% if not loop.last %}{{ '\\n' }}{% endif %}"
)
IN_A_LIST = template(
    '{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}, "id": "{{ c.id }}"}'
    "{% if not loop.last %}, {% endif %}",
    "[TOOL_CALLS] [",
    "]",
)
ARGUMENT_BY_ARGUMENT = template(
    "<function={{ f.name }}>\n{% for k, v in f.arguments | items %}<parameter={{ k }}>\n"
    "{{ v if v is string else v | tojson }}\n</parameter>\n{% endfor %}</function>\n"
)
BY_NAME = template(
    '{{ f.name }}({% for k, v in f.arguments | items %}{{ k }}={{ "\'" ~ v ~ "\'" if v is string else v | tojson }}'
    "{% if not loop.last %}, {% endif %}{% endfor %}){% if not loop.last %}, {% endif %}",
    "<call>[",
    "]</call>",
)
IN_MARKS = template(
    "<call>call:{{ f.name }}{{ '{' }}{% for k, v in f.arguments | items %}{{ k }}:"
    "{{ '<quote>' ~ v ~ '<quote>' if v is string else v | tojson }}"
    "{% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}</call>"
)
ONE_ONLY = LISTED + TURNS.replace(
    "CALLS",
    "{% if m.tool_calls %}{% if m.tool_calls | length > 1 %}{{ raise_exception('one') }}{% endif %}"
    '{"name": "{{ m.tool_calls[0].function.name }}", "parameters": {{ m.tool_calls[0].function.arguments | tojson }}}'
    "{% endif %}",
)
IN_A_HEADER = (
    "{% if tools %}<|start|>developer<|message|>{% for t in tools %}{{ t.function.name }} {% endfor %}<|end|>"
    "{% endif %}"
    "{% for m in messages %}{% if m.tool_calls %}{% set f = m.tool_calls[0].function %}"
    "<|start|>assistant to=functions.{{ f.name }}<|channel|>commentary json<|message|>"
    "{{ f.arguments | tojson }}<|im_end|>"
    "{% elif m.role == 'tool' %}<|start|>functions to=assistant<|channel|>commentary<|message|>{{ m.content }}<|end|>"
    "{% elif m.role == 'assistant' %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}"
    "{{ '<|return|>' if loop.last else '<|end|>' }}"
    "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
"""As gpt-oss has it: a function is spoken to, and there is one call in an answer."""


def found(source: str) -> CallSyntax | None:
    compiled = CompiledTemplate(source)

    def render(variables: Mapping[str, Any]) -> str:
        return compiled.render({**NOTHING, "bos_token": "", "eos_token": "", **variables})

    return call_syntax(render, lambda text: text == "<|im_end|>")


@pytest.mark.parametrize(
    ("source", "syntax"),
    [
        (
            IN_TAGS,
            CallSyntax(
                '<tool_call>\n{"name": "',
                '", "arguments": ',
                "}\n</tool_call>",
                '}\n</tool_call>\n<tool_call>\n{"name": "',
                begins="<tool_call>",
            ),
        ),
        (
            IN_A_LIST,
            CallSyntax(
                '[TOOL_CALLS] [{"name": "',
                '", "arguments": ',
                ', "id": "\0"}]',
                ', "id": "\0"}, {"name": "',
                begins="[TOOL_CALLS]",
            ),
        ),
        (
            ARGUMENT_BY_ARGUMENT,
            CallSyntax(
                "<function=",
                ">\n",
                "</function>",
                "</function>\n<function=",
                "<parameter=",
                ">\n",
                "\n</parameter>\n",
                "<function=",
            ),
        ),
        (
            BY_NAME,
            CallSyntax("<call>[", "(", ")]</call>", "), ", key_closing="=", begins="<call>", separator=", "),
        ),
        (
            IN_MARKS,
            CallSyntax(
                "<call>call:",
                "{",
                "}</call>",
                "}</call><call>call:",
                key_closing=":",
                begins="<call>",
                separator=",",
                quote="<quote>",
            ),
        ),
        (ONE_ONLY, CallSyntax('{"name": "', '", "parameters": ', "}", begins='{"name": "')),
        (
            IN_A_HEADER,
            CallSyntax("to=functions.", "<|channel|>commentary json<|message|>", "", begins="to=functions."),
        ),
        (TURNS.replace("CALLS", ""), None),
        ("{{ raise_exception('no') }}", None),
        (template("{{ f.arguments.values() | list }}"), None),
    ],
)
def test_the_way_of_calling_is_found(source: str, syntax: CallSyntax | None) -> None:
    assert found(source) == syntax


CITY = json.dumps(
    {
        "type": "object",
        "properties": {"rainy": {"type": "boolean"}, "days": {"enum": [1, 2]}},
        "required": ["rainy", "days"],
    }
)


def test_a_model_is_held_to_its_own_way_and_to_the_schema(tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=IN_TAGS.replace("<tool_call>", CONTROL[0])))
        syntax = engine.call_syntax()
        assert syntax is not None
        assert syntax.marks == (CONTROL[0],), "what is written with a control token has to be seen"
        calling = Calling(
            syntax,
            (("weather", CITY), ("nothing", '{"type": "object", "properties": {}}')),
            must_call=True,
            several=False,
        )
        text, _ = answer_of(engine.generate([user("Rain?")], sampling=GREEDY, calling=calling, max_tokens=600))
        assert text.startswith(syntax.opening)
        body = json.loads(text.removeprefix(CONTROL[0]).removesuffix("</tool_call>"))
        assert body["name"] in ("weather", "nothing")
        if body["name"] == "weather":
            assert set(body["arguments"]) == {"rainy", "days"}
        call = FunctionCall("call_1", "weather", '{"rainy": true}')
        history = [
            user("Rain?"),
            Message(Role.ASSISTANT, "", calls=(call,)),
            Message(Role.USER, f"yes {CONTROL[2]}", result_of=call),
        ]
        tools = {"tools": [{"type": "function", "function": {"name": f"weather{CONTROL[2]}", "parameters": {}}}]}
        seen = engine.inspect("tokens", messages=history, template_variables=tools)
        ends = [token for token in seen.tokens if token.is_control and token.data == CONTROL[2].encode()]
        assert len(ends) == len(history), "nobody but the template ends a turn"
        assert b"tool" in b"".join(token.data for token in seen.tokens).split(b"<|im_start|>")[3]
    finally:
        engine.close()


def test_beside_functions_an_answer_is_a_call_or_follows_the_schema(tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    answer = {"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}
    kinds = set()
    try:
        load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=IN_TAGS))
        syntax = engine.call_syntax()
        assert syntax is not None
        calling = Calling(syntax, (("weather", CITY),), several=False)
        for seed in range(30):
            events = engine.generate(
                [user("Rain?")],
                sampling=Sampling(temperature=2.0, top_k=0, seed=seed),
                calling=calling,
                json_schema=json.dumps(answer),
                max_tokens=200,
            )
            text, _ = answer_of(events)
            body = json.loads(text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
            kinds.add("sure" if set(body) == {"sure"} else body["name"])
            assert set(body.get("arguments", {"rainy": 0, "days": 0})) == {"rainy", "days"}
    finally:
        engine.close()
    assert kinds == {"sure", "weather"}


def test_a_model_that_speaks_to_a_function_is_held_to_its_schema(tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    tools = [ToolFunction("weather", parameters=json.loads(CITY))]
    try:
        load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=IN_A_HEADER))
        syntax = engine.call_syntax()
        assert syntax is not None
        calling = Calling(syntax, (("weather", CITY),), must_call=True, several=False)
        told = tools_told(tools)
        for question in ("Rain?", "Sun?"):
            options = {"calling": calling, "template_variables": {"tools": told}, "max_tokens": 200}
            text, _ = answer_of(engine.generate([user(question)], sampling=GREEDY, **options))
            reader = SyntaxReader(syntax, tools, must_call=True)
            calls = [*reader.read(text), *reader.close()]
            assert calls[0] == CallBegins(0, "weather"), text
            arguments = json.loads("".join(one.piece for one in calls[1:] if isinstance(one, CallArguments)))
            assert set(arguments) == {"rainy", "days"}
        seen = engine.inspect("tokens", messages=[user("Rain?")], template_variables={"tools": told})
        assert b"weather" in b"".join(token.data for token in seen.tokens), "its own template tells it of the function"
    finally:
        engine.close()


def test_a_model_is_held_to_arguments_in_brackets(tmp_path: Path) -> None:
    town = {"type": "string", "enum": ["Ulm", "Bonn"]}
    properties = {"near": {"type": "boolean"}, "town": town, "days": {"type": "integer", "enum": [1, 2]}}
    schema = json.dumps({"type": "object", "properties": properties, "required": ["town", "days"]})
    tools = [ToolFunction("weather", parameters=json.loads(schema))]
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        for source in (BY_NAME, IN_MARKS):
            marked = source.replace("<call>", CONTROL[0]).replace("<quote>", CONTROL[1])
            load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=marked))
            syntax = engine.call_syntax()
            assert syntax is not None
            assert (CONTROL[1] in syntax.marks) == (source is IN_MARKS)
            calling = Calling(syntax, (("weather", schema),), must_call=True, several=False)
            text, _ = answer_of(engine.generate([user("Rain?")], sampling=GREEDY, calling=calling, max_tokens=200))
            assert text.startswith(f"{syntax.opening}weather{syntax.between}"), text
            reader = SyntaxReader(syntax, tools, must_call=True)
            told = [one.piece for one in reader.read(text) if isinstance(one, CallArguments)]
            arguments = json.loads("".join(told))
            assert arguments.pop("town") in town["enum"]
            assert arguments.pop("days") in (1, 2)
            assert arguments.pop("near", True) in (True, False)
            assert not arguments
    finally:
        engine.close()


@pytest.mark.parametrize("source", [IN_MARKS, ARGUMENT_BY_ARGUMENT])
def test_a_text_is_no_longer_than_its_schema_allows(tmp_path: Path, source: str) -> None:
    word = json.dumps(
        {"type": "object", "properties": {"word": {"type": "string", "maxLength": 5}}, "required": ["word"]}
    )
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    try:
        marked = source.replace("<call>", CONTROL[0]).replace("<quote>", CONTROL[1])
        load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=marked))
        syntax = engine.call_syntax()
        assert syntax is not None
        calling = Calling(syntax, (("say", word),), must_call=True, several=False)
        for seed in range(5):
            sampling = Sampling(temperature=2.0, top_k=0, seed=seed)
            text, _ = answer_of(engine.generate([user("So?")], sampling=sampling, calling=calling, max_tokens=200))
            reader = SyntaxReader(syntax, [ToolFunction("say", parameters=json.loads(word))], must_call=True)
            said = json.loads("".join(told.piece for told in reader.read(text) if isinstance(told, CallArguments)))
            assert len(said["word"].replace("<", "")) <= 5, text
    finally:
        engine.close()


def test_what_must_be_a_call_may_say_that_none_fits(tmp_path: Path) -> None:
    engine, kinds, escape = EngineClient(own_command("--engine-worker"), tmp_path / "engine"), set(), "No tool fits."
    try:
        load(engine, make_tiny("llama", tmp_path / "calls.gguf", template=IN_TAGS))
        syntax = engine.call_syntax()
        assert syntax is not None
        calling = Calling(syntax, (("weather", CITY),), must_call=True, several=False, escape=escape)
        for seed in range(30):
            sampling = Sampling(temperature=2.0, top_k=0, seed=seed)
            text, _ = answer_of(engine.generate([user("Rain?")], sampling=sampling, calling=calling, max_tokens=200))
            if text == escape:
                kinds.add("escape")
                continue
            kinds.add("tagged" if text.startswith("<tool_call>") else "bare")
            call = text.removeprefix("<tool_call>").removesuffix("</tool_call>")
            body = json.loads(call.removeprefix("```json").removesuffix("```"))
            assert (body["name"], set(body["arguments"])) == ("weather", {"rainy", "days"})
    finally:
        engine.close()
    assert kinds == {"escape", "tagged", "bare"}


def test_arguments_come_in_the_order_of_the_schema() -> None:
    syntax = found(IN_TAGS)
    assert syntax is not None
    schema = {"type": "object", "properties": {"why": {"type": "string"}, "city": {"type": "string"}}}
    grammar = grammar_of(
        Calling(syntax, (("weather", json.dumps(schema | {"required": ["city", "why"]})),)), gbnf_of_schema
    )
    (rule,) = [line for line in grammar.splitlines() if "why-kv" in line and "city-kv" in line]
    assert rule.index("why-kv") < rule.index("city-kv")


def test_a_grammar_has_a_rule_for_each_function_and_refuses_none_of_their_schemas() -> None:
    syntax = found(ARGUMENT_BY_ARGUMENT)
    assert syntax is not None
    text = {"type": "object", "properties": {"q": {"type": "string"}, "n": {"type": "integer"}}, "required": ["q"]}
    grammar = grammar_of(Calling(syntax, (("search", json.dumps(text)), ("weather", CITY))), gbnf_of_schema)
    assert "call ::= call0 | call1" in grammar
    assert 'call0 ::= "search" ">\\n"' in grammar
    assert "rawtext" in grammar
    in_marks = found(IN_MARKS)
    assert in_marks is not None
    grammar = grammar_of(Calling(in_marks, (("search", json.dumps(text)),)), gbnf_of_schema)
    search = next(line for line in grammar.splitlines() if line.startswith("call0"))
    assert search == 'call0 ::= "search" "{" ("q:" "<quote>" rawtext "<quote>" ("," "n:" schema0)?)'


def test_a_template_that_wants_too_much_is_not_tried_again_and_again() -> None:
    def render(_variables: Mapping[str, Any]) -> str:
        raise TemplateProblem("no tools here")

    assert call_syntax(render) is None
