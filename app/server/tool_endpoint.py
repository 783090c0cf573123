"""`/mcp`: other programs call tools of this one over streamable HTTP."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections import OrderedDict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.features.mcp.client_session import (
    MOST_MESSAGE_BYTES,
    Answer,
    ClientSession,
    ListTools,
    calls_in,
    parse_message,
)
from app.features.mcp.messages import KNOWN_PROTOCOLS, NO_REQUEST, SESSION_HEADER, VERSION_HEADER, ServerRefusal
from app.features.mcp.messages import error_message as refusal_body
from app.features.serving.request_journal import RequestJournal, RequestRecord
from app.server.answer_stream import program_of
from app.server.json_body import BadRequest, BodyScan
from app.server.request_body import read_body

MCP_PATH = "/mcp"
MOST_SESSIONS = 64
MOST_NAME = 80
EVENT_STREAM = "text/event-stream"


class ToolEndpoint:
    """Answers posted messages there and then; the oldest session of too many ends, and its client begins another."""

    def __init__(self, list_tools: ListTools, journal: RequestJournal) -> None:
        self._list_tools, self._journal = list_tools, journal
        self._sessions: OrderedDict[str, ClientSession] = OrderedDict()
        self._lock = threading.Lock()

    async def answer_post(self, request: Request) -> Response:
        """Answer a message; with 202 and nothing if it wants no answer."""
        scan = BodyScan()
        try:
            data = await read_body(request, MOST_MESSAGE_BYTES, scan)
            if scan.problem is not None:
                raise scan.problem
            message = parse_message(data)
            name, session = self._session_for(request, message)
        except BadRequest as error:
            return JSONResponse(error.body_for(MCP_PATH), error.status)
        except ServerRefusal as refusal:
            return JSONResponse(refusal_body(None, refusal.code, refusal.words), 400)
        began_s = time.time()
        # Looking through documents takes a moment, which the other requests need not wait for.
        try:
            answer = await asyncio.to_thread(session.answer_all, message)
        except asyncio.CancelledError:
            # The server is switched off; a thread can't be interrupted, and would be waited for.
            session.close()
            return Response(status_code=503)
        if called := calls_in(message):
            self._note_calls(request, ", ".join(called)[:MOST_NAME], began_s)
        if answer is None:
            return Response(status_code=202)
        is_new = isinstance(answer, dict) and _is_greeting(message) and "result" in answer
        return _respond(request, answer, {SESSION_HEADER: self._store_session(name, session)} if is_new else {})

    async def end_session(self, request: Request) -> Response:
        """End a session, as a client asks that needs it no more."""
        with self._lock:
            session = self._sessions.pop(request.headers.get(SESSION_HEADER, ""), None)
        if session is None:
            return JSONResponse(refusal_body(None, NO_REQUEST, "There is no such session."), 404)
        session.close()
        return Response(status_code=204)

    def _session_for(self, request: Request, message: Any) -> tuple[str, ClientSession]:
        """Return the session of a request, a new one for the first. Raises BadRequest."""
        version = request.headers.get(VERSION_HEADER)
        if version is not None and version not in KNOWN_PROTOCOLS:
            raise BadRequest(f"the protocol version must be one of {', '.join(KNOWN_PROTOCOLS)}", VERSION_HEADER)
        if _is_greeting(message):
            return secrets.token_urlsafe(24), ClientSession(self._list_tools)
        name = request.headers.get(SESSION_HEADER)
        if name is None:
            raise BadRequest("the session is missing: initialize first", SESSION_HEADER)
        with self._lock:
            session = self._sessions.get(name)
            if session is None:
                # The status by which a client knows that it has to begin anew.
                raise BadRequest("there is no such session: initialize again", SESSION_HEADER, status=404)
            self._sessions.move_to_end(name)
        return name, session

    def _note_calls(self, request: Request, names: str, began_s: float) -> None:
        # Listed for the person; the model isn't used, so the window's status doesn't say that it is.
        facts = program_of(request), MCP_PATH, names
        self._journal.end_request(None, RequestRecord(began_s, *facts, 200, seconds=time.time() - began_s))

    def _store_session(self, name: str, session: ClientSession) -> str:
        with self._lock:
            self._sessions[name] = session
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)[1].close()
        return name


def _is_greeting(message: Any) -> bool:
    return isinstance(message, dict) and message.get("method") == "initialize"


def _respond(request: Request, answer: Answer, headers: dict[str, str]) -> Response:
    headers = {**headers, "Cache-Control": "no-store"}
    # ASCII, since what is told of a client's own words may be half a character.
    data = json.dumps(answer)
    accepted = request.headers.get("accept", "*/*").casefold()
    if EVENT_STREAM in accepted and "application/json" not in accepted and "*/*" not in accepted:
        return Response(f"event: message\ndata: {data}\n\n", media_type=EVENT_STREAM, headers=headers)
    return Response(data, media_type="application/json", headers=headers)
