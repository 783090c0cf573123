"""The own tools: few, told in few words, and nothing that a model writes makes them fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.engine.client import EngineClient
from app.features.document_library import build_documents
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import JSON_LINES, calling_of, tools_told
from app.features.tools.own_tools import build_own_tools, build_reckoning_tools
from app.features.tools.permissions import ToolPermissions
from app.features.tools.rounds import ToolRounds
from app.features.tools.tool import Tool, ToolRefused
from app.features.untagged_calls import fits_schema
from app.store.database import Database
from tests.features.tools.lent_tools import OWN_TOOLS, AskedPerson, steps_of, text_of, written_call
from tests.helpers.engine import user

NAMES = [
    "calculate",
    "date_and_time",
    "search_documents",
    "read_pages",
    "list_in_document",
    "count_in_document",
    "read_file",
    "search_chats",
]
MOST_LETTERS = 2_900
"""Of all that the model is told of them: every one of them is read with every question."""
TELLING = ["kiln.txt", "kiln", "notes.txt", "..", "/", "2024-05-03", "1/0", "km in", "UTC", "\0", ""]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Tool]]:
    """All of them, over one short document and a granted folder with one file."""
    folder = tmp_path_factory.mktemp("granted")
    (folder / "notes.txt").write_text("The kiln is hot.", "utf-8")
    with closing(Database.in_memory()) as database:
        library = build_documents(AppPaths.from_environment(), database)
        notes = library.keep_text("The kiln is hot.\n\nIt was bought on 3 May 2024.", "kiln.txt")
        yield build_own_tools(
            database, library, document_ids=lambda: [notes.id], chats=database, folders=lambda: [folder]
        )


def test_they_are_few_and_told_in_few_words(tools: list[Tool]) -> None:
    functions = [tool.function for tool in tools]
    assert [function.name for function in functions] == NAMES
    assert not any(tool.changes for tool in tools), "none of them writes, sends or runs anything"
    assert len(json.dumps(tools_told(functions))) < MOST_LETTERS
    assert len(calling_of(JSON_LINES, functions, must_call=True, several=False).functions) == len(NAMES)


def values_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that match a parameter's schema."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "integer":
        return st.integers(schema.get("minimum", -(10**12)), 10**12)
    telling = st.sampled_from(
        ["kiln.txt", "kiln", "notes.txt", "..", "/", "2024-05-03", "1/0", "km in", "UTC", "\0", ""]
    )
    return telling | st.text(max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_arguments_make_them_fail(tools: list[Tool], data: st.DataObject) -> None:
    for tool in tools:
        parameters: Any = tool.function.parameters
        needed = {name: values_of(parameters["properties"][name]) for name in parameters.get("required", ())}
        others = {name: values_of(schema) for name, schema in parameters["properties"].items() if name not in needed}
        arguments = data.draw(st.fixed_dictionaries(needed, optional=others), label=tool.name)
        assert fits_schema(arguments, tool.function)
        try:
            result = tool.run(arguments, lambda: False)
            assert result.text
            assert all(0 <= place.answer_start <= place.answer_end <= len(result.text) for place in result.places)
        except (ToolRefused, AppError) as refusal:
            assert isinstance(refusal, AppError) or str(refusal).endswith((".", "?"))


def test_a_question_is_answered_with_them(scripted: Callable[..., EngineClient], tools: list[Tool]) -> None:
    engine = scripted(
        {"when": "5.5", "text": written_call("search_documents", query="hot"), "times": 1},
        {"when": "kiln is hot", "text": "So it is."},
        {"text": written_call("calculate", formula="2 + 3.5")},
    )
    rounds = ToolRounds(engine, tools, ToolPermissions(OWN_TOOLS, AskedPerson()))
    events = list(rounds.answer(GenerationRequest((user("Is it hot?"),)), CancelToken()))
    assert text_of(events) == "So it is."
    calculated, searched = steps_of(events)
    assert calculated.result.text == "2 + 3.5 = 5.5"
    assert searched.result.places, "a chip can be made of it"


def test_reckoning_needs_nothing_of_the_persons() -> None:
    assert [tool.name for tool in build_reckoning_tools()] == NAMES[:2]
