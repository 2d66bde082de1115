/**
 * The origin of the benchmarks: `/` is small, `/bytes/N` has N bytes, `/sink` reads a body and tells its size.
 *
 * Argument: the address to listen on. The port is in its first line of output.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { endWithParent } from "../../support/paths/lifeline.ts";

const BLOCK = new Uint8Array(64 * 1024).map((_, at) => at * 7);

/** Writes `left` bytes as fast as they are taken. */
function sendBytes(response: ServerResponse, left: number): void {
  response.setHeader("content-length", left);
  const write = () => {
    while (left > 0) {
      const block = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
      left -= block.length;
      if (!response.write(block)) return;
    }
    response.off("drain", write);
    response.end();
  };
  response.on("drain", write);
  write();
}

/** Tells the client how much has arrived, since a slow path may hold much of what it sent. */
function countBody(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  const tell = () => response.write(`${bytes}\n`);
  const timer = setInterval(tell, 20);
  request.on("data", (part: Uint8Array) => bytes += part.length);
  request.on("end", () => response.end(`${bytes}\n`));
  response.on("close", () => clearInterval(timer));
  tell();
}

function sendText(response: ServerResponse, text: string): void {
  response.setHeader("content-length", text.length);
  response.end(text);
}

const server = createServer({ noDelay: true, keepAliveTimeout: 0 }, (request, response) => {
  const [, size] = /^\/bytes\/(\d{1,15})$/.exec(request.url!) ?? [];
  if (size !== undefined) sendBytes(response, Number(size));
  else if (request.url === "/sink") countBody(request, response);
  else sendText(response, "ok\n");
});
await new Promise<void>((resolve) => server.listen(0, Deno.args[0], resolve));
await endWithParent({ port: (server.address() as AddressInfo).port });
