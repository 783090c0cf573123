"""What a person allowed or forbade the tools of servers: for good in the settings, or while a chat is open."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.settings import Settings
from app.features.tools.permissions import OWN_SERVER, AllowedTool, PermissionAnswer, ToolGrants
from app.features.tools.tool import Tool
from app.store.conversations import Conversations

log = logging.getLogger(__name__)

_STORED = {PermissionAnswer.TOOL, PermissionAnswer.SERVER, PermissionAnswer.NEVER}


@dataclass(frozen=True)
class StoredGrant:
    """An answer that holds across restarts: TOOL, NEVER, or SERVER with `tool` "": all its tools that only read.

    TOOL holds for the tool with that `fingerprint` alone.
    """

    server: str
    tool: str
    answer: PermissionAnswer
    fingerprint: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """What it is about: there is one answer about each."""
        return self.server, self.tool


class StoredGrants:
    """The grants in the order they were given. From any thread."""

    def __init__(self, settings: Callable[[], Settings], change_settings: Callable[..., Any]) -> None:
        self._settings, self._change_settings = settings, change_settings
        self._lock = threading.Lock()

    def list_grants(self) -> tuple[StoredGrant, ...]:
        """Return what holds now; what no version has written is left out."""
        return tuple(_read_grants(self._settings().tools.grants))

    def as_grants(self) -> ToolGrants:
        """Return the grants in the form that calls are held against."""
        grants = self.list_grants()
        named = {answer: [grant for grant in grants if grant.answer is answer] for answer in _STORED}
        return ToolGrants(
            tools=frozenset((*grant.key, grant.fingerprint) for grant in named[PermissionAnswer.TOOL]),
            servers=frozenset(grant.server for grant in named[PermissionAnswer.SERVER]),
            refused=frozenset(grant.key for grant in named[PermissionAnswer.NEVER]),
        )

    def keep_answer(self, tool: Tool, answer: PermissionAnswer) -> None:
        """Store a person's answer if it holds for good, in the place of the one before. Raises what storing raises."""
        if answer in _STORED:
            name = "" if answer is PermissionAnswer.SERVER else tool.own_name
            grant = StoredGrant(tool.server, name, answer, tool.fingerprint)
            with self._lock:
                others = (
                    known for known in self.list_grants() if (known.server, known.tool) != (grant.server, grant.tool)
                )
                self._store((*others, grant))

    def take_back(self, grant: StoredGrant) -> None:
        """Forget an answer: the person is asked again. Raises what storing raises."""
        with self._lock:
            self._store(tuple(known for known in self.list_grants() if known != grant))

    def forget_server(self, server: str) -> None:
        """Forget all answers about a server's tools. Raises what storing raises."""
        with self._lock:
            grants = self.list_grants()
            others = tuple(grant for grant in grants if grant.server != server)
            if others != grants:
                self._store(others)

    def _store(self, grants: tuple[StoredGrant, ...]) -> None:
        self._change_settings("tools", grants=tuple(json.dumps(vars(grant), ensure_ascii=False) for grant in grants))


class ChatGrants:
    """The grants that hold in chats: those for good, and those of a chat, which end with the program."""

    def __init__(self, stored: StoredGrants) -> None:
        self._stored = stored
        # Temporary chats have ids of their own, in a store of their own.
        self._of_chats: WeakKeyDictionary[Conversations, dict[int, frozenset[AllowedTool]]] = WeakKeyDictionary()

    def of_chat(self, conversations: Conversations, conversation_id: int, *, is_temporary: bool) -> ChatBook:
        """Return the grants of one chat, the stored ones among them."""
        return ChatBook(self._stored, self._of_chats.setdefault(conversations, {}), conversation_id, is_temporary)


@dataclass(frozen=True)
class ChatBook:
    """Grants of one chat, as they are at each call: what is taken back meanwhile holds no more."""

    stored: StoredGrants
    of_chats: dict[int, frozenset[AllowedTool]]
    conversation_id: int
    is_temporary: bool

    @property
    def grants(self) -> ToolGrants:
        # Switching the tools on is the permission for the program's own, which change nothing.
        stored, own = self.stored.as_grants(), frozenset({OWN_SERVER})
        chat = self.of_chats.get(self.conversation_id, frozenset())
        if self.is_temporary:
            # What leaves such a chat is asked about in it.
            return ToolGrants(servers=own, refused=stored.refused, chat=chat)
        return replace(stored, servers=stored.servers | own, chat=chat)

    def keep_answer(self, tool: Tool, answer: PermissionAnswer) -> None:
        self.of_chats[self.conversation_id] = self.grants.with_answer(tool, answer).chat
        try:
            self.stored.keep_answer(tool, answer)
        except AppError as error:  # it holds until the program ends
            log.info("an answer about a tool was not stored: %s", type(error).__name__)


def _read_grants(stored: tuple[str, ...]) -> Iterator[StoredGrant]:
    for text in stored:
        try:
            fields = json.loads(text)
            texts = str(fields["server"]), str(fields["tool"]), str(fields.get("fingerprint", ""))
            grant = StoredGrant(*texts[:2], PermissionAnswer(fields["answer"]), texts[2])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if grant.answer in _STORED:
            yield grant
