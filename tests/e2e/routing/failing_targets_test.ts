/**
 * Purpose: errors of targets are distinguished by status, `Proxy-Status` (RFC 9209) and a short text, for CONNECT and plain
 * requests.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { unusedPort } from "../../support/programs/network.ts";
import { startSilentTarget } from "../../support/origins/silent_target.ts";

const ALLOW = ["127.0.0.1", "255.255.255.255"];

interface Failure {
  name: string;
  target: () => string;
  status: number;
  error: string;
}

const FAILURES: Failure[] = [
  { name: "refused", target: () => `127.0.0.1:${unusedPort()}`, status: 502, error: "connection_refused" },
  { name: "unresolvable", target: () => "no-such-name.invalid:80", status: 502, error: "dns_error" },
  {
    name: "unreachable",
    target: () => "255.255.255.255:80",
    status: 502,
    error: "destination_ip_unroutable",
  },
  { name: "denied", target: () => "127.0.0.2:80", status: 403, error: "destination_ip_prohibited" },
];

for (const { name, target, status, error } of FAILURES) {
  Deno.test(`a target that is ${name} gets ${status} and ${error}`, async () => {
    await using chain = await Chain.start({ allow: ALLOW });
    await assertRefused(chain, target(), status, error);
    await chain.finish();
  });
}

const notLinux = Deno.build.os === "linux" ? undefined : "only Linux drops connections beyond a full backlog";
Deno.test({
  name: `a target that is slow is answered with 504 and connection_timeout${
    notLinux ? ` (skipped: ${notLinux})` : ""
  }`,
  ignore: notLinux !== undefined,
  async fn() {
    await using chain = await Chain.start({ allow: ALLOW });
    using target = await startSilentTarget();
    await assertRefused(chain, target.host, 504, "connection_timeout");
    await chain.finish();
  },
});

async function assertRefused(chain: Chain, target: string, status: number, error: string): Promise<void> {
  const [plain, tunnel] = await Promise.all([
    curl(["-x", chain.proxyUrl, "-i", `http://${target}/`]),
    curl(["-x", chain.proxyUrl, "-p", "-v", "-w", "%{http_connect}", `http://${target}/`]),
  ]);
  assert.equal(plain.code, 0, plain.errors);
  assert.match(plain.text, new RegExp(`^HTTP/1\\.1 ${status} `));
  assert.match(plain.text, proxyStatus(error));
  const body = plain.text.split("\r\n\r\n")[1] ?? "";
  assert.ok(body.includes(target.replace(/:80$/, "")), `the text names the target: ${body}`);
  assert.equal(tunnel.code, 56, "curl: the proxy refused the tunnel");
  assert.equal(tunnel.text, String(status), tunnel.errors);
  assert.match(tunnel.errors, proxyStatus(error));
}

function proxyStatus(error: string): RegExp {
  return new RegExp(`Proxy-Status: [^\\r\\n]*;\\s*error=${error}\\b`, "i");
}
