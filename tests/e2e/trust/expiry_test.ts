/** Purpose: both programs report in time that a certificate expires, in the log and in their status. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Chain } from "../../support/programs/chain.ts";
import { noOpenssl } from "../../support/pki/openssl.ts";
import { eventually } from "../../support/eventually.ts";
import type { Program } from "../../support/programs/programs.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

Deno.test({
  name: `certificates with less than 30 days left cause a warning at the start${
    noOpenssl ? `: ${noOpenssl}` : ""
  }`,
  ignore: noOpenssl !== undefined,
  async fn() {
    // Those of openssl are valid for 30 days here.
    await using chain = await Chain.start({ certificates: "openssl" });
    await eventually("the tunnel is up", async () => assert.equal((await agentStatus(chain)).state, "ready"));
    const parts: [Program, "server" | "client"][] = [[chain.server, "server"], [chain.agent, "client"]];
    for (const [program, name] of parts) {
      const { fields } = await program.log.waitFor("certificate expires soon");
      assert.equal(fields["level"], "WARN");
      assert.equal(fields["days_left"], 29);
      assert.equal(fields["subject"], `CN=sallyport-${name}`);
      await program.log.waitFor("CA certificate expires soon");
    }
    for (
      const [report, name] of [[await health(chain), "server"], [await agentStatus(chain), "client"]] as const
    ) {
      const certificate = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/${name}.crt`));
      const not_after = new Date(certificate.validTo).toISOString();
      assert.deepEqual(report.certificate, { not_after, days_left: 29 });
      assert.equal(report.ca_certificate.days_left, 29);
      assert.equal(report.crl, undefined);
      assert.equal(report.last_reload, undefined);
    }
    await chain.finish();
  },
});

Deno.test("certificates with years left cause no warning", async () => {
  await using chain = await Chain.start();
  assert.equal((await health(chain)).certificate.days_left, 824);
  for (const program of [chain.server, chain.agent]) {
    assert.doesNotMatch(program.log.text, /expires/);
  }
  await chain.finish();
});
