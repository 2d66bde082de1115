/**
 * Purpose: agent and server run with the certificates that `certs` issues and renews, and the commands need no more
 * than the permissions of their task.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Chain } from "../../support/programs/chain.ts";
import { type CertificateMaker, certificates } from "../../support/pki/certificates.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { noOpenssl, openssl, runOpenssl, withOpenssl } from "../../support/pki/openssl.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { within } from "../../support/within.ts";
import { NO_NODE_MODULES } from "../../../scripts/process/task_command.ts";

/** Runs a `certs` command and waits until it ends. */
async function certs(...args: string[]) {
  await using program = await startProgram("certs", args);
  const { code } = await within(15_000, program.ended, `the end of certs ${args[0]}`);
  return { code, out: program.out.text, errors: program.log.text };
}

async function certsOk(...args: string[]): Promise<string> {
  const { code, out, errors } = await certs(...args);
  assert.deepEqual([code, errors], [0, ""], args.join(" "));
  return out;
}

async function serialOf(path: string): Promise<string> {
  return new X509Certificate(await Deno.readTextFile(path)).serialNumber;
}

const files = (name: string) => ({ cert_file: `certs/${name}.crt`, key_file: `certs/${name}.key` });

for (const maker of ["init", "openssl"] as const satisfies CertificateMaker[]) {
  const skip = maker === "openssl" ? noOpenssl : undefined;
  Deno.test({
    name: `agent and server connect with issued and renewed certificates of a CA made by ${maker}${
      skip ? ` (skipped: ${skip})` : ""
    }`,
    ignore: skip !== undefined,
    async fn() {
      await using origin = startHttpOrigin(() => new Response("hello"));
      const options = { certificates: maker, agent: files("laptop"), server: files("gate") };
      await using chain = await Chain.prepare(options);
      const dir = `${chain.dir}/certs`;
      await certsOk("issue", "--dir", dir, "--name", "laptop", "--days", "30");
      await certsOk("issue", "--dir", dir, "--name", "gate", "--server");
      const serials: string[] = [];
      for (const round of ["issued", "renewed"]) {
        if (round === "renewed") {
          await certsOk("renew", "--dir", dir, "--name", "laptop");
          await certsOk("renew", "--dir", dir, "--name", "gate", "--keep-key");
        }
        await chain.startServer();
        await chain.startAgent();
        const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
        assert.equal(text, "hello", `${round}: ${errors}`);
        serials.push(await serialOf(`${dir}/laptop.crt`));
        await chain.finish();
      }
      assert.notEqual(serials[0], serials[1]);
    },
  });
}

Deno.test(withOpenssl("certs revokes certificates and shows their state, as a program", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_certs_" });
  try {
    await certificates(`${dir}/a`, "init");
    const folder = ["--dir", `${dir}/a`];
    await certsOk("issue", ...folder, "--name", "laptop");
    assert.equal((await certs("show", ...folder)).code, 0);
    assert.match(
      await certsOk("revoke", ...folder, "--name", "laptop", "--reason", "keyCompromise"),
      /^revoked laptop /m,
    );
    assert.match(await certsOk("revoke", ...folder, "--name", "laptop"), /was already revoked on/);
    assert.match(await certsOk("crl", ...folder), /number 3, 1 entry/);
    const shown = await certs("show", ...folder, "--json");
    assert.deepEqual([shown.code, shown.errors], [1, ""]);
    const bad = (JSON.parse(shown.out) as { file: string; problems: string[] }[])
      .filter(({ problems }) => problems.length > 0);
    assert.deepEqual(bad.map(({ file }) => file), [`${dir}/a/laptop.crt`]);
    const verify = "verify -crl_check -CAfile a/ca.crt -CRLfile a/crl.pem";
    assert.match((await runOpenssl(dir, `${verify} a/laptop.crt`)).text, /certificate revoked/);
    assert.match(await openssl(dir, `${verify} a/client.crt`), /OK/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}));

Deno.test("certs exits with 2 on a usage error and with 1 on any other", async () => {
  const usage = await certs("issue", "--dir", "/no/such", "--name", "../x");
  assert.deepEqual([usage.code, usage.out], [2, ""]);
  assert.match(
    usage.errors,
    /^sallyport-agent: option '--name <name>' argument '\.\.\/x' is invalid\. [^\n]+\n$/,
  );
  const failure = await certs("issue", "--dir", "/no/such", "--name", "x");
  assert.deepEqual([failure.code, failure.out], [1, ""]);
  assert.match(
    failure.errors,
    /^sallyport-agent: Cannot use the CA in \/no\/such: ca\.crt not found; [^\n]+\n$/,
  );
});

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** The modules loaded with a module: itself and its static imports, recursively. */
function loadedBy(root: string, { modules }: Graph): string[] {
  const loaded = new Set([root]);
  for (const specifier of loaded) {
    const { dependencies = [] } = modules.find((module) => module.specifier === specifier) ?? {};
    for (const { isDynamic, code } of dependencies) {
      if (!isDynamic && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

/** The entry module of each program; the server's `main.ts` imports it only for commands other than a health check. */
const PROGRAMS = { agent: "agent/main.ts", server: "server/program.ts" };
for (const [program, module] of Object.entries(PROGRAMS)) {
  Deno.test(`a running ${program} loads no code that issues certificates`, async () => {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", NO_NODE_MODULES, "--json", module],
      cwd: `${import.meta.dirname}/../../..`,
    }).output();
    assert.equal(code, 0);
    const graph = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
    const loaded = loadedBy(graph.roots[0]!, graph);
    assert.ok(loaded.some((specifier) => specifier.endsWith(`/${program}/cli/cli.ts`)), loaded.join("\n"));
    assert.deepEqual(loaded.filter((specifier) => specifier.includes("@peculiar/x509")), []);
  });
}
