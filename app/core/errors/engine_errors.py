"""The engine: its process, what it says, and other computers that lend it memory."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from app.core.errors.app_error import Bug, EnvironmentProblem, ErrorText
from app.core.joined_texts import join_entries

BUILD_FOLDERS = ("build", "bin", "lib", "Release")
"""Folders within which every build of llama.cpp has its libraries."""


class EngineStopped(EnvironmentProblem):
    """`exit_code` is negative for a signal (POSIX), None when the child hung and was ended."""

    exit_code: int | None
    detail: str
    message = ErrorText(
        "The engine stopped unexpectedly.",
        "The text so far was kept, and the engine is restarting.",
        "retry",
        case_of="exit_code",
        cases={"None": "The engine stopped responding and was closed."},
    )


class MachineLost(EnvironmentProblem):
    """`addresses` are all RPC workers that held parts of the model: llama.cpp doesn't say which one is gone."""

    addresses: tuple[str, ...]
    detail: str
    message = ErrorText(
        "Another computer, which held part of the model, stopped responding.",
        "The text so far was kept. Trying again loads the model without it.",
        "retry",
        cases={
            "one": "{computers}, which held part of the model, stopped responding.",
            "many": "One of {computers}, which held parts of the model, stopped responding.",
        },
    )

    @property
    def case(self) -> str:
        return "many" if len(self.addresses) > 1 else "one" if self.addresses else ""

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"computers": join_entries(self.addresses)}


class MachineUnusable(EnvironmentProblem):
    """`reason`: address (not usable), name (unknown), public (not in a private network), refused (nothing listens),
    silent, busy (accepts but doesn't answer), other (something else answers), version, no_rpc (this build of the engine
    has none).
    """

    address: str
    reason: str
    message = ErrorText(
        "{address} can’t be used.",
        cases={
            "address": "{address} isn’t an address. Write it like 192.168.1.7:50052, or as name:50052.",
            "name": "No computer found with the name in {address}.",
            "public": "{address} isn’t in a private network, so anyone could use the memory lent there.",
            "refused": "Nothing is running at {address}. Start “fireside lend” there.",
            "silent": "{address} doesn’t respond. Is that computer on and in this network?",
            "busy": "{address} accepts connections but doesn’t respond. Another program may be using it.",
            "other": "{address} isn’t running “fireside lend”.",
            "version": "{address} runs another version. Install the same {app} on both computers.",
            "no_rpc": "This build of {app} can’t use {address}.",
        },
    )


class EngineNotBuilt(EnvironmentProblem):
    log: str
    message = ErrorText(
        "The engine couldn’t be built, so no model can answer.",
        "The reason is at the end of {log}. Documents can still be read and searched.",
    )


class OwnLibraryRefused(EnvironmentProblem):
    """`reason` is one of: missing (no llama.cpp in `path`), unloadable (`detail` has the loader's words), symbol (that
    function is missing), layout (that structure is another one), crashed (loading it ended the process), stopped (it
    ended the engine, which goes on with its own).
    """

    path: str
    reason: str
    detail: str = ""
    message = ErrorText(
        "The llama.cpp in {name} can’t be used.",
        "Choose another folder, or use {app}’s own.",
        "settings",
        cases={
            "missing": "There’s no llama.cpp library in {name}.",
            "symbol": "The llama.cpp in {name} doesn’t fit this version of {app}: it has no {detail}.",
            "layout": "The llama.cpp in {name} doesn’t fit this version of {app}: its {detail} is different.",
            "crashed": "The llama.cpp in {name} crashed when it was tried.",
            "stopped": "The llama.cpp in {name} crashed with this model.",
        },
        kept_in={"stopped": "{app} uses its own until you change yours."},
    )

    @property
    def values(self) -> dict[str, Any]:
        """Values of the templates; the folder is named by the part of its path that tells builds apart."""
        parts = [part for part in PurePath(self.path).parts if part not in BUILD_FOLDERS]
        return super().values | {"name": parts[-1] if parts else self.path}


class EngineCrashesRepeatedly(EnvironmentProblem):
    times: int
    detail: str
    message = ErrorText(
        "The engine stopped {times} times in a row with this model.", "Your chats were kept.", "open_model"
    )


class ProtocolViolation(Bug):
    detail: str
    message = ErrorText(
        "The engine sent something unexpected. This is a bug in {app}.", "The text so far was kept.", "retry"
    )
