"""What a person allowed tools to do, and asking about the rest; results of tools change nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from app.core.events import FunctionCall
from app.core.lazy_dataclasses import dataclass, replace
from app.features.chat.tool_questions import ToolCall
from app.features.tools.tool import IsStopped, Tool

OWN_SERVER = ""
"""Whose tools the program's own are; granted by switching them on."""
WEB_SERVER = "\tweb"
"""Whose tools hosts are among grants: each is one under its name. No tool server can be called so."""
ToolKey = tuple[str, str]
"""Server and its own name of a tool: two servers may have tools of one name."""
AllowedTool = tuple[str, str, str]
"""Its key and its fingerprint: a server may put another tool in the place of the one that was allowed."""


class PermissionAnswer(StrEnum):
    """What a person answers when a tool asks; the values are stored."""

    ONCE = "once"
    CHAT = "chat"
    """This tool, as long as the chat is open."""
    TOOL = "tool"
    """This tool, always."""
    SERVER = "server"
    """All tools of its server that change nothing, always."""
    NEVER = "never"
    """This tool, not now and not later."""


AskPerson = Callable[[Tool, FunctionCall, IsStopped], PermissionAnswer | None]
"""Asks before a call is carried out and waits; None where the card was closed, or Stop was pressed."""


@dataclass(frozen=True)
class ToolGrants:
    """What is allowed without asking. `chat` holds for one chat; the others are to be stored."""

    tools: frozenset[AllowedTool] = frozenset()
    servers: frozenset[str] = frozenset()
    refused: frozenset[ToolKey] = frozenset()
    chat: frozenset[AllowedTool] = frozenset()

    def allow_call(self, tool: Tool) -> bool | None:
        """Return whether a tool may be called; None if the person has to be asked."""
        if _key_of(tool) in self.refused:
            return False
        if _allowed(tool) in self.tools | self.chat:
            return True
        # What writes, sends or runs something is never granted together with others.
        return True if tool.server in self.servers and not tool.changes else None

    def with_answer(self, tool: Tool, answer: PermissionAnswer) -> ToolGrants:
        """Return the grants as they are after a person's answer."""
        key, allowed = frozenset({_key_of(tool)}), frozenset({_allowed(tool)})
        others, in_chat = (
            frozenset(held for held in grant if held[:2] not in key) for grant in (self.tools, self.chat)
        )
        match answer:
            case PermissionAnswer.CHAT:
                return replace(self, chat=self.chat | allowed)
            case PermissionAnswer.TOOL:
                return replace(self, tools=others | allowed, refused=self.refused - key)
            case PermissionAnswer.SERVER:
                return replace(self, servers=self.servers | {tool.server})
            case PermissionAnswer.NEVER:
                return replace(self, refused=self.refused | key, tools=others, chat=in_chat)
        return self


class GrantBook(Protocol):
    """Where grants are kept: it is asked at each call, and writes down the answers of a person."""

    @property
    def grants(self) -> ToolGrants:
        """What is allowed now, which may be less than a moment ago."""

    def keep_answer(self, tool: Tool, answer: PermissionAnswer) -> None:
        """Hold to an answer about a tool from now on."""


@dataclass
class HeldGrants:
    """Grants of one run of rounds, which are kept nowhere else."""

    grants: ToolGrants

    def keep_answer(self, tool: Tool, answer: PermissionAnswer) -> None:
        self.grants = self.grants.with_answer(tool, answer)


class ToolPermissions:
    """The grants of one chat; they change by a person's answers and by nothing else."""

    def __init__(self, grants: ToolGrants | GrantBook, ask_person: AskPerson) -> None:
        self._book = HeldGrants(grants) if isinstance(grants, ToolGrants) else grants
        self._ask_person = ask_person

    @property
    def grants(self) -> ToolGrants:
        return self._book.grants

    def must_ask(self, tool: Tool) -> bool:
        """Return whether the person will be asked about a call."""
        return self.grants.allow_call(tool) is None

    def allow_call(self, tool: Tool, call: FunctionCall, is_stopped: IsStopped) -> bool:
        """Return whether a call may be carried out now; asks the person where nothing says so."""
        if (known := self.grants.allow_call(tool)) is not None:
            return known
        if (answer := self._ask_person(tool, call, is_stopped)) is None or is_stopped():
            return False
        self._book.keep_answer(tool, answer)
        return answer is not PermissionAnswer.NEVER


def offer_answers(tool: Tool, *, is_temporary: bool) -> tuple[PermissionAnswer, ...]:
    """Return what a person may answer about a tool; a temporary chat leaves nothing behind, so no answer for good."""
    in_chat = (PermissionAnswer.ONCE, PermissionAnswer.CHAT)
    if is_temporary:
        return in_chat
    of_server = () if tool.changes else (PermissionAnswer.SERVER,)
    return (*in_chat, PermissionAnswer.TOOL, *of_server, PermissionAnswer.NEVER)


def describe_call(tool: Tool, call: FunctionCall, *, is_temporary: bool = False) -> ToolCall:
    """Return what the person is asked about: a tool's call, or the address of a page."""
    address = tool.function.description if tool.server == WEB_SERVER else ""
    return ToolCall(tool.own_name, tool.server, call.arguments, tool.changes, tool.reach, is_temporary, address)


def _key_of(tool: Tool) -> ToolKey:
    return tool.server, tool.own_name


def _allowed(tool: Tool) -> AllowedTool:
    return *_key_of(tool), tool.fingerprint
