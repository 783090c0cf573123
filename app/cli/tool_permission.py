"""Permission for tools in the terminal: given by --allow, asked for on a terminal, refused in a pipe."""

from __future__ import annotations

import signal
import sys
from collections.abc import Collection

from app.core.catalogue import tr
from app.core.events import FunctionCall
from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_text
from app.features.chat.tool_questions import ToolCall, shown_arguments
from app.features.tools.call_words import reach_words, title_words
from app.features.tools.permissions import PermissionAnswer, describe_call
from app.features.tools.tool import IsStopped, Tool

CHOICES = "[o]nce, [c]hat (as long as this runs), or Enter to refuse: "
REFUSED_IN_PIPE = "Not allowed: {tool}. Fireside can ask only in a terminal; here, use --allow {tool}."
_ANSWERS = {
    "o": PermissionAnswer.ONCE,
    "once": PermissionAnswer.ONCE,
    "c": PermissionAnswer.CHAT,
    "chat": PermissionAnswer.CHAT,
}


@dataclass(frozen=True)
class TerminalPermission:
    """Asks about calls on standard error. `allowed` are tools by the model's or the server's name, and hosts.

    Answers hold while the command runs: what is allowed for good is set in the window.
    """

    allowed: Collection[str] = ()

    def __call__(self, tool: Tool, call: FunctionCall, _is_stopped: IsStopped) -> PermissionAnswer | None:
        if not {tool.name, tool.own_name}.isdisjoint(self.allowed):
            return PermissionAnswer.ONCE
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            print(tr(REFUSED_IN_PIPE, tool=visible_text(tool.name)), file=sys.stderr)
            return None
        _print_question(describe_call(tool, call))
        return _read_answer()


def _print_question(call: ToolCall) -> None:
    print(title_words(call), file=sys.stderr)
    for line in (call.address or shown_arguments(call.arguments)).splitlines():
        print(f"  {line}", file=sys.stderr)
    print(" ".join(reach_words(call)), file=sys.stderr)


def _read_answer() -> PermissionAnswer | None:
    """Return the answer that is typed; None for anything else. Ctrl+C stops the answer, whose token hears it next."""
    # input waits in C: with a token's handler Ctrl+C would only be noted and the question stay.
    hear_stop = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        print(tr(CHOICES), end="", file=sys.stderr, flush=True)
        return _ANSWERS.get(input().strip().lower())
    except EOFError:
        print(file=sys.stderr)
        return None
    except KeyboardInterrupt:
        print(file=sys.stderr)
        if callable(hear_stop):
            hear_stop(signal.SIGINT, None)
        return None
    finally:
        signal.signal(signal.SIGINT, hear_stop)
