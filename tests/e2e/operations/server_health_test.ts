/** Purpose: `server health` reports the server's health to a container's supervisor, without a shell or curl. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { startProgram } from "../../support/programs/programs.ts";

/** Asks the server of a chain, or who is at `port`. */
async function ask(chain: Chain, port = chain.healthPort) {
  const env = { SALLYPORT_HEALTH_PORT: String(port) };
  await using program = await startProgram("server", ["health"], { env });
  const { code } = await program.ended;
  return { code, out: program.out.text, err: program.log.text };
}

Deno.test("server health exits with 0 and the state when the server is ready, and with 1 when it is gone", async () => {
  await using chain = await Chain.start();
  const ready = await ask(chain);
  assert.equal(ready.code, 0, ready.err);
  assert.equal(JSON.parse(ready.out).state, "ready");
  await chain.server.stop();
  const gone = await ask(chain);
  assert.equal(gone.code, 1);
  assert.match(
    gone.err,
    /^sallyport-server: Cannot ask the server at 127\.0\.0\.1:\d+: the connection was refused; is it /,
  );
  assert.equal(gone.out, "");
});
