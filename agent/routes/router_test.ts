import assert from "node:assert/strict";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import type { OpenStream } from "../front_door/client/open_stream.ts";
import { createRouter } from "./router.ts";
import { Routes } from "./routes.ts";

const opening = (host: string) => ({ type: "connect_request", payload: { host, port: 443 } }) as const;

Deno.test("router opens each stream by its target's route, with its first bytes", async () => {
  const opened: unknown[] = [];
  const open = (way: string): { openStream: OpenStream } => ({
    openStream(message, first) {
      opened.push([way, message.payload.host, first]);
      return Promise.resolve({} as MuxStream);
    },
  });
  const routes = new Routes({ bypass: ["wiki.example"], block: ["ads.example"] });
  const router = createRouter(routes, { tunnel: open("tunnel"), direct: open("direct") });
  const first = { bytes: Uint8Array.of(1), end: true };
  await router(opening("wiki.example"), first);
  await router(opening("example.org"), first);
  await assert.rejects(router(opening("ADS.example."), first), {
    code: "target_denied",
    at: "here",
    message: "Cannot connect to ADS.example.:443: block[0] (ads.example) of the agent forbids it",
  });
  await assert.rejects(router(opening("a..b"), first), { code: "bad_request" });
  assert.deepEqual(opened, [["direct", "wiki.example", first], ["tunnel", "example.org", first]]);
});
