"""The official SDK of the Model Context Protocol, over HTTP or as what starts the server; its arguments say which."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

kind, address, key, calls, *command = sys.argv[1:]


@contextlib.asynccontextmanager
async def opened(used_key: str) -> AsyncIterator[Client]:
    if kind == "stdio":
        async with Client(StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))) as client:
            yield client
    else:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {used_key}"}, timeout=60) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            yield client


async def main() -> None:
    seen = {}
    async with opened(key) as client:
        seen["protocol"] = client.protocol_version
        seen["tools"] = {tool.name: tool.annotations.read_only_hint for tool in (await client.list_tools()).tools}
        seen["results"] = {}
        for name, arguments in json.loads(calls):
            result = await client.call_tool(name, arguments)
            seen["results"][name] = [result.is_error, result.content[0].text]
        try:
            await client.call_tool("delete_everything", {})
        except MCPError as error:
            seen["unknown"] = error.error.code
    if kind == "http":
        seen["refused"] = False
        try:
            async with opened("wrong") as client:
                await client.list_tools()
        except* (httpx2.HTTPStatusError, MCPError):
            seen["refused"] = True
    print(json.dumps(seen))


asyncio.run(main())
