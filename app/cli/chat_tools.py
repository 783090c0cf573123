"""`chat --tools` in the terminal: answers with the program's own tools, a line on standard error for each call."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.cli.input_files import InputFiles, files_of
from app.core.events import CancelToken, Message
from app.core.paths import AppPaths, runs_elsewhere
from app.core.visible import clean_text
from app.engine.contract import Engine
from app.features.document_library import build_documents
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallWay
from app.features.tools.chat_answers import own_tool_rounds
from app.features.tools.own_tools import build_own_tools
from app.features.tools.round_events import RoundEvent, RoundsEnded, StepBegan, StepEnded, ToolsChosen
from app.features.tools.tool import Tool
from app.features.tools.tool_scores import ToolScores
from app.store.database import Database

DOCUMENTS_LENT = "The user’s documents are: {names}. Use the tools to read them."
LONGEST_SHOWN = 120
"""Characters of a result in a line."""


@dataclass
class LentTools:
    """Tools for a chat in the terminal, what was called, and files that could not be read.

    Giving `--tools` allows the program's own, none of which changes anything; nobody is asked.
    """

    tools: Sequence[Tool]
    way: CallWay
    names: Sequence[str] = ()
    errors: Sequence[Mapping[str, str]] = ()
    steps: list[StepEnded] = field(default_factory=list)

    @property
    def instructions(self) -> str:
        """What is said of the documents, which the model isn't shown."""
        return DOCUMENTS_LENT.format(names=", ".join(map(clean_text, self.names))) if self.names else ""

    def answer(
        self, engine: Engine, messages: Sequence[Message], options: Mapping[str, Any], cancel: CancelToken
    ) -> Iterator[RoundEvent]:
        """Answer with tools; `options` are the fields of `Ask` for any answer of this chat."""
        rounds = own_tool_rounds(engine, self.tools, options)
        for event in rounds.answer(GenerationRequest(tuple(messages), way=self.way), cancel):
            if isinstance(event, StepEnded):
                self.steps.append(event)
            if line := step_words(event):
                print(line, file=sys.stderr)
            yield event

    def to_fields(self) -> dict[str, Any]:
        """Return what `--json` says of the calls beside the answer."""
        told: dict[str, Any] = {"steps": [step.to_fields() for step in self.steps]}
        return told | ({"errors": list(self.errors)} if self.errors else {})


def step_words(event: RoundEvent) -> str:
    """Return a line about a call or its result; "" for other events."""
    match event:
        case StepBegan(call=call):
            return f"→ {clean_text(call.name)} {clean_text(call.arguments)}"
        case StepEnded(result=result):
            line = " ".join(clean_text(result.text).split())
            return f"  {line[:LONGEST_SHOWN]}…" if len(line) > LONGEST_SHOWN else f"  {line}"
        case ToolsChosen(shown=shown, left_out=left_out):
            return f"Of {len(shown) + len(left_out):,} tools {len(shown):,} fit into the model’s context."
        case RoundsEnded(rounds=rounds, fruitless=fruitless):
            return "Its calls led to nothing." if fruitless else f"Stopped calling tools after {rounds:,} rounds."
    return ""


@contextmanager
def lend_tools(
    paths: AppPaths,
    documents: Sequence[Path],
    password: str,
    cancel: CancelToken,
    *,
    folders: Sequence[Path],
    model: Path,
) -> Iterator[LentTools]:
    """Yield the own tools: over these documents, the files in these folders, and the person's chats.

    Nothing of the documents is stored; unreadable ones are reported.
    """
    with ExitStack() as stack:
        database = Database.in_memory()
        stack.callback(database.close)
        library = build_documents(paths, database)
        inputs = InputFiles(library, password, cancel)
        inputs.read_all(files_of(documents))
        # Chats go to no server: nobody named them.
        has_chats = paths.database.exists() and not runs_elsewhere(model)
        chats = Database.open(paths.database) if has_chats else None
        if chats is not None:
            stack.callback(chats.close)
        ids, files = [document.id for document in inputs.documents], list(inputs.paths)
        tools = build_own_tools(
            database,
            library,
            document_ids=lambda: ids,
            chats=chats,
            folders=lambda: [folder.expanduser().absolute() for folder in folders],
            files=lambda: files,
        )
        score = ToolScores(paths.cache).find_score(model)
        way = score.best if score is not None else CallWay.LAZY
        yield LentTools(tools, way, [document.name for document in inputs.documents], inputs.errors)
