"""Tools for a program that started this one: messages on standard input and output, one a line."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from app.features.mcp.client_session import MOST_MESSAGE_BYTES, ClientSession, ListTools, calls_in, parse_message
from app.features.mcp.messages import NO_REQUEST, ServerRefusal, error_message

CALLS_AT_ONCE = 4
MOST_CALLS = 64
"""Calls that run or wait; until one is over, no more messages are read."""
TOO_LONG = f"A message has at most {MOST_MESSAGE_BYTES:,} bytes."


def serve_streams(list_tools: ListTools, read: IO[bytes], write: IO[bytes]) -> None:
    """Answer messages until the input ends and what came before is answered, or nobody reads any more."""
    served = _ServedStreams(ClientSession(list_tools), write)
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="tools") as pool:
        try:
            while line := read.readline(MOST_MESSAGE_BYTES + 1):
                if len(line) > MOST_MESSAGE_BYTES:
                    _skip_line(line, read)
                    served.send(error_message(None, NO_REQUEST, TOO_LONG))
                elif line.strip():
                    served.take_line(line, pool)
        except BrokenPipeError:
            served.session.close()
        except BaseException:  # Ctrl+C: a long call isn't waited for
            served.session.close()
            raise


class _ServedStreams:
    def __init__(self, session: ClientSession, write: IO[bytes]) -> None:
        self.session, self._write = session, write
        self._writing, self._room = threading.Lock(), threading.Semaphore(MOST_CALLS)

    def take_line(self, line: bytes, pool: ThreadPoolExecutor) -> None:
        """Answer a message at once, calls on a thread: a ping, or a call taken back, doesn't wait for a long one."""
        try:
            message = parse_message(line)
        except ServerRefusal as refusal:
            self.send(error_message(None, refusal.code, refusal.words))
            return
        if not calls_in(message):
            self.send(self.session.answer_all(message))
            return
        self._room.acquire()
        pool.submit(self._answer_call, message)

    def send(self, answer: Any) -> None:
        """Write an answer as one line; None is none."""
        if answer is not None:
            with self._writing:
                self._write.write(json.dumps(answer).encode() + b"\n")
                self._write.flush()

    def _answer_call(self, message: Any) -> None:
        try:
            self.send(self.session.answer_all(message))
        except OSError:
            # Nobody reads any more; the other calls are for nobody, too.
            self.session.close()
        finally:
            self._room.release()


def _skip_line(line: bytes, read: IO[bytes]) -> None:
    while line and not line.endswith(b"\n"):
        line = read.readline(MOST_MESSAGE_BYTES)
