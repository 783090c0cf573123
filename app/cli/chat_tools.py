"""`chat --tools` in the terminal: answers with tools, the program's own, those of servers and of the web.

A line on standard error tells of each call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.input_files import InputFiles, files_of
from app.cli.tool_permission import TerminalPermission
from app.core.catalogue import tr, tr_count
from app.core.errors.tool_errors import ToolServerFailed
from app.core.events import CancelToken, Message
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.paths import AppPaths, runs_elsewhere
from app.core.settings import Settings
from app.core.visible import clean_text
from app.engine.contract import Engine
from app.features.document_library import build_documents
from app.features.error_messages import sentence_for
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallWay
from app.features.tools.chat_answers import build_rounds
from app.features.tools.own_tools import build_own_tools
from app.features.tools.permissions import OWN_SERVER, ToolGrants, ToolPermissions
from app.features.tools.round_events import RoundEvent, RoundsEnded, StepBegan, StepEnded, ToolsChosen
from app.features.tools.rounds import MOST_ROUNDS
from app.features.tools.stored_grants import StoredGrants
from app.features.tools.tool import Tool
from app.features.tools.tool_offer import ServerTools
from app.features.tools.tool_scores import ToolScores
from app.store.database import Database

if TYPE_CHECKING:
    from app.hub.web_fetcher import WebFetcher

DOCUMENTS_LENT = "The user’s documents are: {names}. Use the tools to read them."
CONNECTING = "Connecting to {names}…"
NO_SUCH_TOOL = "--allow: there’s no tool named {names}. Tools that ask: {tools}."
STOPPED_CALLING = "Stopped calling tools after {count} rounds."
LONGEST_SHOWN = 120
"""Characters of a result in a line."""


@dataclass
class LentTools:
    """Tools for a chat in the terminal, what was called, and what could not be read or reached.

    Giving `--tools` allows the program's own, none of which changes anything; `permissions` ask about others.
    """

    tools: Sequence[Tool]
    way: CallWay
    permissions: ToolPermissions
    most_rounds: int = MOST_ROUNDS
    names: Sequence[str] = ()
    errors: Sequence[Mapping[str, str]] = ()
    steps: list[StepEnded] = field(default_factory=list)

    @property
    def instructions(self) -> str:
        """What is said of the documents, which the model isn't shown."""
        return DOCUMENTS_LENT.format(names=join_entries(map(clean_text, self.names))) if self.names else ""

    def answer(
        self, engine: Engine, messages: Sequence[Message], options: Mapping[str, Any], cancel: CancelToken
    ) -> Iterator[RoundEvent]:
        """Answer with tools; `options` are the fields of `Ask` for any answer of this chat."""
        rounds = build_rounds(engine, self.tools, options, self.permissions, self.most_rounds)
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
            return tr_count(
                "Of {count} tool {shown:,} fits into the model’s context.",
                "Of {count} tools {shown:,} fit into the model’s context.",
                len(shown) + len(left_out),
                shown=len(shown),
            )
        case RoundsEnded(rounds=rounds, fruitless=fruitless):
            if fruitless:
                return tr("Its calls led to nothing.")
            return tr_count("Stopped calling tools after {count} round.", STOPPED_CALLING, rounds)
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
    settings: Settings,
    allowed: Sequence[str] = (),
) -> Iterator[LentTools]:
    """Yield the tools: the own ones over these documents, the files in these folders and the person's chats, and those
    of the servers and of the web that are on in the settings.

    Nothing of the documents is stored; what can't be read or reached is reported. `allowed` are asked about no more.
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
            web=_build_web(paths, settings),
        )
        found = _connect_servers(paths, settings, [tool.name for tool in tools], stack, cancel)
        errors = [*inputs.errors, *map(_report_server, found.problems)]
        grants = _stored_grants(settings)
        # A model would only call in vain what was refused for good.
        tools += (tool for tool in found.tools if grants.allow_call(tool) is not False)
        permissions = ToolPermissions(grants, TerminalPermission(frozenset(allowed)))
        score = ToolScores(paths.cache).find_score(model)
        way = score.best if score is not None else CallWay.LAZY
        names = [document.name for document in inputs.documents]
        yield LentTools(tools, way, permissions, settings.tools.rounds, names, errors)


def unknown_tools(tools: Sequence[Tool], allowed: Sequence[str]) -> str:
    """Return a sentence about names that --allow was given and no tool has; "" if there are none."""
    known = {name for tool in tools for name in (tool.name, tool.own_name)}
    # A name with a dot is a host, which any page may be on.
    unknown = [name for name in allowed if name not in known and "." not in name]
    asking = join_entries(clean_text(tool.name) for tool in tools if tool.server) or tr("none")
    return tr(NO_SUCH_TOOL, names=join_entries(unknown), tools=asking) if unknown else ""


def _build_web(paths: AppPaths, settings: Settings) -> WebFetcher | None:
    if not settings.tools.web:
        return None
    from app.hub.connection_ledger import ConnectionLedger  # as most people have it switched off
    from app.hub.web_fetcher import WebFetcher

    return WebFetcher(lambda: settings, ConnectionLedger(paths.connections))


def _connect_servers(
    paths: AppPaths, settings: Settings, taken: Sequence[str], stack: ExitStack, cancel: CancelToken
) -> ServerTools:
    """Return the tools of the servers that are on; they end with the stack."""
    if not settings.tools.servers:
        return ServerTools()
    from app.features.mcp.tool_servers import build_tool_servers  # most people have none
    from app.hub.connection_ledger import ConnectionLedger

    # The terminal changes no settings: a window that is open has them, too.
    servers = build_tool_servers(
        paths.data, lambda: settings, lambda *_, **__: None, ConnectionLedger(paths.connections)
    )
    stack.callback(servers.close)
    if names := servers.unknown_names:
        print(tr(CONNECTING, names=join_entries(map(clean_text, names))), file=sys.stderr)
    found = servers.offer_tools(taken, lambda: cancel.cancelled)
    for problem in found.problems:
        print(sentence_for(problem), file=sys.stderr)
    return found


def _report_server(problem: ToolServerFailed) -> Mapping[str, str]:
    return {"server": problem.server, "reason": sentence_for(problem).english}


def _stored_grants(settings: Settings) -> ToolGrants:
    stored = StoredGrants(lambda: settings, lambda *_, **__: None).as_grants()
    # Giving --tools is the permission for the program's own.
    return replace(stored, servers=stored.servers | {OWN_SERVER})
