"""Which engine a tab's job gets: the chat's, waited for and woken, or a second one, in real scripted children."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.errors import DiskFull, ModelUnreadable, NoModel, NoRoomForModel
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from app.features.models.model_pool import ModelPool, ModelSwap
from app.features.models.pool_policy import RESERVE_BYTES
from app.features.work.task_engines import TaskEngines
from tests.helpers.engine import answer_of, load, scripted_client, user
from tests.helpers.script import write_script

GB = 10**9
CHAT, OWN = Path("/models/chat.gguf"), Path("/models/own.gguf")
BROKEN = Path("/models/broken.gguf")
LOAD = {"needed_bytes": 4 * GB}
BREAKS = {"load": [{"any_path": True, "error": "ModelUnreadable", "fields": {"reason": "damaged"}}]}


class Desk:
    """A chat's engine, which has loaded nothing yet, and what a tab's jobs get."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        script = write_script(folder / "script", load=LOAD)
        self.chats = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], folder / "chats")
        self.made: list[EngineClient] = []
        self.free_bytes, self.rules = 100 * GB, {"load": {"any_path": True} | LOAD}
        self.chats_model: Path | None = CHAT
        self.own: Path | None = None
        self.used: list[Path] = []
        self.pool = ModelPool(
            self.chats,
            lambda: self.chats_model,
            lambda: Wish(512),
            self._make,
            free_bytes=lambda: self.free_bytes,
            needs=lambda path: 2 * GB,
        )
        self.engines = TaskEngines("summarize", self.pool, lambda: self.own, mark_used=self._mark_used)

    def _mark_used(self, path: Path) -> None:
        self.used.append(path)
        raise DiskFull(str(path))

    def _make(self) -> EngineClient:
        self.made.append(scripted_client(self._folder / f"beside{len(self.made)}", self.rules))
        return self.made[-1]

    def close(self) -> None:
        for engine in (self.chats, *self.made):
            engine.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def model_in(engine: EngineClient | None) -> Path | None:
    return Path(engine.loaded.path) if engine is not None and engine.loaded is not None else None


def test_without_a_model_of_the_tab_it_is_the_chats_engine_loaded_where_nobody_has(desk: Desk) -> None:
    with desk.engines.open_engine(CancelToken()) as engine:
        assert engine is desk.chats
        assert (model_in(engine), desk.made) == (CHAT, [])
        assert engine.loaded is not None
        assert engine.loaded.context_tokens == 512, "as the settings say"
    assert model_in(desk.chats) == CHAT


def test_whatever_the_chat_has_in_serves_where_the_tab_has_no_model_of_its_own(desk: Desk) -> None:
    load(desk.chats, OWN)
    with desk.engines.open_engine(CancelToken()) as engine:
        assert model_in(engine) == OWN


@pytest.mark.parametrize("own", [None, CHAT])
def test_the_chats_model_is_woken(desk: Desk, own: Path | None) -> None:
    desk.own = own
    load(desk.chats, CHAT)
    desk.chats.sleep()
    with desk.engines.open_engine(CancelToken()) as engine:
        assert (engine is desk.chats, model_in(engine)) == (True, CHAT)


def test_without_any_model_that_is_said(desk: Desk) -> None:
    desk.chats_model = None
    with pytest.raises(NoModel), desk.engines.open_engine(CancelToken()):
        pass


def test_cancelled_there_is_no_engine(desk: Desk) -> None:
    cancel = CancelToken()
    cancel.cancel()
    for desk.own in (None, OWN):
        with desk.engines.open_engine(cancel) as engine:
            assert engine is None


def test_the_tabs_own_model_comes_beside_the_chats_and_goes_afterwards(desk: Desk) -> None:
    desk.own = OWN
    load(desk.chats, CHAT)
    with desk.engines.open_engine(CancelToken()) as engine:
        assert (model_in(engine), model_in(desk.chats)) == (OWN, CHAT)
        assert desk.used == [OWN], "lists say so, and a full disk stops no work"
        assert engine is not None
        assert answer_of(engine.generate([user("hello")]))[0] == "You said: hello"
    assert engine.pid is None


def test_it_stays_between_two_summaries_as_long_as_it_is_held_and_an_estimate_shares_it(desk: Desk) -> None:
    desk.own = OWN
    with desk.engines.hold_engine(CancelToken()):
        for _ in range(2):
            with desk.engines.open_engine(CancelToken()) as engine:
                with desk.engines.open_engine(CancelToken(), may_ask=False) as same:
                    assert same is engine
                assert model_in(engine) == OWN
        assert len(desk.made) == 1
        # Another model gets its memory where that is needed.
        desk.own, desk.free_bytes = Path("/models/another.gguf"), 2 * GB
        with desk.engines.open_engine(CancelToken()) as engine:
            assert model_in(engine) == desk.own
        assert [one.pid is None for one in desk.made] == [True, False]
    assert desk.made[1].pid is None


def test_the_chats_model_gives_way_only_where_a_person_says_so(desk: Desk) -> None:
    desk.own, desk.free_bytes = OWN, GB + RESERVE_BYTES
    load(desk.chats, CHAT)
    asked: list[ModelSwap] = []
    with pytest.raises(NoRoomForModel) as raised, desk.engines.open_engine(CancelToken()):
        pass
    assert (raised.value.wanted, raised.value.loaded) == ("own", "chat")
    desk.engines.ask = lambda swap: bool(asked.append(swap)) or True
    with pytest.raises(NoRoomForModel), desk.engines.open_engine(CancelToken(), may_ask=False):
        pass
    assert (asked, model_in(desk.chats)) == ([], CHAT)
    with desk.engines.open_engine(CancelToken()) as engine:
        assert (engine is desk.chats, model_in(desk.chats)) == (True, OWN)
    assert (len(asked), model_in(desk.chats)) == (1, CHAT)


def test_when_the_program_quits_the_model_that_gave_way_does_not_come_back_first(desk: Desk) -> None:
    desk.own, desk.free_bytes = OWN, GB + RESERVE_BYTES
    load(desk.chats, CHAT)
    desk.engines.ask = lambda swap: True
    cancel = CancelToken()
    with desk.engines.hold_engine(cancel), desk.engines.open_engine(cancel):
        cancel.cancel()
    assert model_in(desk.chats) == OWN


def test_a_second_engine_ends_with_the_program(desk: Desk) -> None:
    desk.own = OWN
    with desk.engines.open_engine(CancelToken()) as engine:
        desk.pool.close()
        assert engine is not None
        assert engine.pid is None


def test_while_it_is_held_a_person_is_asked_once(desk: Desk) -> None:
    desk.own, desk.free_bytes = OWN, GB + RESERVE_BYTES
    load(desk.chats, CHAT)
    asked: list[ModelSwap] = []
    desk.engines.ask = lambda swap: bool(asked.append(swap))
    with desk.engines.hold_engine(CancelToken()):
        with pytest.raises(NoRoomForModel), desk.engines.open_engine(CancelToken(), may_ask=False):
            pass
        assert asked == []
        for _ in range(2):
            with pytest.raises(NoRoomForModel), desk.engines.open_engine(CancelToken()):
                pass
    assert len(asked) == 1


def test_a_model_that_cannot_be_loaded_leaves_no_engine_behind(desk: Desk) -> None:
    desk.own, desk.rules = BROKEN, BREAKS
    load(desk.chats, CHAT)
    with pytest.raises(ModelUnreadable), desk.engines.open_engine(CancelToken()):
        pass
    assert [one.pid for one in desk.made] == [None]
    desk.rules, desk.own = {"load": {"any_path": True}}, OWN
    with desk.engines.open_engine(CancelToken()) as engine:
        assert model_in(engine) == OWN
