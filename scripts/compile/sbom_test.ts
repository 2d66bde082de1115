import assert from "node:assert/strict";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import * as Validation from "@cyclonedx/cyclonedx-library/Validation";
import { sbomOf, SPEC } from "./sbom.ts";
import { PROGRAMS } from "./targets.ts";

interface Bom {
  serialNumber: string;
  metadata: { component: { name: string; properties: { name: string; value: string }[] } };
  components: {
    name: string;
    group?: string;
    version: string;
    purl: string;
    "bom-ref": string;
    hashes?: { alg: string; content: string }[];
    licenses?: unknown[];
  }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

const lock = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

for (const program of PROGRAMS) {
  const text = await sbomOf(program, "0123456789ab");
  const bom: Bom = JSON.parse(text);

  Deno.test(`the ${program}'s bill of materials is valid CycloneDX, and the same every time`, async () => {
    assert.equal(SPEC.version, Spec.Version.v1dot6);
    assert.equal(await validator.validate(text), null);
    assert.equal(await sbomOf(program, "0123456789ab"), text);
    assert.notEqual(JSON.parse(await sbomOf(program, "ba9876543210")).serialNumber, bom.serialNumber);
    // actions/attest requires one to recognize CycloneDX.
    assert.match(
      bom.serialNumber,
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.deepEqual(bom.metadata.component.properties, [{
      name: "sallyport:commit",
      value: "0123456789ab",
    }]);
  });

  Deno.test(`the ${program}'s bill of materials has the hash in deno.lock for every package`, () => {
    const packages = bom.components.filter(({ purl }) => purl.startsWith("pkg:npm/"));
    assert.ok(packages.length > 5, `${packages.length} packages`);
    for (const component of packages) {
      const { name, group, version, purl, hashes, licenses } = component;
      const id = component["bom-ref"];
      const hex = Uint8Array.fromBase64(lock.npm[id].integrity.replace(/^sha512-/, "")).toHex();
      assert.deepEqual(hashes, [{ alg: "SHA-512", content: hex }], id);
      assert.equal(`${group === undefined ? "" : `${group}/`}${name}@${version}`, id.split("_")[0]);
      assert.equal(purl, `pkg:npm/${group === undefined ? "" : `%40${group.slice(1)}/`}${name}@${version}`);
      assert.equal(licenses?.length, 1, `${id} has a licence`);
    }
    const runtime = bom.components.find(({ name }) => name === "deno");
    assert.equal(runtime?.version, Deno.version.deno);
  });

  Deno.test(`the ${program}'s bill of materials is complete: every component is reachable from the program`, () => {
    const edges = new Map(bom.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
    const reached = new Set<string>([program]);
    for (const ref of reached) for (const next of edges.get(ref) ?? []) reached.add(next);
    assert.deepEqual(
      [...reached].sort(),
      [program, ...bom.components.map((component) => component["bom-ref"])].sort(),
    );
  });
}

Deno.test("packages that only tests and scripts import are in no bill of materials", async () => {
  const names = new Set(
    (await Promise.all(PROGRAMS.map((program) => sbomOf(program, "")))).flatMap((text) =>
      (JSON.parse(text) as Bom).components.map(({ group, name }) =>
        group === undefined ? name : `${group}/${name}`
      )
    ),
  );
  for (const name of ["commander", "zod", "ipaddr.js"]) assert.ok(names.has(name), `${name} is listed`);
  for (const name of ["puppeteer-core", "fast-check", "@cyclonedx/cyclonedx-library", "ajv"]) {
    assert.ok(!names.has(name), `${name} is not listed`);
  }
});

Deno.test("the validator of bills of materials refuses an invalid one", async () => {
  const text = await sbomOf("agent", "0123456789ab");
  assert.notEqual(await validator.validate(text.replace('"SHA-512"', '"SHA-5"')), null);
});
