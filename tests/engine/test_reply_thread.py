"""Replies leave on a thread of their own, in order; only text is not waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.core.events import CANCELLED, Finished, TextDelta
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.reply_thread import ReplyThread

WAIT_S = 20


class SlowPipe:
    """A pipe that takes nothing until `opens`."""

    def __init__(self) -> None:
        self.opens = threading.Event()
        self.sent: list[protocol.Reply] = []

    def send(self, reply: protocol.Reply) -> None:
        assert self.opens.wait(WAIT_S)
        self.sent.append(reply)


@pytest.fixture
def pipe() -> SlowPipe:
    return SlowPipe()


@pytest.fixture
def replies(pipe: SlowPipe) -> Iterator[ReplyThread]:
    made = ReplyThread(pipe.send, lambda: None)
    yield made
    made.close()


def test_who_writes_words_waits_for_no_pipe_and_all_come_in_order(pipe: SlowPipe, replies: ReplyThread) -> None:
    words: list[protocol.Reply] = [EventReply(1, TextDelta(str(number))) for number in range(100)]
    for word in words:
        replies.send(word)
    assert not pipe.sent
    pipe.opens.set()
    replies.send(EventReply(1, Finished(CANCELLED)))
    assert pipe.sent == [*words, EventReply(1, Finished(CANCELLED))], "what is no text was waited for"


def test_what_is_no_text_is_sent_before_its_sender_goes_on(pipe: SlowPipe, replies: ReplyThread) -> None:
    order: list[str] = []

    def answer() -> None:
        replies.send(protocol.Done(7))
        order.append("went on")

    thread = threading.Thread(target=answer)
    thread.start()
    order.append("opened")
    pipe.opens.set()
    thread.join(WAIT_S)
    assert order == ["opened", "went on"]
    assert pipe.sent == [protocol.Done(7)]


def test_a_wire_that_breaks_is_told_at_once() -> None:
    told = threading.Event()

    def refuse(_reply: protocol.Reply) -> None:
        raise BrokenPipeError

    replies = ReplyThread(refuse, told.set)
    replies.send(EventReply(1, TextDelta("a")))
    assert told.wait(WAIT_S)
    replies.close()
