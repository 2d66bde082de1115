/** Purpose: the commands of docs/certificates.md work as they stand, in the order of the page. */
import assert from "node:assert/strict";
import { shellBlocksOf } from "../../../scripts/docs/markdown.ts";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { withOpenssl } from "../../support/pki/openssl.ts";
import { read } from "../../support/workflows.ts";

const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;
/** Stands in for `npx -y deno@VERSION task -q`, with the Deno that runs the test. */
const NPX = `npx() { shift 4; "${Deno.execPath()}" task --quiet --config "${CONFIG}" "$@"; }`;

const [lifeCycle = "", replaceCa = "", withOpensslAlone = ""] = shellBlocksOf(read("docs/certificates.md"));

/** Runs a script in a folder, as a person's shell does; returns what it wrote. */
async function run(cwd: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-e", "-c", `${NPX}\n${script}`],
    cwd,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** A folder that is gone at the end. */
async function folder() {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "sallyport_docs_" }));
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const INIT = "npx -y deno task -q certs init --dir certs";

Deno.test("the documented commands issue, renew and revoke a certificate, and replace the CA", async () => {
  await using there = await folder();
  const { dir } = there;
  assert.match(lifeCycle, /certs show[^\n]*\n$/, "the last one, which finds the revoked certificate");
  const shown = await run(dir, `${INIT}\n${lifeCycle.trimEnd().replace(/ +#[^\n]*$/, "")} || test $? = 1`);
  assert.match(shown, /laptop\.crt[^]*PROBLEM {5}it was revoked/);
  await run(dir, replaceCa);
  for (const [name, kind] of [["ca.crt", "CERTIFICATE"], ["crl.pem", "X509 CRL"]]) {
    const text = await Deno.readTextFile(`${dir}/both/${name}`);
    assert.equal(text.match(new RegExp(`-----BEGIN ${kind}-----`, "g"))?.length, 2, name);
  }
});

Deno.test(withOpenssl("the documented openssl commands make a CA that certs works with", async () => {
  await using there = await folder();
  const { dir } = there;
  await run(dir, withOpensslAlone);
  const more = `cd ${dir}\nnpx -y deno task -q certs crl --dir certs\n` +
    "npx -y deno task -q certs issue --dir certs --name laptop\nnpx -y deno task -q certs show --dir certs";
  const shown = await run(dir, more);
  for (const name of ["server", "client", "laptop", "crl.pem"]) assert.match(shown, new RegExp(name));
}));
