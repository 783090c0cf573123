"""Errors by name and fields, as they cross the wires and are stored."""

from __future__ import annotations

from typing import Any

from app.core.errors.app_error import AppError, Bug, EnvironmentProblem
from app.core.errors.engine_errors import ProtocolViolation


def every_error() -> list[type[AppError]]:
    """Return all concrete situations, for tests and for the wire."""
    # Here, since a process in which nothing fails needs few of them.
    from app.core.errors import database_errors as database
    from app.core.errors import document_errors as document
    from app.core.errors import engine_errors as engine
    from app.core.errors import exchange_errors as exchange
    from app.core.errors import hub_errors as hub
    from app.core.errors import lock_errors as lock
    from app.core.errors import model_errors as model
    from app.core.errors import request_errors as request
    from app.core.errors import saving_errors as saving
    from app.core.errors import server_errors as server
    from app.core.errors import tool_errors as tool

    areas = (database, document, engine, exchange, hub, lock, model, request, saving, server, tool)
    named = [value for area in areas for value in vars(area).values()]
    found = {value for value in named if isinstance(value, type) and issubclass(value, AppError)}
    return sorted(found - {AppError, Bug, EnvironmentProblem}, key=lambda cls: cls.__name__)


def from_fields(name: str, fields: dict[str, Any]) -> AppError:
    """Return the situation called `name`; an unknown name or wrong fields become a `ProtocolViolation`."""
    for cls in every_error():
        if cls.__name__ == name:
            try:
                return cls(**fields)
            # A field too many or too few: the other side is of another version.
            except TypeError:
                break
    return ProtocolViolation(f"unknown error {name!r} with {fields!r}"[:200])  # cut, as a stranger may have sent it
