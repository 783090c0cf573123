"""Downloads by the real child: killed, paused and cancelled at any moment, and gone with its parent."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from app.core.child import CHECKOUT, SilenceWatch
from app.core.errors.hub_errors import DownloadFailed, DownloadRunning, FileNotOnHub
from app.core.events import CancelToken
from app.hub.part import PartialFile, throw_away
from app.hub.protocol import WIRE, ChildEvent, Done, Fetched, Job, Phase
from app.hub.transfer import LIMITS_VARIABLE
from tests.helpers.caged import check_caged
from tests.helpers.documents import only_child
from tests.helpers.fake_hub import PIECE_BYTES, UNTIL_RELEASED_S, FakeHub, File
from tests.helpers.fetching import FILE, QUICK, REPO, SIZE, Fetching, quick_children
from tests.helpers.program import children_of, is_gone, wait_until


@pytest.fixture
def fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetching]:
    """A file to fetch by a child in a hurry."""
    with quick_children(monkeypatch), FakeHub() as hub, closing(Fetching(hub, tmp_path)) as fetching:
        yield fetching


def until(events: Iterator[ChildEvent], enough: Callable[[ChildEvent], bool]) -> ChildEvent:
    """The first event that is enough."""
    return next(event for event in events if enough(event))


def in_phase(name: str) -> Callable[[ChildEvent], bool]:
    """Whether an event begins a phase."""
    return lambda event: isinstance(event, Phase) and event.name == name


def test_a_child_fetches_a_file(fetching: Fetching) -> None:
    events = list(fetching.child(CancelToken()))
    assert events[0] == Phase("connecting")
    assert isinstance(events[-1], Done)
    assert events[-1].path == str(fetching.path)
    fetching.assert_complete()


def test_a_child_fetches_into_a_folder_that_is_a_link(fetching: Fetching, tmp_path: Path) -> None:
    (tmp_path / "other disk").mkdir()
    owner = fetching.path.parent.parent
    owner.parent.mkdir(exist_ok=True)
    owner.symlink_to(tmp_path / "other disk")
    assert isinstance(list(fetching.child(CancelToken()))[-1], Done)
    fetching.assert_complete()


def test_the_childs_situation_is_raised(fetching: Fetching) -> None:
    with pytest.raises(FileNotOnHub):
        list(fetching.child(CancelToken(), fetching.job(file="other.gguf")))
    with PartialFile(fetching.path).locked(), pytest.raises(DownloadRunning):
        list(fetching.child(CancelToken()))


def test_a_child_that_is_killed_goes_on_at_the_exact_byte(fetching: Fetching) -> None:
    fetching.hub.bytes_per_s = 600_000
    sizes: list[int] = []
    point = random.randrange(1, 80_000)
    for event in fetching.child(CancelToken()):
        if len(sizes) < 5 and isinstance(event, Fetched) and event.done_bytes >= point:
            pid = only_child()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: is_gone(pid), "the child to end")
            sizes.append(fetching.part.stat().st_size)
            point = sizes[-1] + random.randrange(1, 80_000)
    assert len(sizes) == 5
    assert fetching.ranges() == [None, *sizes]
    fetching.assert_complete()


def test_a_silent_child_is_named_and_given_up_and_the_download_goes_on(fetching: Fetching) -> None:
    fetching.hub.bytes_per_s = 600_000
    events = fetching.child(CancelToken())
    until(events, lambda event: isinstance(event, Fetched) and event.done_bytes >= 1000)
    check_caged(only_child())
    os.kill(only_child(), signal.SIGSTOP)
    watch = SilenceWatch()
    wait_until(watch.find_silent, "the silence to be noticed")
    (child,) = watch.find_silent()
    assert (child.work, child.subject) == ("download", FILE)
    child.give_up()
    fetching.hub.bytes_per_s = 0
    assert isinstance(list(events)[-1], Done)
    fetching.assert_complete()


@pytest.mark.parametrize("number", range(5))
def test_a_download_that_was_killed_goes_on_at_the_exact_byte_in_another_run(fetching: Fetching, number: int) -> None:
    fetching.hub.bytes_per_s = 2_000_000
    point = random.Random(number).randrange(1, SIZE // 2)
    events = fetching.child(CancelToken())
    until(events, lambda event: isinstance(event, Fetched) and event.done_bytes >= point)
    os.kill(only_child(), signal.SIGKILL)
    events.close()
    size = fetching.part.stat().st_size
    fetching.hub.bytes_per_s = 0
    done = list(fetching.child(CancelToken()))[-1]
    assert isinstance(done, Done)
    assert done.resumed_bytes == size >= point
    assert fetching.ranges() == [None, size]
    fetching.assert_complete()


def test_a_child_that_ends_again_and_again_is_given_up(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app.hub.running_fetch")
    monkeypatch.setenv(LIMITS_VARIABLE, '{"no such limit": 1}')
    with pytest.raises(DownloadFailed) as caught:
        list(fetching.child(CancelToken()))
    assert caught.value.detail.startswith("exit code 70. ")
    assert "no such limit" in caught.value.detail
    assert len([each for each in caplog.messages if "ended with exit code 70" in each]) == 4
    assert fetching.hub.seen() == []


def test_what_was_said_last_is_said_again_while_nothing_happens(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching.hub.fail("status", status=503, times=-1)
    cancel, waits = CancelToken(), []
    with quick_children(monkeypatch, first_wait_s=60, longest_wait_s=60):
        for event in fetching.child(cancel):
            if isinstance(event, Phase) and event.name == "waiting":
                waits.append(event)
            if len(waits) == 4:
                cancel.cancel()
    assert [each.problem for each in waits] == ["HubUnreachable"] * 4
    assert [each.wait_s for each in waits] == sorted({each.wait_s for each in waits}, reverse=True)


def test_neither_job_nor_token_are_in_the_command_or_the_environment(fetching: Fetching) -> None:
    fetching.token = "hf_very_secret"
    fetching.hub.bytes_per_s = 500_000
    events = fetching.child(CancelToken())
    until(events, in_phase("downloading"))
    process = Path("/proc") / str(only_child())
    said = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
    events.close()
    assert b"--download-worker" in said
    assert b"hf_very_secret" not in said
    assert FILE.encode() not in said


# Cancel and pause, in every phase


def hold_connecting(fetching: Fetching) -> None:
    fetching.hub.fail("slow", server="hub", method="HEAD", times=-1)


def hold_content(fetching: Fetching) -> None:
    fetching.hub.fail("slow", times=-1)


def hold_checking(fetching: Fetching) -> None:
    """A part of many gigabytes, which take no room: reading it again takes its time."""
    whole = fetching.root / "huge"
    with whole.open("wb") as file:
        file.truncate(50 * 10**9)
    fetching.hub.repos[REPO].files[FILE] = File(whole, "a" * 64, 50 * 10**9)
    fetching.leave_part(0)
    with fetching.part.open("wb") as file:
        file.truncate(49 * 10**9)


def hold_downloading(fetching: Fetching) -> None:
    fetching.hub.bytes_per_s = 300_000


def hold_stalled(fetching: Fetching) -> None:
    fetching.hub.fail("stall", after_bytes=100_000, times=-1)


def hold_waiting(fetching: Fetching) -> None:
    fetching.hub.fail("status", status=503, headers={"Retry-After": "3600"}, times=-1)


def hold_nothing(fetching: Fetching) -> None:
    """Verifying is over in a moment."""


PHASES = [
    ("connecting", hold_connecting),
    ("connecting", hold_content),
    ("checking", hold_checking),
    ("downloading", hold_downloading),
    ("downloading", hold_stalled),
    ("waiting", hold_waiting),
    ("verifying", hold_nothing),
]


@pytest.mark.parametrize(("phase", "hold"), PHASES, ids=[f"{name}-{hold.__name__}" for name, hold in PHASES])
@pytest.mark.parametrize("way", ["cancel", "pause"])
def test_an_end_is_heard_at_once_in_every_phase(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch, phase: str, hold: Callable[[Fetching], None], way: str
) -> None:
    hold(fetching)
    cancel = CancelToken()
    with quick_children(monkeypatch, read_timeout_s=UNTIL_RELEASED_S):
        events = fetching.child(cancel)
        first = next(events)
        pids = children_of()
        assert len(pids) == 1 or (not pids and hold is hold_nothing)  # that may be over before anybody looks
        until(chain([first], events), in_phase(phase))
        if phase == "connecting":
            server = "storage" if hold is hold_content else "hub"
            fetching.hub.wait_for(lambda: bool(fetching.hub.seen(server)))
        cancel.cancel()
        rest = list(events)
    assert all(is_gone(pid) for pid in pids)
    assert len(rest) <= 2
    if way == "cancel":
        throw_away(fetching.path)
        assert not fetching.part.exists()
    requests, sent = len(fetching.hub.seen()), fetching.hub.sent_of("/blob/")
    fetching.hub.heal()
    wait_until(lambda: not fetching.hub.open_connections(), "the connections to end")
    assert len(fetching.hub.seen()) == requests
    assert fetching.hub.sent_of("/blob/") - sent <= 2 * PIECE_BYTES  # what was being written when the other end left


def test_a_paused_download_goes_on_at_the_exact_byte(fetching: Fetching) -> None:
    fetching.hub.bytes_per_s = 1_000_000
    cancel = CancelToken()
    events = fetching.child(cancel)
    until(events, lambda event: isinstance(event, Fetched) and event.done_bytes > 300_000)
    cancel.cancel()
    list(events)
    size = fetching.part.stat().st_size
    list(fetching.child(CancelToken()))
    assert fetching.ranges() == [None, size]
    fetching.assert_complete()


def test_who_is_cancelled_before_it_begins_starts_no_child(fetching: Fetching) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert list(fetching.child(cancel)) == []
    assert not (fetching.root / "work").exists()


# The parent's end


def job_file(job: Job, folder: Path) -> Path:
    """A job as a file, for another process."""
    path = folder / "job.json"
    path.write_bytes(WIRE.encode_message(job))
    return path


@pytest.mark.parametrize(
    "hold",
    [
        *(pytest.param(hold, marks=pytest.mark.slow) for hold in (hold_connecting, hold_checking, hold_waiting)),
        hold_downloading,
        hold_stalled,
    ],
)
def test_a_child_does_not_outlive_its_parent(fetching: Fetching, hold: Callable[[Fetching], None]) -> None:
    hold(fetching)
    phase = hold.__name__.removeprefix("hold_").replace("stalled", "downloading")
    code = (
        "import sys, pathlib; from app.core.events import CancelToken\n"
        "from app.hub.running_fetch import fetch_download\n"
        "from app.hub.protocol import WIRE\n"
        "job = WIRE.parse_request(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "for event in fetch_download(job, folder=pathlib.Path(sys.argv[2]), cancel=CancelToken()):\n"
        f"    if getattr(event, 'name', '') == {phase!r}: print('there', flush=True)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(job_file(fetching.job(), fetching.root)), str(fetching.root / "work")],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
        env=os.environ | {LIMITS_VARIABLE: json.dumps(QUICK | {"read_timeout_s": UNTIL_RELEASED_S})},
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"there\n"
        (pid,) = children_of(parent.pid)
        parent.kill()
        wait_until(lambda: is_gone(pid), "the child to leave")


def test_a_child_without_a_job_leaves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--download-worker"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20, check=False, cwd=CHECKOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_line_that_is_no_job_ends_the_child(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--download-worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=CHECKOUT) as child:
        assert child.stdin is not None and child.stderr is not None
        child.stdin.write(b"{}\n")
        child.stdin.flush()
        assert b"ProtocolViolation" in child.stderr.read()
    assert child.returncode == 70


def test_fetching_takes_no_part_of_the_window(fetching: Fetching) -> None:
    """Closing the generator is an end, too: whoever drops it leaves no child."""
    fetching.hub.bytes_per_s = 300_000
    events = fetching.child(CancelToken())
    until(events, in_phase("downloading"))
    pid = only_child()
    events.close()
    assert is_gone(pid)
