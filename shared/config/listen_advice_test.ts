import assert from "node:assert/strict";
import { withListenAdvice } from "./listen_advice.ts";
import { fromOsError, listenProblemOf } from "../net/os_error.ts";

const KEYS = { host: "listen_addr", port: "listen_port" };

const ROWS: [code: string, message: RegExp][] = [
  [
    "EADDRINUSE",
    /^Cannot listen on a:1: the port is in use by another program; .* set listen_port to another port$/,
  ],
  [
    "EACCES",
    /^Cannot listen on a:1: permission denied; ports below 1024 .* set listen_port to 1024 or more/,
  ],
  [
    "EADDRNOTAVAIL",
    /^Cannot listen on a:1: the address does not belong to this machine; set listen_addr to .*"0\.0\.0\.0"/,
  ],
  ["EMFILE", /open$/],
];
for (const [code, message] of ROWS) {
  Deno.test(`withListenAdvice names the key to change after ${code}`, async () => {
    const failure = fromOsError(Object.assign(new Error("x"), { code }), "listen on a:1");
    await assert.rejects(withListenAdvice(KEYS, Promise.reject(failure)), (error: Error) => {
      assert.match(error.message, message);
      assert.equal(listenProblemOf(error) === "port_taken", code === "EADDRINUSE");
      return true;
    });
  });
}
