"""A state in one immutable value, changed by one reducer: what a person does and what threads tell goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, dataclass_transform

from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass

State = TypeVar("State")
Handlers = Mapping[type, Callable[[Any, Any], "tuple[Any, tuple[object, ...]]"]]
"""Steps by type of message: from a state and a message to the next state, and the effects to be started."""


@dataclass_transform(frozen_default=True)
class SessionMessage:
    """Makes of each class below it a frozen dataclass, as all commands, events and effects of a session are."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)


class StoreFailed(SessionMessage):
    """An effect on the store failed; nothing of it is stored."""

    effect: object
    error: AppError


class StateSession(Generic[State]):
    """Holds a state; commands and events go to `dispatch`, on one thread.

    Effects that are messages of `handlers` are dispatched, those in `stored` are done at once and answered by the event
    that is returned, or by `StoreFailed`; others are done by what `serve` was given for them.
    """

    def __init__(
        self,
        state: State,
        handlers: Handlers,
        settle: tuple[Callable[[Any], tuple[Any, tuple[object, ...]]], ...],
        stored: Mapping[type, Callable[[Any], object | None]],
    ) -> None:
        self.state = state
        self._handlers, self._settle, self._stored = handlers, settle, dict(stored)
        self._serving: dict[type, Callable[[Any], object]] = {}
        self._listeners: list[Callable[[], object]] = []
        self._depth = 0
        self._told = state

    def serve(self, handlers: Mapping[type, Callable[[Any], object]]) -> None:
        """Add functions that start effects, by the effects' types."""
        self._serving.update(handlers)

    def serve_at_once(self, handlers: Mapping[type, Callable[[Any], object | None]]) -> None:
        """Add functions that carry effects out on the store, and return the event that answers each, if any."""
        self._stored.update(handlers)

    def listen(self, listener: Callable[[], object]) -> None:
        """Call a function after each change of the state."""
        self._listeners.append(listener)

    def dispatch(self, message: object) -> None:
        """Take a command or event; what follows from it at once is done when this returns."""
        self._depth += 1
        try:
            self.state, effects = self._reduce(message)
            for effect in effects:
                self._carry_out(effect)
        finally:
            self._depth -= 1
        if not self._depth and self.state is not self._told:
            self._told = self.state
            for listener in self._listeners:
                listener()

    def _reduce(self, message: object) -> tuple[State, tuple[object, ...]]:
        """Return the next state and the effects to be started; unknown or outdated messages change nothing."""
        if type(message) in self._stored:
            return self.state, (message,)
        handler = self._handlers.get(type(message))
        state, effects = handler(self.state, message) if handler is not None else (self.state, ())
        for settle in self._settle:
            state, more = settle(state)
            effects = (*effects, *more)
        return state, effects

    def _carry_out(self, effect: object) -> None:
        if type(effect) in self._handlers:
            # What follows is a command.
            self.dispatch(effect)
        elif (carry_out := self._stored.get(type(effect))) is not None:
            try:
                event = carry_out(effect)
            except AppError as error:
                event = StoreFailed(effect, error)
            if event is not None:
                self.dispatch(event)
        else:
            self.send_request(effect)

    def send_request(self, message: object) -> None:
        """Ask whoever serves it for something that is no part of the state; nobody has to."""
        if (serve := self._serving.get(type(message))) is not None:
            serve(message)
