import assert from "node:assert/strict";
import { Chain } from "../programs/chain.ts";
import { curl } from "../clients/curl.ts";
import { type HttpOrigin, startHttpOrigin } from "../origins/http_origin.ts";
import { FakeFleet } from "./fake_fleet.ts";

/** An agent, a server and the cloud functions between them. */
export interface Scene extends AsyncDisposable {
  readonly chain: Chain;
  readonly fleet: FakeFleet;
  readonly origin: HttpOrigin;
}

/** A chain that is not started, functions for its agent, and an origin. */
export async function scene(keys: Record<string, unknown> = {}): Promise<Scene> {
  const chain = await Chain.prepare();
  const fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  Object.assign(chain.options, { agent: { ...fleet.keys, ...keys } });
  const origin = startHttpOrigin(() => new Response("hello"));
  return {
    chain,
    fleet,
    origin,
    async [Symbol.asyncDispose]() {
      await chain[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

/** Starts the server at the address that the functions give, and an agent, and makes a request. */
export async function beginToServe(all: Scene): Promise<void> {
  const { chain, fleet } = all;
  await chain.startServer();
  fleet.run(chain.serverPort);
  await chain.startAgent();
  await assertServed(all);
}

/** Makes a request through the agent, which wakes the server if necessary. */
export async function assertServed({ chain, origin }: Scene): Promise<void> {
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", `${errors}\n${chain.agent.log.text}`);
}
