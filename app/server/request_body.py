"""Bodies of requests, read within limits of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from app.server.json_body import BadRequest, BodyScan

MOST_HELD_BYTES = 100_000_000
"""Limit of all request bodies being received together."""


MOST_PASSED_BYTES = 200_000_000
"""Limit of a too-large body that is read and dropped."""
# A slow sender holds memory, and one of 64 places, for as long as it sends.
READ_WITHIN_S = 60.0


async def read_body(request: Request, most_bytes: int, scan: BodyScan | None = None) -> bytes:
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
