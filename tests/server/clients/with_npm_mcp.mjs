// npm's `@modelcontextprotocol/sdk`, over HTTP or as what starts the server; its arguments say which.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, address, key, calls, command, ...args] = process.argv.slice(2);

async function connect(usedKey) {
  const client = new Client({ name: "test", version: "1" });
  const headers = { Authorization: `Bearer ${usedKey}` };
  const transport = kind === "stdio"
    ? new StdioClientTransport({ command, args, env: process.env })
    : new StreamableHTTPClientTransport(new URL(address), { requestInit: { headers } });
  await client.connect(transport);
  return { client, transport };
}

const { client, transport } = await connect(key);
const seen = { server: client.getServerVersion().name, results: {} };
const { tools } = await client.listTools();
seen.tools = Object.fromEntries(tools.map((tool) => [tool.name, tool.annotations.readOnlyHint]));
for (const [name, given] of JSON.parse(calls)) {
  const result = await client.callTool({ name, arguments: given });
  seen.results[name] = [result.isError, result.content[0].text];
}
seen.unknown = await client.callTool({ name: "delete_everything", arguments: {} }).catch((error) => error.code);
if (kind === "http") {
  seen.refused = await connect("wrong").then(() => false, () => true);
  await transport.terminateSession();
}
await client.close();
console.log(JSON.stringify(seen));
