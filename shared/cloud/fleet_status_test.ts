import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { parseFleetStatus } from "./fleet_status.ts";

Deno.test("parseFleetStatus reads the answers of the functions, and drops unknown keys", () => {
  const status = {
    state: "running",
    servers: [{ ip: "192.0.2.7", port: 8443 }, { ip: "2001:db8::1", port: 443 }],
  };
  assert.deepEqual(parseFleetStatus(JSON.stringify({ ...status, more: 1 })), status);
  const starting = { state: "starting", servers: [], problem: "CannotPullContainerError" };
  assert.deepEqual(parseFleetStatus(JSON.stringify(starting)), starting);
});

const WRONG = {
  "no JSON": "<html>",
  "no object": "null",
  "an unknown state": '{"state":"asleep","servers":[]}',
  "no servers": '{"state":"stopped"}',
  "a name instead of an address": '{"state":"running","servers":[{"ip":"example.org","port":1}]}',
  "a port out of range": '{"state":"running","servers":[{"ip":"192.0.2.7","port":0}]}',
};
for (const [what, body] of Object.entries(WRONG)) {
  Deno.test(`parseFleetStatus refuses ${what}`, () => {
    assert.throws(() => parseFleetStatus(body), (error) => {
      assert.ok(error instanceof SallyportError);
      assert.equal(error.code, "bad_request");
      assert.match(error.message, /^Cannot read the fleet status: ./);
      return true;
    });
  });
}
