"""Write replies on a thread of its own, so that the loop that decodes neither encodes words nor waits for the pipe."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from app.core.events import TextDelta
from app.core.wire import EventReply
from app.engine import protocol


class ReplyThread:
    """Sends replies in the order they come. All but text is waited for: it may be large, or the last one."""

    def __init__(self, send: Callable[[protocol.Reply], object], on_failed: Callable[[], object]) -> None:
        """`on_failed` is called in the except clause of whatever `send` raises."""
        self._send, self._on_failed = send, on_failed
        self._waiting: queue.SimpleQueue[tuple[protocol.Reply, threading.Event | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, name="replies", daemon=True)
        self._thread.start()

    def send(self, reply: protocol.Reply) -> None:
        """Send a reply; return once it is sent, or at once if it is text of an answer."""
        if type(reply) is EventReply and type(reply.event) is TextDelta:
            self._waiting.put((reply, None))
            return
        sent = threading.Event()
        self._waiting.put((reply, sent))
        sent.wait()

    def close(self) -> None:
        """Send what waits, in its order, and end the thread afterwards."""
        self._waiting.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                reply, sent = item
                self._send(reply)
                if sent is not None:
                    sent.set()
        except BaseException:  # noqa: BLE001 - the process can't go on without its wire, whatever it is
            self._on_failed()
