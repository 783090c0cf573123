"""Convert another program's chat into the tree of turns stored here.

Other programs store more than turns: tool calls and results, hidden instructions, steps of one answer as separate
messages. Anything but a turn is dropped and counted, its children move up, and the steps of an answer are joined. Ids
come from the file and aren't trusted: they may repeat, dangle or form cycles.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product
from typing import Any

from app.core.events import AnswerStats, Role
from app.core.lazy_dataclasses import dataclass, field, replace
from app.features.chat.answer_service import title_from
from app.store.conversation_row import Conversation
from app.store.conversations import MessageState, TreeMessage
from app.store.media_store import NewUse

MOST_MESSAGES = 100_000
"""Of one chat. It is added in one transaction, for which others wait."""
LONGEST_TITLE = 200
LONGEST_NAME = 120
MOST_NAMES = 200
# Some programs write milliseconds without saying so.
_MILLISECONDS = 1e11
"""Times above are not seconds: that would be the year 5138."""
_LATEST_S = 4e9


@dataclass(frozen=True)
class GivenPicture:
    """A message's picture: its name, and its file by the name or id in the message, or its content in base64."""

    name: str
    asset: str = ""
    data: str = ""


@dataclass
class ForeignMessage:
    """A message in a file.

    With a `role` other than user and assistant it is only a node of the tree. `names` are attachments that are only
    named, `pictures` those that may be imported. `state` is how it ended.
    """

    id: str
    parent: str | None
    role: str
    text: str = ""
    thinking: str = ""
    thinking_s: float | None = None
    model: str = ""
    created_at: float | None = None
    stats: AnswerStats | None = None
    names: list[str] = field(default_factory=list)
    pictures: list[GivenPicture] = field(default_factory=list)
    media: list[NewUse] = field(default_factory=list)
    """Those of the pictures that are here now."""
    brought: list[tuple[str, bool]] = field(default_factory=list)
    """Of each picture its name, and whether it came along; the others are among `names`, too."""
    state: MessageState = MessageState.COMPLETE


@dataclass
class ForeignChat:
    """A chat in a file.

    `shown` is the id of the open branch's last message, "" if unknown. `left_out` counts what couldn't be imported,
    by the names of `app.features.exchange.chat_import`.
    """

    title: str = ""
    system_prompt: str = ""
    model: str = ""
    created_at: float | None = None
    updated_at: float | None = None
    is_pinned: bool = False
    messages: list[ForeignMessage] = field(default_factory=list)
    shown: str = ""
    left_out: Counter[str] = field(default_factory=Counter)


class TooManyMessages(Exception):
    """Raised for chats of more than `MOST_MESSAGES`."""


def text_of(value: Any) -> str:
    """Return a text, or "" for anything else."""
    return value if isinstance(value, str) else ""


def fields_of(value: Any) -> dict[str, Any]:
    """Return an object, or {} for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return a list, or [] for anything else."""
    return value if isinstance(value, list) else []


def name_of(value: Any) -> str:
    """Return a name in one short line, or ""."""
    # Cut before splitting: a name of gigabytes would be copied several times.
    return " ".join(text_of(value)[: 4 * LONGEST_NAME].split())[:LONGEST_NAME]


def number_of(value: Any) -> float | None:
    # True is an int in Python.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    # An integer of a thousand digits.
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def count_of(value: Any) -> int:
    """Return a count, or 0 for anything else."""
    number = number_of(value)
    return round(number) if number is not None and 0 <= number < 2**53 else 0


def seconds_of(value: Any) -> float | None:
    """Return a time in seconds since 1970 from seconds, milliseconds or ISO 8601; None for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value[:40])
            # Without a zone the programs mean UTC.
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    if (number := number_of(value)) is None:
        return None
    number = number / 1000 if number > _MILLISECONDS else number
    return number if 0 < number < _LATEST_S else None


def join_texts(texts: Iterable[str]) -> str:
    """Join parts of a text with blank lines."""
    return "\n\n".join(filter(None, (text.strip("\n") for text in texts)))


def data_of(address: Any) -> str:
    """Return a data URL's base64 content; "" for other addresses."""
    # Other addresses are on the net, and nothing is fetched.
    text = text_of(address)
    head, _, data = text.partition(",") if text.startswith("data:") else ("", "", "")
    return data if head.endswith(";base64") else ""


MOST_PARTLY = 4
"""Pictures of one message of which any may have been missing in an earlier import; of more, all or none."""


def attached_line(names: Iterable[str]) -> str:
    """Return the line for attachments that weren't imported."""
    return join_texts(f"[Attached: {name}]" for name in names)


_THINKING = re.compile(r"\A\s*<(think|thinking)>(.*?)(?:</\1>|\Z)", re.DOTALL)


def split_thinking(text: str) -> tuple[str, str]:
    """Split an answer from the thinking before it, in the notation most models use."""
    found = _THINKING.match(text)
    return (text, "") if found is None else (text[found.end() :].strip("\n"), found[2].strip("\n"))


Grown = tuple[Conversation, list[TreeMessage], dict[int | None, list[NewUse]]]
"""A chat, its messages, and the pictures of those that have some."""


def grow_tree(chat: ForeignChat, fallback_at: float) -> Grown:
    """Build the chat's tree, each turn after its parent.

    `fallback_at` is used without a time. Raises TooManyMessages.
    """
    if len(chat.messages) > MOST_MESSAGES:
        raise TooManyMessages
    # Built in one walk without recursion: a chat may be a hundred thousand messages deep.
    turns, media = _number_tree(_joined_steps(_top_turns(chat)), chat)
    times = [turn.created_at for turn in turns if turn.created_at]
    created_at = chat.created_at or min(times, default=fallback_at)
    tree: list[TreeMessage] = []
    last_at: dict[int | None, float] = {None: created_at}
    for turn in turns:
        # A message without a time is as old as the one above it.
        last_at[turn.id] = turn.created_at or last_at[turn.parent_id]
        tree.append(replace(turn, created_at=last_at[turn.id]))
    updated_at = chat.updated_at or max(times, default=created_at)
    title = " ".join(chat.title[: 4 * LONGEST_TITLE].split())[:LONGEST_TITLE] or _title_from(tree)
    conversation = Conversation(
        0, title, chat.system_prompt, None, chat.model, "", created_at, updated_at, None, chat.is_pinned
    )
    return conversation, tree, media


@dataclass
class _ForeignTurn:
    """A message that is a turn, with those below it in their order."""

    said: ForeignMessage
    ids: list[str]
    below: list[_ForeignTurn] = field(default_factory=list)


def _top_turns(chat: ForeignChat) -> list[_ForeignTurn]:
    """Build the turns and return the top ones."""
    messages: dict[str, ForeignMessage] = {}
    for message in chat.messages:
        # The first of two equal ids is the one that others mean.
        if message.id in messages:
            chat.left_out["damaged"] += 1
        else:
            messages[message.id] = message
    children: dict[str | None, list[str]] = {}
    for message in messages.values():
        parent = message.parent if message.parent in messages else None
        # A parent that isn't there makes a top message, so that nothing is lost.
        chat.left_out["parent"] += message.parent is not None and parent is None
        children.setdefault(parent, []).append(message.id)
    top: list[_ForeignTurn] = []
    # Reversed, since the stack gives back the last one first.
    open_ids: list[tuple[str, list[_ForeignTurn]]] = [(name, top) for name in reversed(children.get(None, []))]
    seen = 0
    while open_ids:
        name, place = open_ids.pop()
        said, seen = messages[name], seen + 1
        if _is_turn(said):
            turn = _ForeignTurn(said, [name])
            place.append(turn)
            place = turn.below
        open_ids += [(child, place) for child in reversed(children.get(name, []))]
    chat.left_out["circle"] += len(messages) - seen  # never reached from the top
    return top


def _is_turn(said: ForeignMessage) -> bool:
    has_content = bool(said.text.strip() or said.thinking.strip() or said.names or said.media)
    return said.role in ("user", "assistant") and has_content


def _joined_steps(top: list[_ForeignTurn]) -> list[_ForeignTurn]:
    """Merge the steps of one answer into one turn: an only child with the same role."""
    open_turns = list(top)
    while open_turns:
        turn = open_turns.pop()
        steps = [turn]
        # Tools between two steps are dropped; what is left of them is one answer.
        while len(steps[-1].below) == 1 and steps[-1].below[0].said.role == turn.said.role:
            steps.append(steps[-1].below[0])
        if len(steps) > 1:
            turn.said, turn.below = _merge_steps(steps), steps[-1].below
            turn.ids = [name for step in steps for name in step.ids]
        open_turns += turn.below
    return top


def _merge_steps(steps: list[_ForeignTurn]) -> ForeignMessage:
    said = [step.said for step in steps]
    seconds = [foreign_message.thinking_s for foreign_message in said if foreign_message.thinking_s is not None]
    return replace(
        said[0],
        text=join_texts(foreign_message.text for foreign_message in said),
        thinking=join_texts(foreign_message.thinking for foreign_message in said),
        thinking_s=sum(seconds) if seconds else None,
        # The last model wrote the end of the answer.
        model=next((foreign_message.model for foreign_message in reversed(said) if foreign_message.model), ""),
        stats=said[-1].stats,
        names=[name for message in said for name in message.names],
        media=[use for foreign_message in said for use in foreign_message.media],
        brought=[picture for foreign_message in said for picture in foreign_message.brought],
        state=said[-1].state,
    )


def _number_tree(
    top: list[_ForeignTurn], chat: ForeignChat
) -> tuple[list[TreeMessage], dict[int | None, list[NewUse]]]:
    """Number the tree and collect pictures by message.

    The branch to `chat.shown` is chosen, elsewhere the last version.
    """
    tree: list[TreeMessage] = []
    media: dict[int | None, list[NewUse]] = {}
    places: dict[str, int] = {}
    open_turns: list[tuple[_ForeignTurn, int | None, int]] = []
    open_turns += [(turn, None, at) for at, turn in enumerate(top)][::-1]
    while open_turns:
        turn, parent, chosen = open_turns.pop()
        number = len(tree) + 1
        places |= dict.fromkeys(turn.ids, number)
        tree.append(_tree_message(turn.said, number, parent, chosen, chat.model))
        if turn.said.media:
            media[number] = turn.said.media
        open_turns += [(below, number, at) for at, below in enumerate(turn.below)][::-1]
    # The open message may be a tool's, or hidden.
    shown = places.get(chat.shown) or _nearest_turn(chat, places)
    while shown is not None:
        one = tree[shown - 1]
        # The highest is shown, and no number so far is as high.
        tree[shown - 1] = replace(one, chosen=len(tree))
        shown = one.parent_id
    return tree, media


def _nearest_turn(chat: ForeignChat, places: dict[str, int]) -> int | None:
    """Return the nearest turn above the shown message, if that isn't a turn."""
    parents = {message.id: message.parent for message in chat.messages}
    name: str | None = chat.shown
    # At most as often as there are messages: parents may form a circle.
    for _ in range(len(parents)):
        if name is None or name in places:
            break
        name = parents.get(name)
    return places.get(name or "")


def _tree_message(said: ForeignMessage, number: int, parent: int | None, chosen: int, chat_model: str) -> TreeMessage:
    is_answer = said.role == "assistant"
    return TreeMessage(
        number,
        parent,
        Role.ASSISTANT if is_answer else Role.USER,
        join_texts([said.text, attached_line(said.names[:MOST_NAMES])]),
        said.state,
        (said.model or chat_model) if is_answer else "",
        said.created_at or 0.0,
        chosen,
        said.stats,
        said.thinking.strip("\n"),
        said.thinking_s,
        other_texts=_other_texts(said),
    )


def _other_texts(said: ForeignMessage) -> tuple[tuple[str, str], ...]:
    """Return the texts the message has with other sets of its pictures imported, and with all of them."""
    others, has_come = list(said.names), [came for _, came in said.brought]
    for name, came in said.brought:
        # Names of pictures that didn't come stand among the others.
        if not came:
            others.remove(name)

    def text_of_these(came: Iterable[bool]) -> str:
        lost = [name for (name, _), is_here in zip(said.brought, came, strict=True) if not is_here]
        return join_texts([said.text, attached_line([*others, *lost][:MOST_NAMES])])

    count = len(said.brought)
    # All combinations double with each picture, so of many only all or none.
    ways = product((True, False), repeat=count) if count <= MOST_PARTLY else ((True,) * count, (False,) * count)
    return tuple(
        (text_of_these(way), text_of_these(flag or two for flag, two in zip(way, has_come, strict=True)))
        for way in ways
        if list(way) != has_come
    )


def _title_from(tree: list[TreeMessage]) -> str:
    return title_from(
        next((tree_message.text[:LONGEST_TITLE] for tree_message in tree if tree_message.role is Role.USER), "")
    )
