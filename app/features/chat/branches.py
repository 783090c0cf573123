"""The branches of a conversation: where versions part, and what each begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.store.message_rows import OutlineMessage, StoredMessage

if TYPE_CHECKING:
    from app.store.conversations import Conversations


@dataclass(frozen=True)
class MessageBranch:
    """A version of a message, with what follows until versions fork again.

    `depth` counts the forks above it; `place` is its position among `count` versions; `following` are the messages up
    to the next fork. `is_shown`: it is on the chosen branch.
    """

    message_id: int
    role: Role
    words: str
    model: str
    depth: int
    place: int
    count: int
    following: int
    is_shown: bool


def branches_of(messages: Iterable[OutlineMessage], shown_ids: Iterable[int]) -> list[MessageBranch]:
    """Depth first, oldest versions first; nothing where no message has a second version."""
    children: dict[int | None, list[OutlineMessage]] = {}
    for message in messages:
        children.setdefault(message.parent_id, []).append(message)
    # A set, since each of thousands of messages is looked up.
    shown, found = frozenset(shown_ids), list[MessageBranch]()
    parting, _ = _follow_choices(children, None)
    # Reversed: the stack gives back the last one first.
    waiting = [(0, parting, place) for place in reversed(range(len(parting)))]
    while waiting:
        depth, siblings, place = waiting.pop()
        one = siblings[place]
        below, following = _follow_choices(children, one.id)
        found.append(
            MessageBranch(
                one.id, one.role, one.words, one.model, depth, place + 1, len(siblings), following, one.id in shown
            )
        )
        waiting += [(depth + 1, below, number) for number in reversed(range(len(below)))]
    return found


def _follow_choices(
    children: dict[int | None, list[OutlineMessage]], message_id: int | None
) -> tuple[Sequence[OutlineMessage], int]:
    """Return the versions at the next fork below a message, and the number of messages before it."""
    count = 0
    while len(below := children.get(message_id, [])) == 1:
        message_id, count = below[0].id, count + 1
    return below, count


def branch_to(conversations: Conversations, message: StoredMessage) -> list[StoredMessage]:
    """Return the messages from the root to this one, even if other versions are chosen."""
    branch = conversations.read_branch(message.conversation_id)
    ids = [message.id for message in branch]
    if message.id in ids:
        return branch[: ids.index(message.id) + 1]
    branch = []
    step: StoredMessage | None = message  # another version was chosen meanwhile
    while step is not None:
        branch.insert(0, step)
        step = conversations.get_message(step.parent_id) if step.parent_id is not None else None
    return branch
