/**
 * Purpose: no way to write a forbidden address leads there, through none of the agent's forms; the client hears the
 * kind of rule, and only the server's audit line says more.
 */
import assert from "node:assert/strict";
import { auditLines } from "../../support/programs/audit_lines.ts";
import { Chain } from "../../support/programs/chain.ts";
import {
  type RequestForm,
  requestFormsFor,
  sendRequest,
  withoutGuide,
} from "../../support/programs/proxy_request.ts";
import { eventually } from "../../support/eventually.ts";
import { FORBIDDEN, IN_OTHER_SCRIPTS, MALFORMED } from "../../support/attacks/forbidden_targets.ts";
import { hasIPv6 } from "../../support/programs/network.ts";

/** A listener on every address of this machine, which counts connections. */
class Trap implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: hasIPv6() ? "::" : "0.0.0.0", port: 0 });
  readonly #accepting = this.#accept();
  caught = 0;

  /** Starts it, and asserts that it counts. */
  static async set(): Promise<Trap> {
    const trap = new Trap();
    const addresses = hasIPv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
    for (const hostname of addresses) (await Deno.connect({ hostname, port: trap.port })).close();
    await eventually("the trap catches", () => assert.equal(trap.caught, addresses.length));
    trap.caught = 0;
    return trap;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.caught++;
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
  }
}

/** Requests hosts in all forms, a few at a time. */
async function tryAll(
  hosts: readonly string[],
  one: (form: RequestForm, host: string) => Promise<void>,
): Promise<number> {
  const attempts = hosts.flatMap((host) => requestFormsFor(host).map((form) => ({ form, host })));
  const left = [...attempts];
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) await one(next.form, next.host);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return attempts.length;
}

const REASON = "private and other non-public addresses are refused by default";

Deno.test("a forbidden address is refused in every spelling and request form", async () => {
  await using chain = await Chain.start({ allow: [] });
  await using trap = await Trap.set();
  const asked = await tryAll(Object.keys(FORBIDDEN), async (form, host) => {
    const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, trap.port);
    const at = `${host} by ${form}: ${text}`;
    if (reply !== undefined) return assert.equal(reply, 2, at);
    assert.equal(status, 403, at);
    assert.match(text, /error=destination_ip_prohibited/, at);
    assert.ok(text.includes(REASON), at);
    const rest = withoutGuide(text).replaceAll(host, "").replaceAll(/\[[\da-f:]+\]/gi, "");
    assert.doesNotMatch(rest, /\b\d+\.\d+\.\d+\.\d+|default [a-z0-9]+[: )]*(?:loopback|metadata)/i, at);
  });
  assert.equal(trap.caught, 0);
  const lines = await auditLines(chain, asked);
  for (const [host, range] of Object.entries(FORBIDDEN)) {
    const found = lines.filter(({ target }) => host === hostOf(target));
    assert.ok(found.length >= requestFormsFor(host).length - 1, `${host}: ${found.length} lines`);
    for (const { outcome, detail } of found) {
      assert.equal(outcome, "target_denied");
      assert.ok(String(detail).includes(`(default ${range}`), `${host}: ${detail}`);
    }
  }
  await chain.finish();
});

Deno.test("an invalid host is refused as a bad request, in every request form", async () => {
  await using chain = await Chain.start({ allow: [] });
  await using trap = await Trap.set();
  await tryAll([...MALFORMED, ...Object.keys(IN_OTHER_SCRIPTS)], async (form, host) => {
    const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, trap.port);
    const at = `${JSON.stringify(host)} by ${form}: ${text}`;
    if (reply !== undefined) assert.equal(reply, 1, at);
    else assert.equal(status, 400, at);
  });
  assert.equal(trap.caught, 0);
  await chain.finish();
});

Deno.test("the server's own ports are refused although targets.allow has their address", async () => {
  await using chain = await Chain.start({ allow: ["0.0.0.0/8", "127.0.0.0/8", "::/0", "localhost"] });
  const hosts = ["127.0.0.1", "127.1", "127.0.0.2", "localhost", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"];
  let asked = 0;
  for (const port of [chain.serverPort, chain.healthPort]) {
    asked += await tryAll(hosts, async (form, host) => {
      const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, port);
      if (reply !== undefined) return assert.equal(reply, 2, `${host} by ${form}`);
      assert.equal(status, 403, `${host} by ${form}: ${text}`);
      assert.match(text, /the server's own ports are refused/);
    });
  }
  for (const { detail } of await auditLines(chain, asked)) assert.match(String(detail), /\(own port: \S+\)$/);
  await chain.finish();
});

Deno.test("the server's own ports are refused at an own address that shows only after connecting", async () => {
  const address = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  )?.address;
  if (address === undefined) return; // a machine without a network has no other address
  const everywhere = { listen_addr: "0.0.0.0", health_addr: "0.0.0.0" };
  await using chain = await Chain.start({ allow: ["0.0.0.0/0"], server: everywhere });
  const { status, text } = await sendRequest(chain.proxyPort, "absolute", address, chain.healthPort);
  assert.equal(status, 403, text);
  assert.match(text, /the server's own ports are refused/);
  await chain.finish();
});

Deno.test("a target in targets.deny is refused with that reason, and only the audit names the rule", async () => {
  const deny = ["8.8.0.0/16", "*.denied.example"];
  await using chain = await Chain.start({ server: { targets: { allow: ["0.0.0.0/0"], deny } } });
  const targets = {
    "8.8.8.8": deny[0],
    "::ffff:8.8.8.8": deny[0],
    "64:ff9b::808:808": deny[0],
    "a.denied.example": deny[1],
  };
  const asked = await tryAll(Object.keys(targets), async (form, host) => {
    const { status, reply, text } = await sendRequest(chain.proxyPort, form, host, 80);
    if (reply !== undefined) return assert.equal(reply, 2, host);
    assert.equal(status, 403, text);
    assert.match(text, /targets\.deny on the server forbids it/);
    assert.doesNotMatch(text, /8\.8\.0\.0|\*/);
  });
  const lines = await auditLines(chain, asked);
  for (const [host, rule] of Object.entries(targets)) {
    const found = lines.filter(({ target }) => hostOf(target) === host);
    assert.ok(
      found.length > 0 && found.every(({ detail }) => String(detail).includes(`(deny ${rule}`)),
      host,
    );
  }
  await chain.finish();
});

/** The host of an audit line's target, without the brackets of an IPv6 address. */
function hostOf(target: unknown): string {
  return String(target).replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
