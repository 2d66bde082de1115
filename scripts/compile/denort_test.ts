import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { archiveName, fetchDenort, parseChecksum, RELEASES } from "./denort.ts";
import { taskCommand } from "../process/task_command.ts";

const DENORT = new TextEncoder().encode("the runtime");
const ARCHIVE = zipSync({ denort: DENORT, "README.md": new Uint8Array(1) });
const NAME = archiveName("linux-x64");
const PATH = `/release/v${Deno.version.deno}/${NAME}`;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A release host that serves these files and answers 404 to everything else. */
function releaseHost(files: Readonly<Record<string, BodyInit>>) {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    requested.push(pathname);
    const body = files[pathname];
    return body === undefined ? new Response("not found", { status: 404 }) : new Response(body);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/release`,
    requested,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("a runtime with the published checksum is used", async () => {
  const line = `${await sha256(ARCHIVE)}  ${NAME}\n`;
  await using host = releaseHost({ [PATH]: ARCHIVE, [`${PATH}.sha256sum`]: line });
  assert.deepEqual(await fetchDenort("linux-x64", host.url), DENORT);
  assert.deepEqual(host.requested, [`${PATH}.sha256sum`, PATH]);
});

Deno.test("a runtime that differs from its published checksum is refused", async () => {
  const line = `${await sha256(ARCHIVE)}  ${NAME}\n`;
  const other = zipSync({ denort: new TextEncoder().encode("another runtime") });
  await using host = releaseHost({ [PATH]: other, [`${PATH}.sha256sum`]: line });
  await assert.rejects(
    fetchDenort("linux-x64", host.url),
    new RegExp(
      `Cannot use .*${NAME}: its SHA-256 is ${await sha256(other)}, the published one is [0-9a-f]{64}`,
    ),
  );
});

Deno.test("a runtime without a published checksum is refused before it is downloaded", async () => {
  await using host = releaseHost({ [PATH]: ARCHIVE });
  await assert.rejects(
    fetchDenort("linux-x64", host.url),
    /Cannot download .*\.sha256sum: the host answered 404; .* DENORT_BIN/,
  );
  assert.deepEqual(host.requested, [`${PATH}.sha256sum`]);
});

Deno.test("a checksum of another file is refused", async () => {
  const line = `${await sha256(ARCHIVE)}  lib${NAME}\n`;
  await using host = releaseHost({ [PATH]: ARCHIVE, [`${PATH}.sha256sum`]: line });
  await assert.rejects(fetchDenort("linux-x64", host.url), /its checksum file is for libdenort-/);
});

Deno.test("a page instead of a checksum is refused", async () => {
  await using host = releaseHost({ [PATH]: ARCHIVE, [`${PATH}.sha256sum`]: "<html>log in first</html>" });
  await assert.rejects(fetchDenort("linux-x64", host.url), /its checksum file has no checksum: "<html>/);
});

Deno.test("an archive without the runtime is refused", async () => {
  const empty = zipSync({ deno: DENORT });
  const line = `${await sha256(empty)}  ${NAME}\n`;
  await using host = releaseHost({ [PATH]: empty, [`${PATH}.sha256sum`]: line });
  await assert.rejects(fetchDenort("linux-x64", host.url), /the archive has no denort/);
});

Deno.test("a host that cannot be reached is reported with what to do", async () => {
  let url: string;
  {
    await using host = releaseHost({});
    url = host.url;
  }
  await assert.rejects(fetchDenort("linux-x64", url), /Cannot download http:.*; compile where .* DENORT_BIN/);
});

Deno.test("checksums are read in the formats of sha256sum, shasum and PowerShell", () => {
  const digest = "3a".repeat(32);
  const windows = archiveName("windows-x64");
  const texts = [
    `${digest}  ${windows}\n`,
    `${digest} *target/release/${windows}\n`,
    `\r\nAlgorithm : SHA256\r\nHash      : ${digest.toUpperCase()}\r\nPath      : D:\\a\\deno\\target\\rel\r\n` +
    `            ease\\${windows}\r\n\r\n`,
  ];
  for (const text of texts) assert.equal(parseChecksum(text, windows), digest, text);
  for (const text of ["", digest, `${digest.slice(1)}  ${windows}`, `SHA512  ${digest}  ${windows}`]) {
    assert.throws(() => parseChecksum(text, windows), /its checksum file has no checksum/, text);
  }
});

Deno.test("the task that compiles may connect to the release host only", async () => {
  const { flags } = await taskCommand("compile");
  assert.deepEqual(flags.filter((flag) => flag.startsWith("--allow-net")), [
    `--allow-net=${new URL(RELEASES).host}`,
  ]);
});
