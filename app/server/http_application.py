"""ASGI application of the server: access, routing to contracts, and streaming."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hmac
import ipaddress
import logging
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import request_errors
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentTooDemanding, DocumentUnreadable, PictureUnreadable
from app.core.errors.model_errors import ModelNotInstalled, ModelNotLoaded, ModelTooLarge, NoModel, NoRoomForModel
from app.core.events import CancelToken, Finished, PromptProgress
from app.features.error_messages import sentence_for
from app.features.serving.answer_server import AnswerServer
from app.features.serving.generation_request import AnswerEvent
from app.features.serving.request_journal import RequestRecord
from app.features.serving.served_models import ServedModel
from app.hub.model_files import quantization_of
from app.server.api_answers import HEARTBEAT, ApiContract, field_of
from app.server.json_body import MOST_BYTES, BadRequest, BodyScan, JsonBody, error_body

if TYPE_CHECKING:
    from app.engine.contract import EmbeddingVectors
    from app.features.transcribe import SpokenTranscript

log = logging.getLogger(__name__)

MOST_HELD_BYTES = 100_000_000
"""Limit of all request bodies being received together."""
# Above this the freed memory of a body is worth a call into the C library, once its answer has begun.
LARGE_BYTES, GIVE_BACK_AFTER_S = 1_000_000, 5.0
MOST_PASSED_BYTES = 200_000_000
"""Limit of a too-large body that is read and dropped."""
# A slow sender holds memory, and one of 64 places, for as long as it sends.
READ_WITHIN_S = 60.0
# Each request that waits holds its body and a thread.
MOST_AT_ONCE = 64
HEARTBEAT_S = 10.0
LOOK_EVERY_S = 0.25
"""Interval at which a client's disconnection is noticed."""
# Jina and Cohere, llama-server: each client library knows one of these addresses.
RERANK_PATHS = ("/v1/rerank", "/rerank", "/v1/reranking", "/reranking")
MOST_SOUND_BYTES = 25_000_000
"""OpenAI's own limit for a recording."""
# Monitors ask these without a key; they tell nothing but that the server is up.
OPEN_PATHS = frozenset(("/health", "/"))
Found = TypeVar("Found")


@dataclass(frozen=True)
class AccessRules:
    """Who may send requests. `names` are host names of this computer in addition to its addresses and localhost.

    `origins` are the web pages that a browser may send requests from; none by default.
    """

    key: str = field(repr=False)
    names: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()


def make_application(serving: AnswerServer, rules: AccessRules) -> Starlette:
    server = _Server(serving)
    # No addresses of Ollama's: a clear 404 is better than a list that promises an API which is not there.
    routes = [
        Route("/", server.health),
        Route("/health", server.health),
        Route("/v1/models", server.models),
        Route("/v1/models/{name:path}", server.model),
        Route("/api/v0/models", server.described_models),
        Route("/v1/chat/completions", server.answer_with(_chat_completion), methods=["POST"]),
        Route("/v1/completions", server.answer_with(_completion_contract), methods=["POST"]),
        # OpenAI's, then llama-server's own addresses: clients are written for one or the other.
        Route("/v1/embeddings", server.embeddings, methods=["POST"]),
        *(Route(path, server.rerank, methods=["POST"]) for path in RERANK_PATHS),
        Route("/v1/audio/transcriptions", server.transcribe, methods=["POST"]),
        Route("/tokenize", server.tokenize, methods=["POST"]),
        Route("/detokenize", server.detokenize, methods=["POST"]),
        Route("/infill", server.answer_with(_infill_contract), methods=["POST"]),
        Route("/props", server.properties),
        Route("/metrics", server.metrics),
        Route("/v1/responses", server.answer_with(_responses_contract), methods=["POST"]),
        Route("/v1/messages", server.answer_with(_messages_contract), methods=["POST"]),
        Route("/v1/messages/count_tokens", server.count_tokens, methods=["POST"]),
    ]
    cors = Middleware(
        # Preflight requests come without the key, so CORS has to stand before the guard.
        CORSMiddleware,
        allow_origins=rules.origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        max_age=600,
    )
    guard = Middleware(AccessGuard, rules=rules)
    # Without named pages no CORS headers are sent at all, and browsers refuse every page.
    middleware = [cors, guard] if rules.origins else [guard]
    handlers = {HTTPException: _no_such_address, Exception: _failed_inside}
    made = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    # Bytes of all bodies that are being received, for the limit over all of them.
    made.state.body_bytes = 0
    return made


# A contract is imported when it is first asked for: an idle server takes 13.5 MB instead of 15.4.
def _chat_completion(body: JsonBody) -> ApiContract:
    from app.server.openai import ChatCompletion

    return ChatCompletion(body)


def _completion_contract(body: JsonBody) -> ApiContract:
    from app.server.openai import Completion

    return Completion(body)


def _responses_contract(body: JsonBody) -> ApiContract:
    from app.server.responses import Responses

    return Responses(body)


def _messages_contract(body: JsonBody) -> ApiContract:
    from app.server.anthropic import AnthropicMessages

    return AnthropicMessages(body)


def _infill_contract(body: JsonBody) -> ApiContract:
    from app.server.llama_server import InfillRequest

    return InfillRequest(body)


async def _no_such_address(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    words = f"no endpoint {request.method} {path}"
    return JSONResponse(error_body(path, words, status=error.status_code, code="not_found"), error.status_code)


async def _failed_inside(request: Request, error: Exception) -> Response:
    """Return a fault of ours, which Starlette writes into the log: the client, too, gets it as its contract has
    errors.
    """
    words = f"the server failed ({type(error).__name__}); see its log"
    return JSONResponse(error_body(request.url.path, words, status=500, code="failed"), 500)


class AccessGuard:
    """Middleware that requires the key and a Host header naming this computer."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules, self._running_requests = app, rules, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Bases with a slash at the end make addresses with two ("//v1/models"); the key's check sees what the router
        # sees.
        path = scope["path"] = re.sub("/{2,}", "/", scope["path"])
        problem = self._find_problem(path, {name.decode("latin-1"): value for name, value in scope["headers"]})
        if problem is not None:
            body = error_body(path, problem.message, status=problem.status, code=problem.code)
            await JSONResponse(body, problem.status)(scope, receive, send)
            return
        self._running_requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running_requests -= 1

    def _find_problem(self, path: str, headers: Mapping[str, bytes]) -> BadRequest | None:
        # Against DNS rebinding: a web page whose own name resolves to this computer would send that name as the host.
        if not self._is_here(headers.get("host", b"").decode("latin-1")):
            return BadRequest("this server does not answer to that host name", status=403, code="wrong_host")
        if path not in OPEN_PATHS and not self._has_key(headers):
            return BadRequest("the key is missing or wrong", status=401, code="invalid_api_key")
        if path not in OPEN_PATHS and self._running_requests >= MOST_AT_ONCE:
            return BadRequest(f"{MOST_AT_ONCE} requests are already running: try again", status=429, code="too_many")
        return None

    def _is_here(self, host: str) -> bool:
        # The last colon is only a port if digits follow it: IPv6 addresses have colons, too.
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if name.casefold() in self._rules.names | {"localhost"}:
            return True
        try:
            # Who sends an address was not led here by a foreign name.
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _has_key(self, headers: Mapping[str, bytes]) -> bool:
        given = re.sub(rb"^bearer ", b"", headers.get("authorization", b""), flags=re.IGNORECASE).strip()
        # Anthropic's SDKs send the key in x-api-key, OpenAI's as a bearer.
        given = given or headers.get("x-api-key", b"")
        # Compared in constant time: otherwise the answer's delay would tell how much of a guess is right.
        return hmac.compare_digest(given, self._rules.key.encode())


class _Server:
    def __init__(self, serving: AnswerServer) -> None:
        self._serving = serving

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def models(self, _request: Request) -> Response:
        """List the models in OpenAI's format."""
        found = await asyncio.to_thread(self._serving.list_models)
        return JSONResponse({"object": "list", "data": [_list_entry(model) for model in found]})

    async def model(self, request: Request) -> Response:
        """Describe one model in OpenAI's format."""
        name = request.path_params["name"]
        for model in await asyncio.to_thread(self._serving.list_models):
            # Programs that list the folder themselves name the file.
            if name in (model.name, model.path.name):
                return JSONResponse(_list_entry(model))
        words = f"model {name!r} not found"
        return JSONResponse(error_body("", words, status=404, code="model_not_found", field="model"), 404)

    async def described_models(self, _request: Request) -> Response:
        """List the models in LM Studio's format, of which Zed reads every field."""
        found = await asyncio.to_thread(self._serving.list_models)
        return JSONResponse({"object": "list", "data": [_model_entry(model) for model in found]})

    async def count_tokens(self, request: Request) -> Response:
        """Count a prompt's tokens in Anthropic's format."""

        async def count(body: JsonBody) -> Response:
            from app.server.anthropic import AnthropicMessages

            contract = AnthropicMessages(body, counts=True)
            arguments = contract.model, contract.wanted[0], CancelToken()
            counted = await asyncio.to_thread(self._serving.count_tokens, *arguments)
            return JSONResponse({"input_tokens": counted})

        return await _answer_guarded(request, count)

    async def embeddings(self, request: Request) -> Response:
        """Return vectors of texts in OpenAI's format."""

        async def embed(body: JsonBody) -> Response:
            from app.server.embeddings import EmbeddingRequest

            asked = EmbeddingRequest(body)
            return await self._answer_embedding(request, asked.model, asked.texts, asked.response_body)

        return await _answer_guarded(request, embed)

    async def rerank(self, request: Request) -> Response:
        """Documents in the order of how near they are to a question, as Jina has it."""

        async def rank(body: JsonBody) -> Response:
            from app.server.rerank import RerankRequest

            asked = RerankRequest(body)
            return await self._answer_embedding(request, asked.model, asked.texts, asked.response_body)

        return await _answer_guarded(request, rank)

    async def _answer_embedding(
        self, request: Request, model: str, texts: Sequence[str], answer: Callable[[EmbeddingVectors], dict[str, Any]]
    ) -> Response:
        def work(cancel: CancelToken) -> tuple[dict[str, Any], int]:
            found = self._serving.embed(model, texts, cancel)
            return answer(found), found.prompt_tokens

        body, _ = await self._run_noted(request, model, work)
        return JSONResponse(body)

    async def _run_noted(
        self, request: Request, model: str, work: Callable[[CancelToken], tuple[Found, int]]
    ) -> tuple[Found, int]:
        """Run blocking work in a thread and return its result and prompt tokens. Logs the request; cancels if the
        client leaves.
        """
        # A thread cannot be interrupted: it looks at the token.
        cancel, note = CancelToken(), _NotedRequest(self._serving, request, model)
        try:
            result = await _unless_gone(request, asyncio.ensure_future(asyncio.to_thread(work, cancel)))
        except BaseException as error:
            cancel.cancel()
            note.close(_status_of(error))
            raise
        note.read(result[1])
        note.close(200)
        return result

    async def tokenize(self, request: Request) -> Response:
        """Return the tokens of a text, as llama-server tells them."""

        async def tokens(body: JsonBody) -> Response:
            from app.server.llama_server import TokenizeRequest

            asked = TokenizeRequest(body)
            found = await asyncio.to_thread(
                self._serving.tokens_of,
                asked.model,
                CancelToken(),
                text=asked.text,
                parses_special=asked.parses_special,
                adds_special=asked.adds_special,
            )
            return JSONResponse(asked.response_body(found))

        return await _answer_guarded(request, tokens)

    async def detokenize(self, request: Request) -> Response:
        async def text(body: JsonBody) -> Response:
            from app.server.llama_server import token_ids_of

            model, ids = body.text_field("model", ""), token_ids_of(body)
            found = await asyncio.to_thread(self._serving.tokens_of, model, CancelToken(), token_ids=ids) if ids else ()
            return JSONResponse({"content": b"".join(token.data for token in found).decode("utf-8", "replace")})

        return await _answer_guarded(request, text)

    async def properties(self, request: Request) -> Response:
        """Return what the model can that answers, as llama-server tells it."""
        from app.server.llama_server import properties_of

        name = request.query_params.get("model", "")
        found = await asyncio.to_thread(self._serving.list_models)
        # Without a name the model that answers next is described; before any is loaded, the first that could be.
        loaded = [model for model in found if model.is_loaded and not model.embeds] or found
        named = [model for model in found if name in (model.name, model.path.name)] if name else loaded
        return JSONResponse(properties_of(named[0] if named else None))

    async def metrics(self, _request: Request) -> Response:
        """Return counters in Prometheus's format."""
        from app.server.llama_server import metrics_text

        return PlainTextResponse(metrics_text(self._serving.journal.totals), media_type="text/plain; version=0.0.4")

    async def transcribe(self, request: Request) -> Response:
        """Return what is said in a recording, as OpenAI has it."""

        async def answer() -> Response:
            from app.server.multipart import parse_form
            from app.server.transcribe import TranscriptionRequest, transcribe_request

            # The form has no JSON to count, so only its size is limited.
            data = await _read_body(request, MOST_SOUND_BYTES)
            form = await asyncio.to_thread(parse_form, request.headers.get("content-type", ""), data)
            asked = TranscriptionRequest.from_form(form)

            def work(cancel: CancelToken) -> tuple[SpokenTranscript, int]:
                return transcribe_request(self._serving, asked, cancel), 0

            transcript, _ = await self._run_noted(request, asked.model, work)
            return asked.make_response(transcript)

        return await _respond_to_errors(request, answer)

    def answer_with(self, make: Callable[[JsonBody], ApiContract]) -> Callable[[Request], Any]:
        """Return the endpoint for requests of one contract."""

        async def endpoint(request: Request) -> Response:
            async def answer(body: JsonBody) -> Response:
                return await self._answer_contract(request, make(body))

            return await _answer_guarded(request, answer)

        return endpoint

    async def _answer_contract(self, request: Request, contract: ApiContract) -> Response:
        # The work starts here, before the status is sent: what is refused before its first event has a proper status.
        flow = EventFlow(lambda cancel: self._answer_events(contract, cancel))
        note = _NotedRequest(self._serving, request, contract.model)
        try:
            # After the heartbeat's time the stream is begun anyway: from then on refusals can only be events.
            begun = await _unless_gone(request, asyncio.ensure_future(flow.wait_for_first(HEARTBEAT_S)))
        except BaseException as error:
            flow.stop()
            note.close(_status_of(error))
            if (named := _with_field(error, contract)) is not None:
                raise named from error
            raise
        if contract.streams:
            pieces = _stream_answer(request.url.path, contract, flow, note, has_begun=begun)
            return StreamingResponse(pieces, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        try:
            return await _whole_response(request, contract, flow, note)
        except BaseException as error:
            note.close(_status_of(error))
            if (named := _with_field(error, contract)) is not None:
                raise named from error
            raise
        finally:
            flow.stop()

    def _answer_events(self, contract: ApiContract, cancel: CancelToken) -> Iterator[tuple[int, AnswerEvent]]:
        return self._serving.answer_all(contract.model, contract.wanted, cancel, chats=contract.chats)


class EventFlow:
    """Run a blocking generator in its own thread and hand its events to the event loop, gathered."""

    def __init__(self, work: Callable[[CancelToken], Iterator[tuple[int, AnswerEvent]]]) -> None:
        self._cancel, self._loop = CancelToken(), asyncio.get_running_loop()
        self._waiting: deque[tuple[int, AnswerEvent] | BaseException | None] = deque()
        self._has_come = asyncio.Event()
        self._thread = threading.Thread(target=self._run_work, args=(work,), name="served answer", daemon=True)
        self._thread.start()

    async def wait_for_first(self, within_s: float) -> bool:
        """Wait for the first event; False on timeout. Raises the work's error if it failed first."""
        await self._wait_for_event(within_s)
        if not self._waiting:
            return False
        if isinstance(first := self._waiting[0], BaseException):
            raise first
        # Set again for `events`, which waits before it takes: the first event is still in the deque.
        self._has_come.set()
        return True

    async def events(self) -> AsyncIterator[list[tuple[int, AnswerEvent]]]:
        """Yield events in batches, and an empty batch whenever none came for a while.

        Raises the work's error.
        """
        while True:
            # An empty batch gives the streaming response a turn, in which a client that left is noticed.
            await self._wait_for_event(LOOK_EVERY_S)
            # Appended by the thread meanwhile, so only as many as there are now.
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            yield [event for event in waiting if isinstance(event, tuple)]
            for last in waiting[-1:]:
                if isinstance(last, BaseException):
                    raise last
                if last is None:
                    return

    async def _wait_for_event(self, within_s: float) -> None:
        """Wait until there is an event, or for `within_s` seconds."""
        timer = self._loop.call_later(within_s, self._has_come.set)
        await self._has_come.wait()
        timer.cancel()
        self._has_come.clear()

    def stop(self) -> None:
        """Cancel the work; the rest isn't wanted."""
        self._cancel.cancel()

    def _run_work(self, work: Callable[[CancelToken], Iterator[tuple[int, AnswerEvent]]]) -> None:
        try:
            for event in work(self._cancel):
                self._add_event(event)
            self._add_event(None)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for events has to hear of it
            self._add_event(error)

    def _add_event(self, event: tuple[int, AnswerEvent] | BaseException | None) -> None:
        self._waiting.append(event)
        try:
            self._loop.call_soon_threadsafe(self._has_come.set)
        except RuntimeError:  # the server has been closed meanwhile
            self._cancel.cancel()


class _NotedRequest:
    """Notes one request for the person, once, without a word of it."""

    def __init__(self, serving: AnswerServer, request: Request, model: str) -> None:
        agent = request.headers.get("user-agent", "")
        host = request.client.host if request.client is not None else ""
        # The agent's name without its long list of versions; the list of requests has one short line for each.
        self._request_facts = (agent.split(" ")[0][:80] or host, request.url.path, model)
        self._serving, self._began_s, self._is_closed = serving, time.time(), False
        self._running = serving.journal.begin_request(self._request_facts[0], model)
        self._prompt = self._written = 0

    def count_event(self, event: AnswerEvent) -> None:
        """Add an answer's tokens to the request's totals."""
        if isinstance(event, Finished):
            self._prompt += event.stats.prompt_tokens
            self._written += event.stats.generated_tokens

    def read(self, tokens: int) -> None:
        """Add tokens that were read without writing any."""
        self._prompt += tokens

    def close(self, status: int) -> None:
        """Log the request as answered with `status`; only the first call counts."""
        if self._is_closed:
            return
        self._is_closed = True
        seconds = time.time() - self._began_s
        asked = RequestRecord(self._began_s, *self._request_facts, status, self._prompt, self._written, seconds)
        self._serving.journal.end_request(self._running, asked)


async def _whole_response(request: Request, contract: ApiContract, flow: EventFlow, note: _NotedRequest) -> Response:
    gone = asyncio.ensure_future(_client_gone(request))
    try:
        async for events in flow.events():
            if gone.done():
                raise ClientDisconnect
            for number, event in events:
                note.count_event(event)
                # Progress arrives here too; `gone` is asked between batches because the answer is sent only at its end.
                contract.answers[number].add_event(event)
    finally:
        gone.cancel()
    note.close(200)
    return JSONResponse(contract.complete_body())


async def _unless_gone(request: Request, work: asyncio.Future[Found]) -> Found:
    """Return the result of `work`; cancel it and raise ClientDisconnect if the client leaves first."""
    gone = asyncio.ensure_future(_client_gone(request))
    try:
        # Whichever comes first: `asyncio.wait` leaves both running, so the work's own cancellation stays ours.
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        gone.cancel()
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it any more


async def _client_gone(request: Request) -> None:
    # Starlette can only be asked, not told.
    while not await request.is_disconnected():
        await asyncio.sleep(0.5)


async def _stream_answer(
    path: str, contract: ApiContract, flow: EventFlow, note: _NotedRequest, *, has_begun: bool
) -> AsyncIterator[bytes]:
    status = 499  # the client went away
    try:
        lines, sent_s = [*contract.begin_stream()], time.monotonic()
        if not has_begun:
            # With the first heartbeat leave the begin lines: the client then knows that its request was taken.
            yield b"".join((*lines, HEARTBEAT))
            lines = []
        async for events in flow.events():
            for number, event in events:
                note.count_event(event)
                lines += contract.write_event(number, event)
            if time.monotonic() - sent_s >= HEARTBEAT_S:
                lines.append(HEARTBEAT)
            elif all(isinstance(event, PromptProgress) for _, event in events):
                continue  # what a stream begins with leaves with its first words: each sending wakes the client
            if lines:
                yield b"".join(lines)
                lines, sent_s = [], time.monotonic()
        # The end leaves with the last words: it must not wait for anything.
        yield b"".join((*lines, *contract.end_stream()))
        status = 200
    except (AppError, ValueError) as error:  # the status has been sent: it is told as an event
        named = _with_field(error, contract)
        if named is None:
            status, body = _failure_response(path, error)
        else:
            status, body = named.status, named.body_for(path)
        yield contract.error_event(body)
    finally:
        flow.stop()
        note.close(status)


async def _answer_guarded(request: Request, work: Callable[[JsonBody], Any]) -> Response:
    """Answer a JSON body; errors are sent in the contract's format."""

    async def answer() -> Response:
        scan = BodyScan()
        # Counted while it arrives: refused before it is parsed, since parsed it takes a hundred times its bytes.
        data = await _read_body(request, MOST_BYTES, scan)
        if scan.problem is not None:
            raise scan.problem
        if len(data) > LARGE_BYTES:
            asyncio.get_running_loop().call_later(GIVE_BACK_AFTER_S, _give_back_memory)
        response: Response = await work(JsonBody.parse(data))
        return response

    return await _respond_to_errors(request, answer)


def _give_back_memory() -> None:
    """Return freed memory to the system: large requests may run in the window's process."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        # glibc keeps freed memory for itself until it is asked.
        ctypes.CDLL(None).malloc_trim(0)


async def _respond_to_errors(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    path = request.url.path
    try:
        return await answer()
    except BadRequest as error:
        body = error.body_for(path)
        return JSONResponse(body, error.status)
    except ClientDisconnect:
        # Nobody reads it; the number is nginx's for a client that closed.
        return Response(status_code=499)
    except (AppError, ValueError) as error:
        status, body = _failure_response(path, error)
        return JSONResponse(body, status)


async def _read_body(request: Request, most_bytes: int, scan: BodyScan | None = None) -> bytes:
    """Read a request's body. The rest of a refused body is read and dropped."""
    data, passed, held = bytearray(), 0, request.app.state
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            async for piece in request.stream():
                passed += len(piece)
                if scan is not None:
                    scan.feed(piece)
                # A client that is cut off while it sends never reads why. So the rest is read and thrown away.
                if passed > most_bytes or (scan is not None and scan.problem is not None):
                    held.body_bytes -= len(data)
                    data = bytearray()
                    if passed > MOST_PASSED_BYTES:
                        break
                    continue
                data += piece
                held.body_bytes += len(piece)
                # Each body is within its limit, but sixty-four of them would not fit.
                if held.body_bytes > MOST_HELD_BYTES:
                    raise BadRequest("other large requests are being read: try again", status=429, code="too_many")
    except TimeoutError:
        words = f"the request did not arrive completely within {READ_WITHIN_S:g} seconds"
        raise BadRequest(words, status=408, code="too_slow") from None
    finally:
        held.body_bytes -= len(data)
    if passed > most_bytes:
        raise BadRequest(f"the request is larger than {most_bytes} bytes", status=413, code="too_large")
    return bytes(data)


# The first that fits counts, so the special ones stand before AppError and ValueError.
_STATUS: Sequence[tuple[type[Exception], int, str]] = (
    (request_errors.PromptTooLong, 400, "context_length_exceeded"),
    (request_errors.GrammarInvalid, 400, "invalid_schema"),
    (request_errors.TokenUnknown, 400, "unknown_token"),
    (request_errors.ChatUnavailable, 400, "no_chat_template"),
    (request_errors.EmbeddingsUnavailable, 400, "no_embeddings"),
    (request_errors.MediaRefused, 400, "no_pictures"),
    (PictureUnreadable, 400, "bad_picture"),
    (DocumentUnreadable, 400, "bad_picture"),
    (DocumentTooDemanding, 400, "bad_picture"),
    (request_errors.TokenUnknown, 400, "invalid_request"),
    (request_errors.InfillUnavailable, 400, "no_infill"),
    (ModelNotInstalled, 404, "model_not_found"),
    (ModelNotLoaded, 503, "model_not_loaded"),
    (NoModel, 503, "no_model"),
    (NoRoomForModel, 503, "no_room"),
    (ModelTooLarge, 503, "no_room"),
    (BadRequest, 400, "invalid_request"),
    (ClientDisconnect, 499, "gone"),
    (AppError, 503, "unavailable"),
    (ValueError, 400, "invalid_request"),
)


def _status_of(error: BaseException) -> int:
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def _with_field(error: BaseException, contract: ApiContract) -> BadRequest | None:
    """Return the same with the field of the request that it is about, where it is about one."""
    field = field_of(error, contract.wanted[0])
    if not field or not isinstance(error, AppError):
        return None
    code = next(code for kind, _, code in _STATUS if isinstance(error, kind))
    return BadRequest(f"{field}: {sentence_for(error).text}", field, code=code)


def _failure_response(path: str, error: Exception) -> tuple[int, dict[str, Any]]:
    """Return the status and body for an error; a prompt that is too long is reported with its numbers."""
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    if isinstance(error, request_errors.PromptTooLong):
        body = error_body(path, _too_long(error), status=status, code=code)
        # llama-server's fields for the same numbers.
        body["error"] |= {"n_prompt_tokens": error.prompt_tokens, "n_ctx": error.context_tokens}
        return status, body
    words = sentence_for(error).text if isinstance(error, AppError) else str(error)
    return status, error_body(path, words, status=status, code=code)


_ROOM = {
    "model": "This model supports at most {tokens} tokens: send less, or use one with a longer context",
    "memory": "Memory allows a context of {tokens} tokens with this model: send less, or use a smaller model",
    "settings": "Up to {tokens} tokens fit here: start `fireside serve --context {tokens}`, or change Settings, "
    "Performance, Context",
}


def _too_long(error: request_errors.PromptTooLong) -> str:
    # Worded as Anthropic's API does: agents look for these words and numbers to shorten a conversation.
    words = f"prompt is too long: {error.prompt_tokens} tokens > {error.context_tokens} maximum"
    if isinstance(error, request_errors.ContextLimited):
        words += f". {_ROOM[error.limit].format(tokens=error.largest_tokens)}"
    return words


def _list_entry(model: ServedModel) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": int(model.created_at), "owned_by": "fireside"}


def _model_entry(model: ServedModel) -> dict[str, Any]:
    # Zed shows this as the model's context; 4096 where a file does not say.
    context = model.trained_context_tokens or model.context_tokens or 4096
    return {
        "id": model.name,
        "object": "model",
        "type": "embeddings" if model.embeds else "vlm" if model.sees else "llm",
        "publisher": "fireside",
        "arch": model.architecture,
        "compatibility_type": "gguf",
        "quantization": quantization_of(model.path.name),
        "state": "loaded" if model.is_loaded else "not-loaded",
        "max_context_length": context,
        "loaded_context_length": model.context_tokens or context,
        "capabilities": [] if model.embeds else ["tool_use", "vision"] if model.sees else ["tool_use"],
    }
