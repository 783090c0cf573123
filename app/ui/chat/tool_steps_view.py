"""The steps of an answer with tools: a line for each, which opens to show what was asked and what came back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from app.core.visible import visible_name
from app.features.chat.tool_steps import ASKING, LEFT_OUT, RUNNING, ToolStep
from app.features.tool_calls import parse_arguments
from app.ui.chat.folded_text import FoldedText
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import join_list
from app.ui.theme import Theme

STEP_LINES = {
    "calculate": "Calculated {what}",
    "date_and_time": "Checked the date {what}",
    "search_documents": "Searched documents for “{what}”",
    "read_pages": "Read pages of {what}",
    "list_in_document": "Went through {what}",
    "count_in_document": "Counted in {what}",
    "search_chats": "Searched chats for “{what}”",
    "read_file": "Read {what}",
    "read_web_page": "Web page {what}",
    "web_search": "Web search for “{what}”",
}
"""What each of the program's own tools did; its first argument is what it did that with."""
STEP_STATES = {
    RUNNING: "working…",
    ASKING: "waiting for you",
    "failed": "didn’t work",
    "wrong": "asked wrongly",
    "refused": "asked wrongly",
    "repeated": "asked twice",
    "not_allowed": "not allowed",
    "stopped": "stopped",
}
"""Ends of a line, by states of a step; one that is done has none."""
USED_TOOL = "Used {tool}"
USED_SERVER_TOOL = "Used {tool} from {server}"
SERVER_TOOL = "{tool} from {server}"
"""While it is asked about, and if it was not called."""
CONNECTING_SERVER = "Connecting to {server}"
SERVER_FAILED = "Tools from {server} are missing"
CHECK_SERVER = "Check the server in Settings, or turn it off there."
TOOLS_LEFT_OUT = "Some tools didn’t fit into the model’s context"
NOT_OFFERED = "The model didn’t get these tools: {names}."
FEWER_TOOLS = "The rest fit your question best. Turn off tool servers you don’t need to make room."
STEP_ASKED = "Asked: {arguments}"
MOST_IN_LINE = 60
MOST_SHOWN = 4_000
"""Characters of a result that a line opens to."""


class ToolStepsView(QWidget):
    """The lines of all steps, one below the other."""

    def __init__(
        self, theme: Theme, parent: QWidget, *, on_opened: Callable[[], object], on_resized: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self._theme, self._on_opened, self._on_resized = theme, on_opened, on_resized
        self._lines: list[StepLine] = []
        self.show()

    @property
    def steps(self) -> list[ToolStep]:
        return [line.step for line in self._lines]

    def show_steps(self, steps: Sequence[ToolStep]) -> None:
        """Show these steps; lines that are there stay open."""
        for gone in self._lines[len(steps) :]:
            gone.hide()
            gone.deleteLater()
        del self._lines[len(steps) :]
        for number, step in enumerate(steps):
            if number == len(self._lines):
                self._lines.append(StepLine(self._theme, self, step, self._on_opened, self._on_resized))
            self._lines[number].show_step(step)
        self._on_resized()

    def arrange(self, width: int) -> int:
        """Lay out the lines for a width. Return the height."""
        top = 0
        for line in self._lines:
            height = line.arrange(width)
            line.setGeometry(0, top, width, height)
            top += height
        return top


class StepLine(FoldedText):
    """One step: what was done, and below it, once opened, the call and its result."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        step: ToolStep,
        on_opened: Callable[[], object],
        on_resized: Callable[[], object],
    ) -> None:
        self.step = step
        super().__init__(theme, parent, name="tool_step", on_opened=on_opened, on_resized=on_resized)

    def show_step(self, step: ToolStep) -> None:
        self.step = step
        self.replace_text(_details_of(step))
        self.update_line()

    def line_words(self) -> str:
        step, state = self.step, STEP_STATES.get(self.step.state)
        if step.state == LEFT_OUT:
            return tr(TOOLS_LEFT_OUT)
        if step.server and not step.tool:
            failed = tr(SERVER_FAILED, server=visible_name(step.server))
            return tr(CONNECTING_SERVER, server=visible_name(step.server)) if step.state == RUNNING else failed
        words = tr(USED_TOOL, tool=visible_name(step.tool))
        if step.server:
            used = USED_SERVER_TOOL if step.state in (RUNNING, "done", "failed") else SERVER_TOOL
            words = tr(used, tool=visible_name(step.tool), server=visible_name(step.server))
        # A server may call its tools as the program's own are called.
        elif (known := STEP_LINES.get(step.tool)) is not None:
            words = tr(known, what=_first_value(step.arguments)).rstrip()
        return f"{words} · {tr(state)}" if state is not None else words

    def fold_words(self) -> tuple[str, str]:
        return tr("Show this step"), tr("Hide this step")

    def text_name(self) -> str:
        return tr("A call of a tool, and its result")


def _first_value(arguments: str) -> str:
    """Return the first argument for a line, shortened; "" without any."""
    value = visible_name(" ".join(str(next(iter(_read_arguments(arguments).values()), "")).split()))
    return value if len(value) <= MOST_IN_LINE else f"{value[:MOST_IN_LINE].rstrip()}…"


def _details_of(step: ToolStep) -> str:
    if step.state == LEFT_OUT:
        names = join_list([visible_name(name) for name in step.result.splitlines()])
        return f"{tr(NOT_OFFERED, names=names)}\n{tr(FEWER_TOOLS)}"
    # In the language of the window, whichever it was when the answer was written.
    result = str(sentence_for(step.failure)) if step.failure is not None else step.result
    if step.server and not step.tool:
        return f"{result}\n{tr(CHECK_SERVER)}" if result else tr(CONNECTING_SERVER, server=step.server)
    result = result if len(result) <= MOST_SHOWN else f"{result[:MOST_SHOWN]}…"
    asked = tr(STEP_ASKED, arguments=_argument_words(step.arguments))
    return f"{asked}\n{result}" if result else asked


def _argument_words(arguments: str) -> str:
    """Return arguments as a person reads them; what is no JSON stays as it is."""
    found = _read_arguments(arguments)
    return join_list(f"{name}: {value}" for name, value in found.items()) if found else arguments


def _read_arguments(arguments: str) -> dict[str, object]:
    found = parse_arguments(arguments)
    return found if isinstance(found, dict) else {}
