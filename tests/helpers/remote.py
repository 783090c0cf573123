"""Servers that a person added, without a keyring, and an engine that asks them."""

from __future__ import annotations

from pathlib import Path

from app.core.events import ModelElsewhere
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.model_server import ModelServer
from app.remote.engine import RemoteEngine
from app.remote.server_facts import find_out
from app.remote.servers import RemoteServer, RemoteServers


class Keys:
    """In place of the keyring."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def load(self, host: str) -> str:
        return self.kept.get(host, "")

    def save(self, text: str, host: str) -> None:
        self.kept[host] = text


class Remote:
    """An engine, and what it needs."""

    def __init__(self, folder: Path) -> None:
        self.servers = RemoteServers(folder / "servers", Keys())  # type: ignore[arg-type]
        self.ledger = ConnectionLedger(folder / "connections.jsonl")
        self.is_allowed = True
        self.stream_timeout_s = 30.0
        self.engine = RemoteEngine(self.servers, self.connect)

    def connect(self, server: RemoteServer) -> ModelServer:
        return ModelServer(
            server.address,
            lambda: NetworkAccess(self.is_allowed, server.address.removesuffix("/v1")),
            self.ledger,
            lambda: self.servers.read_key(server.name),
            authorities=server.authorities,
            stream_timeout_s=self.stream_timeout_s,
        )

    def add(self, address: str, model: str = "tiny-1B", **facts: object) -> Path:
        """Has a server with one model; where that is."""
        server = RemoteServer("box", address, **facts)  # type: ignore[arg-type]
        one = self.servers.model_of(server, model)
        self.servers.save(server, [one])
        return one.path

    def model_on(self, address: str, at_once: int) -> Path:
        """Has a server with the first model that it lists."""
        found = find_out(self.connect(RemoteServer("box", address)))
        return self.add(address, found.models[0].name, at_once=at_once)

    def load(self, path: Path) -> ModelElsewhere:
        loaded = list(self.engine.load(path))[-1]
        assert isinstance(loaded, ModelElsewhere)
        return loaded
