// The whole package would also load validators, which only tests need.
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as SPDX from "@cyclonedx/cyclonedx-library/SPDX";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import { z } from "zod";
import { VERSION } from "../../shared/version.ts";
import { childEnvironment } from "../process/child_environment.ts";
import { COMMIT_FILE } from "./command.ts";
import { type ProgramName, PROGRAMS } from "./targets.ts";
import { NO_NODE_MODULES } from "../process/task_command.ts";

/** Version of CycloneDX that the bills of materials are written in. */
export const SPEC = Spec.Spec1dot6;

/** Output of `deno info --json` for a program; it lists the packages of the whole project. */
const INFO = z.object({
  modules: z.array(z.object({ npmPackage: z.string().optional() })),
  npmPackages: z.record(
    z.string(),
    z.object({
      name: z.string(),
      version: z.string(),
      dependencies: z.array(z.string()),
      localPath: z.string(),
    }),
  ),
});
const LOCK = z.object({ npm: z.record(z.string(), z.object({ integrity: z.string() })) });
const MANIFEST = z.object({ license: z.string().optional() });

type Info = z.infer<typeof INFO>;

/**
 * Writes a software bill of materials for each program (CycloneDX, JSON) to a folder; returns the file names. It is
 * the same on every machine.
 *
 * @throws {Error} When Deno cannot list what a program imports, or deno.lock lacks the integrity of a package.
 */
export async function writeSboms(outDir: string): Promise<string[]> {
  const commit = await Deno.readTextFile(COMMIT_FILE);
  return await Promise.all(PROGRAMS.map(async (program) => {
    const name = `${program}.cdx.json`;
    await Deno.writeTextFile(`${outDir}/${name}`, `${await sbomOf(program, commit)}\n`);
    return name;
  }));
}

/**
 * The bill of materials of a program: Deno's runtime and every npm package that its modules import, directly or not,
 * with the hash in deno.lock. The same sources give the same text: it has no time, and its serial number is derived
 * from its content.
 */
export async function sbomOf(program: ProgramName, commit: string): Promise<string> {
  const info = await moduleGraph(program);
  const bom = new Models.Bom();
  const application = new Models.Component(Enums.ComponentType.Application, `sallyport-${program}`, {
    version: VERSION,
    bomRef: program,
  });
  application.properties.add(new Models.Property("sallyport:commit", commit.trim()));
  bom.metadata.component = application;

  const runtime = denoRuntime();
  const components = await componentsOf(info);
  const direct = new Set(info.modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  application.dependencies.add(runtime.bomRef);
  for (const id of direct) application.dependencies.add(components.get(id)!.bomRef);
  for (const component of [runtime, ...components.values()]) bom.components.add(component);
  bom.serialNumber = await serialNumber(serialize(bom));
  return serialize(bom);
}

function serialize(bom: Models.Bom): string {
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(SPEC));
  return serializer.serialize(bom, { sortLists: true, space: 2 });
}

function denoRuntime(): Models.Component {
  const { deno } = Deno.version;
  const component = new Models.Component(Enums.ComponentType.Platform, "deno", {
    version: deno,
    bomRef: `deno@${deno}`,
    purl: `pkg:github/denoland/deno@v${deno}`,
  });
  component.licenses.add(new Models.SpdxLicense("MIT"));
  return component;
}

/** The packages of a program with their dependencies, by their names in deno.lock. */
async function componentsOf({ modules, npmPackages }: Info): Promise<Map<string, Models.Component>> {
  const { npm } = LOCK.parse(
    JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url))),
  );
  const components = new Map<string, Models.Component>();
  const waiting = modules.flatMap(({ npmPackage }) => npmPackage ?? []);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (components.has(id)) continue;
    const found = npmPackages[id];
    const integrity = npm[id]?.integrity;
    if (found === undefined || integrity === undefined) {
      throw new Error(`Cannot list the packages of the program: deno.lock has no integrity of ${id}`);
    }
    components.set(id, npmComponent(id, found, integrity, await licenseOf(found.localPath)));
    waiting.push(...found.dependencies);
  }
  for (const [id, component] of components) {
    for (const dependency of npmPackages[id]!.dependencies) {
      component.dependencies.add(components.get(dependency)!.bomRef);
    }
  }
  return components;
}

function npmComponent(
  id: string,
  { name, version }: { name: string; version: string },
  integrity: string,
  license: string | undefined,
): Models.Component {
  const [scope, plain] = name.startsWith("@") ? name.split("/") as [string, string] : [undefined, name];
  const path = scope === undefined ? plain : `${encodeURIComponent(scope)}/${plain}`;
  const component = new Models.Component(Enums.ComponentType.Library, plain, {
    ...scope === undefined ? {} : { group: scope },
    version,
    bomRef: id,
    purl: `pkg:npm/${path}@${version}`,
  });
  component.hashes.set(Enums.HashAlgorithm["SHA-512"], sha512Of(id, integrity));
  if (license !== undefined) component.licenses.add(asLicense(license));
  return component;
}

/** Converts an integrity of deno.lock (`sha512-` and base64) to hexadecimal, as CycloneDX requires. */
function sha512Of(id: string, integrity: string): string {
  const [, digest] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity) ?? [];
  if (digest === undefined) throw new Error(`Cannot read the integrity of ${id} in deno.lock: ${integrity}`);
  return Uint8Array.fromBase64(digest).toHex();
}

/** The licence that a package declares; `undefined` without one. */
async function licenseOf(folder: string): Promise<string | undefined> {
  return MANIFEST.parse(JSON.parse(await Deno.readTextFile(`${folder}/package.json`))).license;
}

function asLicense(text: string): Models.License {
  if (SPDX.isSupportedSpdxId(text)) return new Models.SpdxLicense(text);
  return / (AND|OR|WITH) /.test(text) ? new Models.LicenseExpression(text) : new Models.NamedLicense(text);
}

/** A UUID of version 8 (RFC 9562 section 5.8) from a text's SHA-256. */
async function serialNumber(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  bytes[6] = bytes[6]! & 0x0f | 0x80;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  const hex = bytes.subarray(0, 16).toHex();
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`;
}

async function moduleGraph(program: ProgramName): Promise<Info> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", NO_NODE_MODULES, "--json", `${program}/main.ts`],
    cwd: new URL("../../", import.meta.url),
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) {
    throw new Error(`Cannot list what ${program} imports: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return INFO.parse(JSON.parse(new TextDecoder().decode(stdout)));
}
