/**
 * Purpose: `clients.allow` decides by the names in a client's certificate which clients the server accepts and which
 * targets each may reach; names with hidden characters match nothing and stay visible in the audit.
 */
import assert from "node:assert/strict";
import type { LeafOptions } from "../../../agent/certs/authority/certificate_authority.ts";
import { auditLines } from "../../support/programs/audit_lines.ts";
import { Chain } from "../../support/programs/chain.ts";
import { type RequestForm, sendRequest } from "../../support/programs/proxy_request.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";

const CLIENTS = {
  allow: [
    "cn:laptop-*",
    {
      client: "uri:spiffe://corp.example/ci/*",
      targets: { allow: ["127.0.0.1", "127.0.0.2", "127.0.0.9"], deny: ["127.0.0.3"] },
    },
    "dns:*.dev.corp.example",
  ],
};
const TARGETS = { allow: ["127.0.0.1", "127.0.0.3"], deny: ["127.0.0.2"] };

interface Case {
  name: string;
  client: Pick<LeafOptions, "commonName" | "alternativeNames">;
  /** Whether the server accepts it. */
  served: boolean;
}

const CASES: Case[] = [
  { name: "a common name", client: { commonName: "laptop-7" }, served: true },
  {
    name: "a DNS name",
    client: { commonName: "x", alternativeNames: [{ type: "dns", value: "a.dev.corp.example" }] },
    served: true,
  },
  {
    name: "a URI",
    client: { commonName: "x", alternativeNames: [{ type: "uri", value: "spiffe://corp.example/ci/7" }] },
    served: true,
  },
  {
    name: "a common name that only contains the pattern",
    client: { commonName: "my-laptop-7" },
    served: false,
  },
  {
    name: "a DNS name of two labels",
    client: { commonName: "x", alternativeNames: [{ type: "dns", value: "a.b.dev.corp.example" }] },
    served: false,
  },
  {
    name: "a URI with a dot segment",
    client: { commonName: "x", alternativeNames: [{ type: "uri", value: "spiffe://corp.example/ci/.." }] },
    served: false,
  },
  {
    name: "a common name with a NUL and a line break",
    client: { commonName: "laptop-\0\n7" },
    served: false,
  },
  {
    name: "a common name with a bidirectional override",
    client: { commonName: "laptop-\u202e7" },
    served: false,
  },
];

for (const { name, client } of CASES.filter(({ served }) => served)) {
  Deno.test(`clients.allow accepts ${name}`, async () => {
    const server = { clients: CLIENTS, targets: TARGETS };
    await using chain = await Chain.start({ certificates: client, server });
    await using origin = startHttpOrigin(() => new Response("hello"));
    // No CONNECT: an open tunnel would wait for bytes.
    const forms: RequestForm[] = ["absolute", "websocket"];
    for (const form of forms) {
      const { status, text } = await sendRequest(chain.proxyPort, form, "127.0.0.1", origin.port);
      assert.equal(status, 200, `${form}: ${text}`);
    }
    for (const { client: who, outcome } of await auditLines(chain, forms.length)) {
      assert.deepEqual([who, outcome], [client.commonName, "ok"]);
    }
    assert.match(chain.server.out.text, /^[\x20-\x7e\n]+$/, "the audit is printable");
    await chain.finish();
  });
}

for (const { name, client } of CASES.filter(({ served }) => !served)) {
  Deno.test(`clients.allow refuses ${name} before it opens a stream`, async () => {
    const server = { clients: CLIENTS, targets: TARGETS };
    await using chain = await Chain.start({ certificates: client, server });
    await using origin = startHttpOrigin(() => new Response("hello"));
    const { status, text } = await sendRequest(chain.proxyPort, "absolute", "127.0.0.1", origin.port);
    assert.equal(status, 502, text);
    assert.match(text, /clients\.allow on the server does not name this client/);
    // The speed test is refused too.
    const speed = await sendRequest(chain.proxyPort, "absolute", "speed.sallyport.invalid", 80);
    assert.equal(speed.status, 502);
    const { fields } = await chain.server.log.waitFor("agent refused");
    assert.deepEqual([fields["client"], fields["code"]], [client.commonName, "peer_rejected"]);
    assert.equal(chain.server.out.text, "", "no stream was opened");
    await chain.finish();
  });
}

Deno.test("targets of an entry replace those of the server, except its deny list", async () => {
  const alternativeNames = [{ type: "uri", value: "spiffe://corp.example/ci/7" }] as const;
  const certificates = { commonName: "laptop 7", alternativeNames };
  const deny = ["127.0.0.9"];
  await using chain = await Chain.start({
    certificates,
    server: { clients: CLIENTS, targets: { allow: ["127.0.0.3", "127.0.0.4"], deny } },
  });
  await using origin = startHttpOrigin(() => new Response("hello"));
  const status = async (host: string) =>
    (await sendRequest(chain.proxyPort, "absolute", host, origin.port)).status;
  assert.equal(await status("127.0.0.1"), 200, "of its own list");
  assert.equal(await status("127.0.0.2"), 502, "of its own list, but no listener");
  assert.equal(await status("127.0.0.3"), 403, "of its own deny list");
  assert.equal(await status("127.0.0.4"), 403, "of the server's list only");
  assert.equal(await status("127.0.0.9"), 403, "of the server's deny list");
  await chain.finish();
});
