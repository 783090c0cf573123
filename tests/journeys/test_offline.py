"""With the network off the real program opens only local sockets: seen by the kernel's own record of every call."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.settings import (
    ChatDefaults,
    EngineSettings,
    NetworkSettings,
    Settings,
    TranslationSettings,
    WritingSettings,
    save_settings,
)
from tests.helpers.program import ROOT, Program, wait_until
from tests.helpers.window_pixels import wait_for_end
from tests.journeys import test_summaries, test_translations
from tests.journeys.test_inside import are_all_tokens_there

pytestmark = [pytest.mark.display, pytest.mark.timeout(240)]
# Of whatever family: a socket of the kernel's or a raw one leads out of a process, too. What io_uring does is no call.
CALL = re.compile(r"socket\((?!AF_UNIX,)|sa_family=AF_(?!UNIX[,}])|io_uring_setup\(")
CALLS = "trace=socket,connect,bind,sendto,sendmsg,sendmmsg,io_uring_setup,execve"
REFUSED_CALL = "= -1 EACCES (Permission denied)"
REFUSED = "this test lets nothing out"
# What every Python of the program runs at its start: nothing may even try.
GUARD = f'''"""Ends whatever reaches for the network, and notes it."""
import os, sys, traceback

def guard(event, arguments):
    asks = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
    reaches = event in ("socket.connect", "socket.sendto", "socket.bind") and isinstance(arguments[1], tuple)
    if asks or reaches:
        with open(os.environ["GUARD_NOTES"], "a") as file:
            file.write(f"{{os.getpid()}} {{event}} {{arguments[1:]}}\\n")
            traceback.print_stack(file=file)
        raise OSError("{REFUSED}")

sys.addaudithook(guard)
'''


class Watched:
    """A person's home whose programs are traced with all their children, and guarded."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "person"
        self.trace = folder / "trace"
        self._notes = folder / "notes"
        guard = folder / "guard"
        guard.mkdir()
        (guard / "sitecustomize.py").write_text(GUARD, "utf-8")
        self.environment = {"PYTHONPATH": str(guard), "GUARD_NOTES": str(self._notes)}
        # -D: the program stays our child, and its window has its number.
        self.around = ["strace", "-D", "-f", "-qq", "-e", CALLS, "-o", str(self.trace)]

    def reached(self) -> list[str]:
        """Every try to reach the network, by the kernel's record and by the guard's.

        Children in a cage try its walls themselves; what the kernel refused has reached nothing.
        """
        lines = self.trace.read_text("utf-8", "replace").splitlines()
        calls = [line for line in lines if CALL.search(line) and not line.endswith(REFUSED_CALL)]
        notes = self._notes.read_text("utf-8") if self._notes.exists() else ""
        return [*calls, *notes.splitlines()]

    def was_followed(self, word: str) -> bool:
        """Whether the record holds a program that was started with this word: an empty one would prove nothing."""
        return any("execve(" in line and word in line for line in self.trace.read_text("utf-8", "replace").splitlines())


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture
def start(watched: Watched) -> Iterator[Callable[[], Program]]:
    running: list[Program] = []

    def begin() -> Program:
        running.append(Program(watched.home, watched.environment, watched.around))
        return running[-1]

    yield begin
    for program in running:
        program.kill()


def save(watched: Watched, *, allowed: bool, **sections: object) -> None:
    settings = Settings(
        chat=ChatDefaults(temperature=0, max_tokens=24), network=NetworkSettings(allowed=allowed), **sections
    )  # type: ignore[arg-type]
    save_settings(watched.home / "config" / "settings.json", settings)


@pytest.mark.model
def test_a_journey_through_every_tab_reaches_for_nothing(
    watched: Watched, start: Callable[[], Program], starter: Path, tmp_path: Path
) -> None:
    """The network is off. The trace covers the engine's and the document's child, too; the model is a real one."""
    model = tmp_path / test_translations.MODEL  # by its name one that translates, which the starter is not
    model.symlink_to(starter.resolve())
    engine = EngineSettings(model_path=str(model), known_models=(str(model),))
    writing, translations = WritingSettings(max_tokens=12), TranslationSettings(target="pt-BR")
    save(watched, allowed=False, engine=engine, writing=writing, translations=translations)
    watched.environment["HOME"] = str(tmp_path)
    program = start()
    ask_and_look_inside(program, tmp_path)
    summarize(program, tmp_path)
    translate(program)
    write(program)
    assert program.quit() == 0
    for word in ("--engine-worker", "--document-worker"):
        assert watched.was_followed(word), f"{word} was not traced"
    assert watched.reached() == []
    assert not (watched.home / "data" / "connections.jsonl").exists()


def ask_and_look_inside(program: Program, folder: Path) -> None:
    """A question, and its answer's tokens in the panel."""
    program.ask("Why is the sky blue?")
    wait_until(lambda: [row[2] for row in program.messages()][1:] == ["complete"], "the answer", 90)
    wait_for_end(program, folder)
    program.press("ctrl+i", "Right", "Tab", "space")
    wait_until(lambda: are_all_tokens_there(program, folder), "its tokens")
    program.press("Escape")


def summarize(program: Program, folder: Path) -> None:
    """A short document from the dialog."""
    file = folder / "kiln.md"
    file.write_text(test_summaries.KILNS.paragraph(1), "utf-8")
    program.press("ctrl+2", "ctrl+shift+o")
    program.choose_file(test_summaries.CHOOSE, file)
    wait_until(lambda: program.rows("SELECT document_id FROM job_documents"), "the document to be read")
    test_summaries.finish(program, folder, "Return")


def translate(program: Program) -> None:
    """A typed text."""
    program.press("ctrl+3", "ctrl+n")
    program.type(test_translations.source(test_translations.BOATS, 1))
    is_done = lambda: "done" in test_translations.states(program)  # noqa: E731
    program.press_until(is_done, "the translation", "ctrl+Return", again_s=30)


def write(program: Program) -> None:
    """A page that is continued."""
    beginning = "Deep learning is"
    program.press("ctrl+4")
    program.type(beginning)
    wait_until(lambda: program.rows("SELECT text FROM pages") == [(beginning,)], "the page")
    is_longer = lambda: len(program.rows("SELECT text FROM pages")[0][0]) > len(beginning)  # noqa: E731
    program.press_until(is_longer, "a continuation", "ctrl+Return", again_s=30)


@pytest.mark.model
def test_a_chat_reaches_for_nothing_where_it_might(
    watched: Watched, start: Callable[[], Program], starter: Path
) -> None:
    """The network is on, and a chat is still a matter between a person and this computer."""
    save(watched, allowed=True)
    program = start()
    for number, text in enumerate(("Say hello", "And once more"), start=1):
        program.ask(text)
        is_there = lambda n=number: [row[2] for row in program.messages()][2 * n - 1 :] == ["complete"]  # noqa: E731
        wait_until(is_there, f"answer {number}", 90)
    assert program.quit() == 0
    assert watched.was_followed("--engine-worker"), "the engine was not traced"
    assert watched.reached() == []
    assert not (watched.home / "data" / "connections.jsonl").exists()


def test_searching_with_the_network_off_is_refused_before_any_socket(watched: Watched) -> None:
    save(watched, allowed=False)
    done = run_models(watched, "search", "llama")
    assert done.returncode == 1
    assert "network is switched off" in done.stderr
    assert watched.reached() == []


@pytest.mark.parametrize("is_guarded", [False, True], ids=["strace", "guard"])
def test_the_same_search_with_the_network_on_is_seen(watched: Watched, is_guarded: bool) -> None:
    """That those above can fail. Guarded, it comes no further than asking for a name."""
    save(watched, allowed=True)
    if not is_guarded:
        del watched.environment["PYTHONPATH"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        done = run_models(watched, "search", "llama", HF_ENDPOINT=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    sign = "socket.getaddrinfo" if is_guarded else "sa_family=AF_INET, "
    assert any(sign in line for line in watched.reached()), watched.reached()


def run_models(watched: Watched, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The terminal's `models`, traced and guarded, in a clean environment."""
    around = [part for part in watched.around if part != "-D"]
    env = {"PATH": "/usr/bin:/bin", "FIRESIDE_HOME": str(watched.home)} | watched.environment | environment
    command = [*around, sys.executable, "-m", "app", "models", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
