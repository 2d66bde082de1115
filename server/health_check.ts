import { hostPort } from "../shared/net/host_port.ts";
import { reachable } from "../shared/net/reachable.ts";
import { EXIT } from "../shared/cli/exit.ts";
import type { Terminal } from "../shared/cli/run_program.ts";
import { fromOsError } from "../shared/net/os_error.ts";
import type { HealthAddress } from "./health_address.ts";

/** Milliseconds that an answer may take: a server that works hard is not ill. */
const TIMEOUT = 15_000;
const MAX_BYTES = 65_536;

/**
 * Asks the health port of a server on this machine, for container images that have neither a shell nor `curl`.
 *
 * It speaks HTTP/1.0 itself (RFC 1945), which ends an answer with the connection, since the libraries that do it cost
 * several times as much processor as the check: `node:https` alone loads all of TLS.
 *
 * @returns The exit code: 0 when the server is ready, 1 when it drains or does not answer within 15 s.
 */
export async function askHealth({ host, port }: HealthAddress, terminal: Terminal): Promise<number> {
  const hostname = reachable(host);
  const url = `http://${hostPort(hostname, port)}`;
  try {
    const answer = await get(hostname, port);
    const [, status, body] = /^HTTP\/1\.[01] (\d{3})[^]*?\r\n\r\n([^]*)$/.exec(answer) ?? [];
    if (status === undefined) throw new Error("the answer is no HTTP");
    const ready = status === "200";
    const say = ready ? terminal.out : terminal.err;
    say(`${body!.trim()}\n`);
    return ready ? EXIT.ok : EXIT.failure;
  } catch (error) {
    terminal.err(`${fromOsError(error, `ask ${url}`).message}\n`);
    return EXIT.failure;
  }
}

async function get(hostname: string, port: number): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no answer came within ${TIMEOUT / 1000} s`)),
    TIMEOUT,
  );
  let connection: Deno.TcpConn | undefined;
  try {
    connection = await Promise.race([Deno.connect({ hostname, port }), late.promise]);
    return await Promise.race([exchange(connection, hostname), late.promise]);
  } finally {
    clearTimeout(timer);
    connection?.close();
  }
}

async function exchange(connection: Deno.TcpConn, host: string): Promise<string> {
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(`GET /health HTTP/1.0\r\nHost: ${host}\r\n\r\n`));
  writer.releaseLock();
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`);
  }
}
