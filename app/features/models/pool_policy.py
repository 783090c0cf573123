"""Decide where a leased model is loaded and which other one makes room for it; pure, without engines or clocks.

The first row that holds decides. Memory is measured each time; `RESERVE_BYTES` stay free for everything else.

| The model | What happens |
| --- | --- |
| is loaded, loading or asleep in the chat's engine | The lease shares that engine; a sleeping model wakes. |
| is in another engine, or being loaded there | The lease shares that engine. |
| is the chat's, and the chat's engine is empty | It is loaded there. |
| is chosen by a person, or is a chat's own | It takes the place in the chat's engine, before which (4) holds. |
| runs on another computer, or fits beside the others | It gets an engine of its own. |
| would fit without a model that nobody leases | That one closes, the least recently used first. |
| doesn't fit while another one is being loaded | It waits. Of those that wait the most urgent decides first. |
| doesn't fit beside the chat's model | It depends on who asks, see below. |
| doesn't fit, and the chat has none | It is tried all the same; API clients and idle work are refused. |

| Who asks, the most urgent first | The chat's model | Afterwards |
| --- | --- | --- |
| A person in a chat; titles and looks inside | answers, and wakes for it (4) | it stays until it is idle (5) |
| A person, of a second model | stays; that answer follows the first in the chat's engine | the engine closes |
| A person who compares models | sleeps, once its answer is written | it wakes with its next message |
| Pages and jobs | gives its place (1) if the user agrees, asked once a run, if it helps | it comes back (2) |
| Claim checkers, as jobs | stays, and nothing is checked without room | the engine closes |
| API clients | stays, and they are refused (3) | their engine stays for `KEPT_S` |
| Idle work: vectors of passages | stays, and it is refused | its engine stays for `KEPT_S` |

(1) Unless another lease uses it that isn't a page's: then jobs wait; pages wait for answers, titles and looks, which
    are soon over, and are refused for the rest.
(2) Unless another model was loaded meanwhile, or the program quits.
(3) On a server in the terminal, before which nobody sits, it is replaced for good as soon as no client uses it.
(4) Models that nobody leases close for it where it wouldn't fit in place of the present one.
(5) It sleeps when no lease of any kind has used it for the time that the settings say, or when memory is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from pathlib import Path

from app.core.lazy_dataclasses import dataclass, replace

RESERVE_BYTES = 500_000_000
"""Bytes kept free for everything else when two models share the memory."""
KEPT_S = 600.0
"""Seconds that a model stays loaded after the last request of an API client."""


class LeasePriority(IntEnum):
    """Who leases a model, the most urgent first."""

    PERSON = 0
    PAGE = 1
    JOB = 2
    CLIENT = 3
    IDLE = 4

    @property
    def keep_s(self) -> float:
        """Seconds a model stays loaded after the lease."""
        return KEPT_S if self >= LeasePriority.CLIENT else 0.0


SOON_OVER = {LeasePriority.PERSON, LeasePriority.IDLE}
"""Leases of the chat's engine that last for an answer, a title or a look inside."""


class ChatConcession(StrEnum):
    """What the chat's model does for one that doesn't fit beside it."""

    STAY = "stay"
    SLEEP = "sleep"
    SWAP = "swap"
    """Gives its place if the user agrees, and comes back."""
    LEAVE = "leave"
    """Is replaced as soon as no lease uses it."""


class ModelPlacement(StrEnum):
    """What to do next for a model that is in no engine."""

    BESIDE = "beside"
    """Load it in an engine of its own."""
    CLOSE = "close"
    """Close an unused model, then decide again."""
    WAIT = "wait"
    SLEEP = "sleep"
    """Put the chat's model to sleep, then decide again."""
    SWAP = "swap"
    """Ask the user, and load it in the chat's engine for a while."""
    REPLACE = "replace"
    """Load it in the chat's engine for good."""
    REFUSE = "refuse"
    TOO_LARGE = "too large"
    """Refuse it although no other model is in the way."""


@dataclass(frozen=True)
class ModelInMemory:
    """A loaded model, who leases it, and when it was used last. `needed_bytes` 0: unknown, or on another computer."""

    path: Path
    needed_bytes: int
    leases: Sequence[LeasePriority] = ()
    used_s: float = 0.0


@dataclass(frozen=True)
class MemoryState:
    """Memory as it is now. `free_bytes` 0: the system doesn't say."""

    free_bytes: int
    chat: ModelInMemory | None = None
    """The model loaded in the chat's engine."""
    others: Sequence[ModelInMemory] = ()
    """Models loaded in engines of their own."""
    loading_bytes: int = 0
    """Bytes of models that are being loaded, which may still count as free."""


def place_model(
    needed_bytes: int, priority: LeasePriority, memory: MemoryState, concession: ChatConcession = ChatConcession.STAY
) -> tuple[ModelPlacement, Path | None]:
    """Decide what to do next for a model that is in no engine, as the table above says; with the model to close."""
    free, chat, path = memory.free_bytes, memory.chat, None
    unused = [model for model in memory.others if not model.leases]
    is_outside = priority >= LeasePriority.CLIENT
    if not needed_bytes or not free or needed_bytes <= free - memory.loading_bytes - RESERVE_BYTES:
        placement = ModelPlacement.BESIDE
    elif unused:
        placement, path = ModelPlacement.CLOSE, min(unused, key=lambda model: model.used_s).path
    elif memory.loading_bytes:
        placement = ModelPlacement.WAIT
    # A model on another computer is in nobody's way.
    elif chat is None or (not chat.needed_bytes and not is_outside):
        placement = ModelPlacement.TOO_LARGE if is_outside else ModelPlacement.BESIDE
    elif concession is ChatConcession.SLEEP:
        placement = ModelPlacement.SLEEP
    # Where it wouldn't fit even alone, there is nothing to ask.
    elif concession is ChatConcession.SWAP and needed_bytes <= free - RESERVE_BYTES + chat.needed_bytes:
        placement = ModelPlacement.SWAP
        # Otherwise that lease would get another model's answers. Pages ask for the model of now with each request.
        others = {lease for lease in chat.leases if lease is not LeasePriority.PAGE}
        if others:
            waits = priority is LeasePriority.JOB or others <= SOON_OVER
            placement = ModelPlacement.WAIT if waits else ModelPlacement.REFUSE
    # Replacing it would fail the requests that still use it.
    elif concession is ChatConcession.LEAVE:
        placement = ModelPlacement.WAIT if chat.leases else ModelPlacement.REPLACE
    else:
        placement = ModelPlacement.REFUSE
    return placement, path


def make_way(needed_bytes: int, memory: MemoryState) -> Path | None:
    """Return the model to close before one is loaded in place of the chat's; None if it fits, or nothing helps."""
    # Unknown memory stays unknown.
    free = memory.free_bytes and memory.free_bytes + (memory.chat.needed_bytes if memory.chat is not None else 0)
    return place_model(needed_bytes, LeasePriority.PERSON, replace(memory, free_bytes=free, chat=None))[1]
