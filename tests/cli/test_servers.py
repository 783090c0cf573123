"""A model on a server in the terminal: by its name, and never without it."""

from __future__ import annotations

import json
from pathlib import Path

from app.core.errors.server_errors import ServerUnreachable
from app.core.paths import AppPaths
from app.core.settings import EngineSettings, Settings, save_settings
from app.features.error_messages import sentence_for
from app.remote.servers import RemoteServer, RemoteServers
from tests.helpers.fake_server import FakeServer
from tests.helpers.terminal import fireside


def keep(address: str, name: str) -> Path:
    """A server with one model; where that is."""
    servers = RemoteServers(AppPaths.from_environment().servers, None)  # type: ignore[arg-type]
    model = servers.model_of(RemoteServer("box", address), name)
    servers.save(model.server, [model])
    return model.path


def test_a_model_on_a_server_is_asked_by_its_name() -> None:
    with FakeServer("Hello from afar.") as server:
        keep(server.address, "tiny-1B")
        result = fireside("chat", "-p", "Hello", "--model", "tiny-1b@box", "--json")
        assert result.returncode == 0, result.stderr
        told = json.loads(result.stdout)
        assert (result.returncode, told["text"]) == (0, "Hello from afar.")
        server.close()
        result = fireside("chat", "-p", "Hello", "--model", "tiny-1B")
        refused = ServerUnreachable(server.address.removeprefix("http://").removesuffix("/v1"), "refused")
        assert (result.returncode, result.stderr) == (1, f"{sentence_for(refused).text}\n")


def test_one_that_was_chosen_in_the_window_is_not_asked_without_its_name(tmp_path: Path) -> None:
    path = keep("http://gpu-box.invalid/v1", "tiny-1B")
    save_settings(AppPaths.from_environment().settings, Settings(engine=EngineSettings(model_path=str(path))))
    document = tmp_path / "lease.txt"
    document.write_text("The deposit is 2,400 euros.\n" * 9)
    result = fireside("summarize", str(document), "--method", "model")
    assert result.returncode == 1
    assert "runs on gpu-box.invalid. Name it with --model" in result.stderr
    assert not AppPaths.from_environment().connections.exists()
