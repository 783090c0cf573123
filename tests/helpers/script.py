"""Scripts for the scripted backend inside the real engine child (see tests/helpers/scripted_backend.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_script(folder: Path, *answers: dict[str, Any], **keys: Any) -> Path:
    """A script file with these answer rules; loading takes any path. `load` may be several rules."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "script.json"
    load = keys.pop("load", {})
    load = [{"any_path": True} | one for one in load] if isinstance(load, list) else {"any_path": True} | load
    path.write_text(json.dumps({"log": "prompts.jsonl", "load": load, "answers": list(answers), **keys}), "utf-8")
    return path


def prompts(script: Path) -> list[list[tuple[str, str]]]:
    """The conversations the scripted backend was asked to answer, oldest first."""
    return [[tuple(pair) for pair in request["messages"]] for request in requests(script)]


def requests(script: Path) -> list[dict[str, Any]]:
    """Everything that was asked with these conversations; see `app.engine.protocol.Ask`."""
    asks = _asks(script)
    return [ask | {"messages": [[one["role"], one["text"]] for one in ask["messages"]]} for ask in asks]


def media(script: Path) -> list[list[list[dict[str, Any]]]]:
    """The pictures and sounds of each message of these conversations; see `app.core.events.Media`."""
    return [[one["media"] for one in ask["messages"]] for ask in _asks(script)]


def _asks(script: Path) -> list[dict[str, Any]]:
    log = script.with_name("prompts.jsonl")
    lines = log.read_text("utf-8").splitlines(keepends=True) if log.exists() else []
    whole = [line for line in lines if line.endswith("\n")]  # the last one may be being written
    return [request["ask"] for request in map(json.loads, whole) if request["type"] == "Generate"]
