"""The download child's work over real HTTP: what goes wrong on the way, and that a whole file is what comes of it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.hub_errors import (
    AccessGated,
    DownloadDamaged,
    DownloadFailed,
    DownloadRunning,
    FileNotOnHub,
    HubUnreachable,
    NetworkOff,
    NotEnoughDisk,
    RepositoryMissing,
    TokenRefused,
)
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.part import PartialFile
from app.hub.protocol import Done
from app.hub.transfer import LIMITS_VARIABLE, TransferLimits, limits_from
from tests.helpers.fake_hub import COMMIT, FakeHub
from tests.helpers.fetching import FILE, REPO, SIZE, Fetching, content_of

CUT = 700_000


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Fetching]:
    """A file to fetch in this process."""
    from huggingface_hub import close_session

    with FakeHub() as hub:
        yield Fetching(hub, tmp_path)
        close_session()


def test_a_file_comes_whole_and_says_where_it_came_from(fetching: Fetching) -> None:
    done = fetching.here()
    sha256 = fetching.hub.repos[REPO].files[FILE].sha256
    assert done == Done(str(fetching.path), SIZE, sha256, COMMIT, 0, done.seconds)
    fetching.assert_complete()
    note = json.loads(fetching.path.with_name(FILE + ".json").read_text("utf-8"))
    when = datetime.fromisoformat(note.pop("downloaded_at"))
    assert datetime.now(UTC) - when < timedelta(minutes=5)
    assert note == {
        "version": 1, "repo": REPO, "file": FILE, "commit": COMMIT, "sha256": sha256, "size_bytes": SIZE
    }  # fmt: skip
    assert fetching.phases() == ["connecting", "downloading", "verifying"]
    assert fetching.fetched()[-1] == SIZE
    assert [each.headers["accept-encoding"] for each in fetching.hub.seen("storage")] == ["identity"]


def test_progress_comes_at_most_ten_times_a_second(fetching: Fetching) -> None:
    fetching.hub.bytes_per_s = 4_000_000
    done = fetching.here()
    assert 1 <= len(fetching.fetched()) <= done.seconds * 10 + 2
    assert fetching.fetched() == sorted(fetching.fetched())


def test_every_connection_is_in_the_ledger(fetching: Fetching) -> None:
    fetching.here()
    content, head = ConnectionLedger(fetching.ledger).connections()
    assert (content.status, content.bytes, head.status) == (200, SIZE, 302)
    assert content.why == head.why == f"download {REPO}/{FILE}"


def test_the_token_is_sent_to_the_hub_and_not_to_the_storage_host(fetching: Fetching) -> None:
    fetching.token = "hf_secret"
    fetching.hub.add(REPO, {FILE: fetching.content}, private=True, open_to=("hf_secret",))
    fetching.here()
    assert fetching.hub.seen("hub")[0].headers["authorization"] == "Bearer hf_secret"
    assert all("hf_secret" not in str(each) for each in fetching.hub.seen("storage"))
    assert "hf_secret" not in fetching.ledger.read_text("utf-8")


def test_a_small_file_comes_from_the_hub_itself_with_the_token(fetching: Fetching) -> None:
    fetching.token = "hf_secret"
    fetching.hub.add(REPO, {"small.txt": b"words"}, private=True, open_to=("hf_secret",))
    done = fetching.here(fetching.job(file="small.txt"))
    assert Path(done.path).read_bytes() == b"words"
    assert done.size_bytes == 5


def test_an_empty_file_is_one(fetching: Fetching) -> None:
    fetching.hub.add(REPO, {FILE: b""})
    assert fetching.here().size_bytes == 0
    assert fetching.path.read_bytes() == b""


@pytest.mark.parametrize("name", ["Größe-模型.gguf", "folder/sub folder/part+1 (x)#%41.gguf"])
def test_unusual_names_are_only_names(fetching: Fetching, name: str) -> None:
    fetching.hub.add(REPO, {name: fetching.content})
    fetching.here(fetching.job(file=name))
    assert (fetching.models / REPO / name).read_bytes() == fetching.content


@pytest.mark.parametrize(
    "name",
    [
        "../../outside.gguf", "/etc/outside.gguf", "C:outside.gguf", "C:\\outside.gguf", "a/../../../../outside.gguf",
        "nul\0.gguf", "", ".", "..", "..\\outside.gguf", "a//b.gguf", ".trash/x.gguf", "con.gguf", "x" * 250,
        "end. ", "\ud800.gguf", "bell\x07.gguf", "file.gguf:stream",
    ],
)  # fmt: skip
def test_hostile_names_never_leave_the_models_folder(fetching: Fetching, name: str) -> None:
    fetching.fails_with(DownloadFailed, fetching.job(file=name))
    fetching.fails_with(DownloadFailed, fetching.job(repo=f"someone/{name}"))
    fetching.fails_with(DownloadFailed, fetching.job(repo="one/two/three"))
    assert fetching.hub.seen() == []
    assert not any("outside" in each.name for each in fetching.root.rglob("*"))


# Going on


def test_a_part_is_read_again_and_gone_on_with(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    assert fetching.here().resumed_bytes == CUT
    assert fetching.ranges() == [CUT]
    assert fetching.phases() == ["connecting", "checking", "connecting", "downloading", "verifying"]
    fetching.assert_complete()


def test_a_complete_part_needs_no_request(fetching: Fetching) -> None:
    fetching.leave_part(SIZE)
    assert fetching.here().resumed_bytes == SIZE
    assert fetching.ranges() == []
    fetching.assert_complete()


def test_a_finished_file_is_not_fetched_again(fetching: Fetching) -> None:
    fetching.here()
    assert fetching.here().resumed_bytes == SIZE
    assert len(fetching.ranges()) == 1
    fetching.assert_complete()


def test_another_file_at_the_final_name_is_replaced(fetching: Fetching) -> None:
    fetching.path.parent.mkdir(parents=True)
    fetching.path.write_bytes(content_of(seed=2))
    fetching.here()
    fetching.assert_complete()


def test_a_changed_etag_starts_anew(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    fetching.content = content_of(seed=2)
    fetching.hub.add(REPO, {FILE: fetching.content})
    assert fetching.here().resumed_bytes == 0
    assert fetching.ranges() == [None]
    fetching.assert_complete()


def test_a_part_longer_than_the_file_starts_anew(fetching: Fetching) -> None:
    fetching.leave_part(SIZE + 10, fetching.content + b"0123456789")
    assert fetching.here().resumed_bytes == 0
    assert fetching.ranges() == [None]
    fetching.assert_complete()


@pytest.mark.parametrize("size", [CUT, SIZE])
def test_an_edited_part_is_noticed_at_the_end_and_fetched_anew(fetching: Fetching, size: int) -> None:
    fetching.leave_part(size, b"edited" + fetching.content[6:])
    fetching.here()
    assert fetching.ranges() == ([None] if size == SIZE else [CUT, None])
    fetching.assert_complete()


@pytest.mark.parametrize("note", ["", "{}", "[1]", '{"version": 2}', "not json"])
def test_a_part_without_a_sound_note_starts_anew(fetching: Fetching, note: str) -> None:
    fetching.leave_part(CUT)
    fetching.sidecar.write_text(note, "utf-8")
    assert fetching.here().resumed_bytes == 0
    fetching.assert_complete()


def test_only_one_at_a_time_may_fetch_a_file(fetching: Fetching) -> None:
    with PartialFile(fetching.path).locked():
        fetching.fails_with(DownloadRunning)
    fetching.here()
    fetching.assert_complete()


def test_416_starts_anew_once(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    fetching.hub.fail("status", status=416)
    fetching.here()
    assert fetching.ranges() == [CUT, None]
    fetching.assert_complete()


def test_416_for_ever_is_damage(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    fetching.hub.fail("status", status=416, times=-1)
    fetching.fails_with(DownloadDamaged)
    assert fetching.ranges() == [CUT, None]


def test_a_host_that_ignores_the_range_is_read_from_the_start(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    fetching.hub.fail("ignore_range")
    fetching.here()
    assert fetching.ranges() == [CUT]
    assert fetching.hub.sent_of("/blob/") == SIZE
    fetching.assert_complete()


def test_another_range_than_the_one_asked_for_is_not_written(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    headers = {"Content-Range": f"bytes 5-9/{SIZE}"}
    fetching.hub.fail("status", status=206, headers=headers, body=b"wrong")
    fetching.here()
    assert fetching.ranges() == [CUT, None]
    fetching.assert_complete()


# Trouble on the way


@pytest.mark.parametrize("kind", ["fin", "reset", "stall", "trickle"])
def test_a_connection_that_breaks_is_gone_on_with(fetching: Fetching, kind: str) -> None:
    fetching.hub.fail(kind, after_bytes=CUT, bytes_per_s=50)
    impatient = {"stall": {"read_timeout_s": 2.0}, "trickle": {"slow_after_s": 0.3}}
    fetching.here(**impatient.get(kind, {}))
    first, second = fetching.ranges()
    assert first is None
    assert second is not None and (second == CUT if kind in ("fin", "stall") else 0 <= second <= CUT + 500)
    assert [each.problem for each in fetching.waits()] == ["HubUnreachable"]
    fetching.assert_complete()


def test_a_connection_that_breaks_again_and_again_loses_nothing(fetching: Fetching) -> None:
    fetching.hub.fail("fin", after_bytes=200_000, times=-1)
    fetching.here()
    assert fetching.ranges() == [None, *range(200_000, SIZE, 200_000)]
    fetching.assert_complete()


def test_waits_grow_without_progress_and_start_small_again_with_it(fetching: Fetching) -> None:
    fetching.hub.fail("refuse_connection", times=4)
    fetching.hub.fail("fin", after_bytes=CUT)
    fetching.here(first_wait_s=0.02, longest_wait_s=0.1)
    waits = [each.wait_s for each in fetching.waits()]
    for wait_s, most_s in zip(waits, [0.02, 0.04, 0.08, 0.1, 0.02], strict=True):
        assert most_s * 0.75 - 0.01 <= wait_s <= most_s


@pytest.mark.parametrize("server", ["hub", "storage"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_passes_is_waited_for(fetching: Fetching, status: int, server: str) -> None:
    fetching.hub.fail("status", status=status, server=server, method="")
    fetching.here()
    assert [each.problem for each in fetching.waits()] == ["HubBusy" if status == 429 else "HubUnreachable"]
    fetching.assert_complete()


@pytest.mark.parametrize("kind", ["refuse_connection", "stall_before"])
def test_a_hub_that_does_not_answer_is_asked_again(fetching: Fetching, kind: str) -> None:
    if kind == "stall_before":
        fetching.hub.fail("slow", server="hub", method="HEAD", seconds=30)
    else:
        fetching.hub.fail(kind, server="hub", method="HEAD", times=3)
    fetching.here(read_timeout_s=1.0 if kind == "stall_before" else 30.0)
    assert fetching.waits()
    fetching.assert_complete()


@pytest.mark.parametrize(
    ("headers", "least_s"),
    [
        ({"Retry-After": "1"}, 1.0),
        ({"RateLimit": '"resolvers";r=0;t=1'}, 1.0),
        ({"RateLimit": '"resolvers";r=2999;t=100'}, 0.0),
        ({"Retry-After": format_datetime(datetime.now(UTC) - timedelta(days=1))}, 0.0),
    ],
)
@pytest.mark.parametrize("server", ["hub", "storage"])
def test_the_wait_that_is_asked_for_is_kept(
    fetching: Fetching, headers: dict[str, str], least_s: float, server: str
) -> None:
    fetching.hub.fail("status", status=429, headers=headers, server=server, method="")
    fetching.here()
    assert [least_s <= each.wait_s <= least_s + 0.06 for each in fetching.waits()] == [True]


def test_an_expired_link_is_renewed(fetching: Fetching) -> None:
    fetching.hub.fail("fin", after_bytes=CUT)
    seen = threading.Event()

    def expire_when_it_breaks(event: Any) -> None:
        fetching.events.append(event)
        if getattr(event, "name", "") == "waiting" and not seen.is_set():
            seen.set()
            fetching.hub.expire_links()

    from app.hub.transfer import FileTransfer

    done = FileTransfer(fetching.job(), expire_when_it_breaks, TransferLimits(first_wait_s=0.02, reserve_bytes=0)).run()
    assert done.resumed_bytes == 0
    assert fetching.ranges() == [None, CUT, CUT]
    assert len(fetching.hub.seen("hub", "HEAD")) == 2
    fetching.assert_complete()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refused_link_is_renewed_once_and_then_told(fetching: Fetching, status: int) -> None:
    fetching.hub.fail("status", status=status)
    fetching.here()
    fetching.path.unlink()
    fetching.hub.fail("status", status=status, times=-1)
    error = fetching.fails_with(FileNotOnHub if status in (404, 410) else HubUnreachable)
    assert getattr(error, "reason", "server") == "server"


# What makes no sense to repeat


@pytest.mark.parametrize("size", [0, CUT])
def test_a_wrong_byte_is_fetched_anew_once(fetching: Fetching, size: int) -> None:
    if size:
        fetching.leave_part(size)
    fetching.hub.fail("flip", after_bytes=1000)
    fetching.here()
    assert fetching.ranges() == [size or None, None]
    fetching.assert_complete()


def test_a_wrong_byte_each_time_is_damage_and_nothing_stays(fetching: Fetching) -> None:
    fetching.hub.fail("flip", after_bytes=1000, times=-1)
    assert fetching.fails_with(DownloadDamaged).file == FILE
    assert fetching.ranges() == [None, None]
    assert [each for each in fetching.models.rglob("*") if each.is_file() and not each.name.endswith(".lock")] == []


def test_a_short_body_is_fetched_anew_once(fetching: Fetching) -> None:
    fetching.hub.fail("short", after_bytes=CUT)
    fetching.here()
    assert fetching.ranges() == [None, None]
    fetching.assert_complete()


def test_a_short_body_each_time_is_damage(fetching: Fetching) -> None:
    fetching.hub.fail("short", after_bytes=CUT, times=-1)
    fetching.fails_with(DownloadDamaged)
    assert not fetching.part.exists()


def test_a_body_longer_than_promised_is_not_written(fetching: Fetching) -> None:
    body = b"5\r\nwrong\r\n%x\r\n%s\r\n0\r\n\r\n" % (SIZE, bytes(SIZE))
    fetching.hub.fail("status", status=200, headers={"Transfer-Encoding": "chunked"}, body=body)
    fetching.here()
    fetching.assert_complete()


@pytest.mark.parametrize("server", ["hub", "storage"])
def test_a_portals_page_is_no_file_and_leaves_the_part_alone(fetching: Fetching, server: str) -> None:
    fetching.leave_part(CUT)
    fetching.hub.fail("html", server=server, method="", times=-1)
    assert fetching.fails_with(HubUnreachable).reason == "captive_portal"
    assert fetching.part.read_bytes() == fetching.content[:CUT]


def test_a_portal_that_leads_elsewhere_is_one(fetching: Fetching) -> None:
    fetching.hub.fail("status", server="hub", method="HEAD", status=302, headers={"Location": "http://portal.test/in"})
    assert fetching.fails_with(HubUnreachable).reason == "captive_portal"


def test_511_is_a_portal(fetching: Fetching) -> None:
    fetching.hub.fail("status", status=511, times=-1)
    assert fetching.fails_with(HubUnreachable).reason == "captive_portal"


def test_an_answer_without_sense_is_told(fetching: Fetching) -> None:
    fetching.hub.fail("status", status=200, server="hub", method="HEAD", body=b"{}")
    assert fetching.fails_with(HubUnreachable).reason == "garbage"
    fetching.hub.fail("status", status=418)
    assert fetching.fails_with(HubUnreachable).reason == "garbage"


def test_a_gated_repository_asks_for_consent(fetching: Fetching) -> None:
    fetching.hub.add(REPO, {FILE: fetching.content}, gated="manual", open_to=("hf_friend",))
    assert fetching.fails_with(AccessGated).has_token is False
    fetching.token = "hf_stranger"
    assert fetching.fails_with(AccessGated).has_token is True
    fetching.token = "hf_friend"
    fetching.here()
    fetching.assert_complete()


def test_what_is_not_there_is_told(fetching: Fetching) -> None:
    assert fetching.fails_with(FileNotOnHub, fetching.job(file="other.gguf")).file == "other.gguf"
    assert fetching.fails_with(RepositoryMissing, fetching.job(repo="no/one")).repo == "no/one"
    fetching.token = "hf_old"
    fetching.hub.require_token = "hf_new"
    fetching.fails_with(TokenRefused)
    assert fetching.hub.seen("storage") == []


def test_another_file_than_the_chosen_one_is_not_fetched(fetching: Fetching) -> None:
    fetching.fails_with(FileNotOnHub, fetching.job(sha256="0" * 64))
    assert fetching.hub.seen("storage") == []


def test_nothing_goes_out_while_the_network_is_off(fetching: Fetching) -> None:
    fetching.fails_with(NetworkOff, fetching.job(access=NetworkAccess(False, fetching.hub.url)))
    assert fetching.hub.seen() == []
    assert not fetching.ledger.exists()


# The disk


def test_a_full_disk_is_told_before_anything_is_fetched(fetching: Fetching) -> None:
    fetching.leave_part(CUT)
    error = fetching.fails_with(NotEnoughDisk, fetching.job(reserve_bytes=10**15))
    assert error.needed_bytes - 10**15 == SIZE - CUT + int(SIZE * 0.02)
    assert 0 < error.free_bytes < 10**15
    assert error.path == str(fetching.models)
    assert fetching.hub.seen("storage") == []
    assert fetching.part.stat().st_size == CUT


@pytest.fixture
def tiny_disk(fetching: Fetching) -> Iterator[Path]:
    """A file system of one megabyte under the models folder."""
    fetching.models.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(fetching.models)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield fetching.models
    subprocess.run(["umount", str(fetching.models)], check=True)


def test_a_disk_that_is_full_in_the_middle_keeps_the_part(fetching: Fetching, tiny_disk: Path) -> None:
    job = fetching.job(reserve_bytes=-(10**9))  # as if the room had been there when it began
    error = fetching.fails_with(NotEnoughDisk, job)
    here = fetching.part.stat().st_size
    assert 900_000 < here < 1_048_576
    assert (error.needed_bytes, error.path) == (SIZE - here, str(tiny_disk))
    assert error.free_bytes < 10_000
    subprocess.run(["mount", "-o", "remount,size=8m", str(tiny_disk)], check=True)
    assert fetching.here().resumed_bytes == here
    assert fetching.ranges() == [None, here]
    fetching.assert_complete()


def test_a_file_where_the_folder_should_be_is_told(fetching: Fetching) -> None:
    fetching.models.mkdir()
    (fetching.models / "someone").write_bytes(b"")
    fetching.fails_with(DownloadFailed)


def test_limits_come_from_the_environment() -> None:
    assert limits_from({}) == TransferLimits()
    assert limits_from({LIMITS_VARIABLE: '{"first_wait_s": 3}'}) == TransferLimits(first_wait_s=3)
