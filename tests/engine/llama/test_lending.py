"""One model over several machines: two that lend on this one, the same words as without them, and one that vanishes."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import MachineLost
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import ModelTooLarge
from app.core.errors.server_errors import PortTaken
from app.core.events import ModelLoaded, TextDelta
from app.core.gguf import check_model
from app.engine import computer, protocol
from app.engine.backend import EngineJob
from app.engine.client import EngineClient
from app.engine.lending import InUse, Lend, Lending, RpcWorker
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import OpenedModel, open_model
from app.engine.llama.model_parameters import BorrowedDevices
from app.engine.protocol import MACHINE
from app.engine.rpc_machines import query_machine
from tests.helpers.engine import GREEDY, answer_of, load, user
from tests.helpers.program import wait_until

pytestmark = pytest.mark.model

GB = 10**9
QUESTION = [user("Tell me about rivers.")]


class Lent:
    """A lender that runs on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.told: list[object] = []
        self._listens, self._stop = threading.Event(), threading.Event()
        self._lender = RpcWorker(Lend("127.0.0.1", 0, GB), folder, self._hear)
        self.address = f"127.0.0.1:{self._lender.lend.port}"
        self._thread = threading.Thread(target=self._lender.run, args=(self._stop.is_set,), name="lender")
        self._thread.start()
        assert self._listens.wait(60)

    def _hear(self, event: object) -> None:
        self.told.append(event)
        if isinstance(event, Lending):
            self._listens.set()

    def vanish(self) -> None:
        """As by a power cut."""
        self._stop.set()
        self._thread.join()
        self._lender.close()


@pytest.fixture
def lend(tmp_path: Path) -> Iterator[Callable[[], Lent]]:
    """Starts one that lends a gigabyte."""
    made: list[Lent] = []

    def one_more() -> Lent:
        made.append(Lent(tmp_path / f"lender{len(made)}"))
        return made[-1]

    yield one_more
    for one in made:
        one.vanish()


def loaded(client: EngineClient) -> ModelLoaded:
    assert client.loaded is not None
    return client.loaded


def broken_off(client: EngineClient, by: Callable[[], object]) -> AppError:
    """How a long answer ends in whose middle something happens."""
    seen = 0
    with pytest.raises(AppError) as caught:
        for event in client.generate(QUESTION, sampling=GREEDY, max_tokens=1500):
            seen += isinstance(event, TextDelta)
            if seen == 3:
                by()
    return caught.value


def test_layers_on_two_machines_write_the_same_and_one_that_vanishes_ends_one_answer(
    tiny_model: Callable[[str], Path], lend: Callable[[], Lent], tmp_path: Path
) -> None:
    model, first, second = tiny_model("llama"), lend(), lend()
    with socket.create_server(("127.0.0.1", 0)) as found:
        nobody = f"127.0.0.1:{found.getsockname()[1]}"
    usable = [first.address, nobody, second.address]
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine", machines=lambda: tuple(usable))
    try:
        load(client, model)
        assert [one.device for one in loaded(client).placement] == ["CPU"], "without need they are left alone"
        here, _ = answer_of(client.generate(QUESTION, sampling=GREEDY, max_tokens=24))

        load(client, model, devices=(first.address, second.address), gpu_layers=2)
        placed = {one.device: one for one in loaded(client).placement}
        assert list(placed)[:3] == ["CPU", first.address, second.address]
        assert [placed[one].layers for one in list(placed)[:3]] == [1, 1, 1]
        assert all(placed[one.address].weights_bytes for one in (first, second))
        assert loaded(client).machines_missed == (), "it was not asked to help"

        there, _ = answer_of(client.generate(QUESTION, sampling=GREEDY, max_tokens=24))
        assert there == here

        found_now = client.describe_devices()
        lent = [device for device in found_now.devices if device.type == MACHINE]
        assert [device.name for device in lent] == [first.address, second.address]
        assert all(0 < device.free_bytes <= device.total_bytes == GB for device in lent)
        assert [(one.address, one.reason) for one in found_now.missed] == [(nobody, "refused")]

        problem = broken_off(client, by=second.vanish)
        assert isinstance(problem, MachineLost) and set(problem.addresses) == {first.address, second.address}
        again, _ = answer_of(client.generate(QUESTION, sampling=GREEDY, max_tokens=24))
        assert again == here
        assert {one.device for one in loaded(client).placement} == {"CPU", first.address}
        assert loaded(client).machines_missed == (second.address,)
        wait_until(lambda: InUse(is_used=True) in first.told, "the lender to look who is connected")

        def switch_off() -> None:
            usable.clear()
            client.leave_machines()

        assert isinstance(broken_off(client, by=switch_off), NetworkOff)
        alone, _ = answer_of(client.generate(QUESTION, sampling=GREEDY, max_tokens=24))
        assert alone == here and {one.device for one in loaded(client).placement} == {"CPU"}
        client.leave_machines()
        assert client.loaded is not None, "it lies here"
    finally:
        client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long a connection has been silent")
def test_a_client_that_says_nothing_does_not_keep_others_out(lend: Callable[[], Lent]) -> None:
    lender = lend()
    host, port = lender.address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as silent:
        assert silent.recv(1) == b"", "it was not let go"
        assert query_machine(lender.address).devices


def test_where_a_model_does_not_fit_here_it_goes_to_a_machine_by_itself(
    starter: Path, lend: Callable[[], Lent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lender = lend()
    monkeypatch.setattr(computer, "free_memory_bytes", lambda: 356 * 2**20)
    monkeypatch.setattr(computer, "total_memory_bytes", lambda: 356 * 2**20)
    monkeypatch.setattr(BorrowedDevices, "is_here", lambda _self, _name: False)  # else it is this very memory
    library = open_library()

    def opened(*machines: str) -> OpenedModel:
        wish, job = protocol.Wish(context_tokens=512), EngineJob(lambda _: None)
        request = protocol.LoadModel(1, str(starter), wish, machines=machines)
        found = open_model(library, request, check_model(starter), job, folder=tmp_path)
        assert found is not None
        library.c.llama_free(found.context)
        found.model.free()
        return found

    with pytest.raises(ModelTooLarge):
        opened()
    found = opened(lender.address)
    assert {one.device: one.layers for one in found.placement} == {lender.address: 31, "CPU": 0}
    assert found.plan.choice == "asked"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        lender = RpcWorker(Lend("127.0.0.1", taken.getsockname()[1]), tmp_path, lambda _: None)
        with pytest.raises(PortTaken) as caught:
            lender.run(lambda: False)
        lender.close()
    assert caught.value.detail
