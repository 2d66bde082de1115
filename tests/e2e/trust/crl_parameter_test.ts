/** Purpose: a server refuses revoked clients by the list in an AWS parameter, from the start. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { FakeAws } from "../../support/cloud/fake_aws.ts";
import { testCrl, type TestCrlOptions } from "../../support/pki/test_crl.ts";

/** A parameter store with one value, and a chain whose server reads it. */
async function chainWith(text: (dir: string) => Promise<string>) {
  const chain = await Chain.prepare({ server: { crl_parameter: "/sallyport/crl" } });
  const value = await text(`${chain.dir}/certs`);
  const aws = new FakeAws((_, input) => ({ body: { Parameter: { Name: input["Name"], Value: value } } }));
  return { chain, aws };
}

async function listOf(dir: string, revoked: string[], more: TestCrlOptions = {}): Promise<string> {
  const [cert, key] = await Promise.all(
    ["ca.crt", "ca.key"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
  );
  const der = await testCrl({ cert: cert!, key: key! }, { revoked, ...more });
  return `-----BEGIN X509 CRL-----\n${der.toBase64()}\n-----END X509 CRL-----\n`;
}

Deno.test("a client on the list in the parameter is refused", async () => {
  const { chain, aws } = await chainWith(async (dir) =>
    await listOf(dir, [await Deno.readTextFile(`${dir}/client.crt`)])
  );
  await using _aws = aws;
  await using _chain = chain;
  await chain.startServer(aws.env);
  await chain.startAgent();
  const { fields } = await chain.server.log.waitFor("agent refused");
  assert.match(String(fields["error"]), /was revoked/);
  assert.deepEqual(aws.calls[0]?.input, { Name: "/sallyport/crl", WithDecryption: true });
  await chain.agent.stop();
  await chain.server.stop();
});

Deno.test("a server does not start when the parameter contains no list, and says so", async () => {
  const { chain, aws } = await chainWith(() => Promise.resolve("nothing"));
  await using _aws = aws;
  await using _chain = chain;
  await assert.rejects(chain.startServer(aws.env));
  assert.equal((await chain.server.ended).code, 1);
  assert.match(chain.server.log.text, /revocation list of the parameter \/sallyport\/crl: it has no entry/);
});

Deno.test("a server does not start when the list in the parameter has expired, and says since when", async () => {
  const expired = { thisUpdate: new Date(Date.now() - 120_000), nextUpdate: new Date(Date.now() - 60_000) };
  const { chain, aws } = await chainWith((dir) => listOf(dir, [], expired));
  await using _aws = aws;
  await using _chain = chain;
  await assert.rejects(chain.startServer(aws.env));
  assert.equal((await chain.server.ended).code, 1);
  const reason =
    /revocation list of the parameter \/sallyport\/crl: it expired on .*Z; sign a new one with certs crl/;
  assert.match(chain.server.log.text, reason);
});
