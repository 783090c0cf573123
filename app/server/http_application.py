"""ASGI application of the server: access, routing to contracts, and streaming."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.freed_memory import give_back_memory
from app.features.mcp.messages import SESSION_HEADER
from app.features.serving.answer_server import AnswerServer
from app.features.serving.generation_request import AnswerEvent
from app.features.serving.served_models import ServedModel
from app.hub.model_files import quantization_of
from app.server.access_guard import AccessGuard, AccessRules
from app.server.answer_stream import EventFlow, Found, NotedRequest, stream_answer, wait_unless_gone, whole_response
from app.server.api_answers import ApiContract
from app.server.error_responses import failure_response, status_of, with_field
from app.server.json_body import MOST_BYTES, BadRequest, BodyScan, JsonBody, error_body
from app.server.request_body import read_body

if TYPE_CHECKING:
    from app.engine.contract import EmbeddingVectors
    from app.features.mcp.client_session import ListTools
    from app.features.transcribe import SpokenTranscript
    from app.server.tool_endpoint import ToolEndpoint


# Above this the freed memory of a body is worth a call into the C library, once its answer has begun.
LARGE_BYTES, GIVE_BACK_AFTER_S = 1_000_000, 5.0
# Jina and Cohere, llama-server: each client library knows one of these addresses.
RERANK_PATHS = ("/v1/rerank", "/rerank", "/v1/reranking", "/reranking")
MOST_SOUND_BYTES = 25_000_000
"""OpenAI's own limit for a recording."""


def make_application(serving: AnswerServer, rules: AccessRules, list_tools: ListTools = lambda: ()) -> Starlette:
    """Build the application; `list_tools` are those that other programs may call."""
    server = _Server(serving, list_tools)
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
        Route("/mcp", server.call_tools, methods=["POST", "DELETE"]),
    ]
    cors = Middleware(
        # Preflight requests come without the key, so CORS has to stand before the guard.
        CORSMiddleware,
        allow_origins=rules.origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=[SESSION_HEADER],
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


class _Server:
    def __init__(self, serving: AnswerServer, list_tools: ListTools) -> None:
        self._serving, self._list_tools = serving, list_tools

    @cached_property
    def _tool_endpoint(self) -> ToolEndpoint:
        from app.server.tool_endpoint import ToolEndpoint

        return ToolEndpoint(self._list_tools, self._serving.journal)

    async def call_tools(self, request: Request) -> Response:
        """Answer a message of the Model Context Protocol, or end its session."""
        endpoint = self._tool_endpoint
        return await (endpoint.end_session(request) if request.method == "DELETE" else endpoint.answer_post(request))

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
        cancel, note = CancelToken(), NotedRequest(self._serving, request, model)
        try:
            result = await wait_unless_gone(request, asyncio.ensure_future(asyncio.to_thread(work, cancel)))
        except BaseException as error:
            cancel.cancel()
            note.close(status_of(error))
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
            data = await read_body(request, MOST_SOUND_BYTES)
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
        note = NotedRequest(self._serving, request, contract.model)
        try:
            # After the heartbeat's time the stream is begun anyway: from then on refusals can only be events.
            begun = await wait_unless_gone(request, asyncio.ensure_future(flow.wait_for_first()))
        except BaseException as error:
            flow.stop()
            note.close(status_of(error))
            if (named := with_field(error, contract)) is not None:
                raise named from error
            raise
        if contract.streams:
            pieces = stream_answer(request.url.path, contract, flow, note, has_begun=begun)
            return StreamingResponse(pieces, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        try:
            return await whole_response(request, contract, flow, note)
        except BaseException as error:
            note.close(status_of(error))
            if (named := with_field(error, contract)) is not None:
                raise named from error
            raise
        finally:
            flow.stop()

    def _answer_events(self, contract: ApiContract, cancel: CancelToken) -> Iterator[tuple[int, AnswerEvent]]:
        return self._serving.answer_all(contract.model, contract.wanted, cancel, chats=contract.chats)


async def _answer_guarded(request: Request, work: Callable[[JsonBody], Any]) -> Response:
    """Answer a JSON body; errors are sent in the contract's format."""

    async def answer() -> Response:
        scan = BodyScan()
        # Counted while it arrives: refused before it is parsed, since parsed it takes a hundred times its bytes.
        data = await read_body(request, MOST_BYTES, scan)
        if scan.problem is not None:
            raise scan.problem
        if len(data) > LARGE_BYTES:
            asyncio.get_running_loop().call_later(GIVE_BACK_AFTER_S, give_back_memory)
        response: Response = await work(JsonBody.parse(data))
        return response

    return await _respond_to_errors(request, answer)


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
        status, body = failure_response(path, error)
        return JSONResponse(body, status)


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
