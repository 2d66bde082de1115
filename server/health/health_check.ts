import { withDeadline } from "../../shared/net/deadline.ts";
import { dialableHost, hostPort } from "../../shared/net/host_port.ts";
import { cannotAsk, EXIT, type Terminal } from "../../shared/cli/terminal.ts";
import { printable } from "../../shared/text/sanitize.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import type { HealthAddress } from "./health_address.ts";

/** Milliseconds that an answer may take: a busy server is not an unhealthy one. */
const TIMEOUT_MS = 15_000;
const MAX_BYTES = 65_536;

/**
 * Queries the health port of a server on this machine, for container images that have neither a shell nor `curl`.
 *
 * It speaks HTTP/1.0 on its own (RFC 1945), where the end of the connection ends the answer: HTTP libraries take several
 * times as much processor time as the rest of the check, `node:https` alone loads all of TLS.
 *
 * @returns The exit code: 0 when the server is ready, 1 when it drains or does not answer within 15 s.
 */
export async function askHealth({ host, port }: HealthAddress, terminal: Terminal): Promise<number> {
  const hostname = dialableHost(host);
  if (port === 0) {
    terminal.err(
      "sallyport-server: Cannot tell the health port's address: health_port is 0; give it a number\n",
    );
    return EXIT.usage;
  }
  const url = `http://${hostPort(hostname, port)}`;
  try {
    const answer = await get(hostname, port, url);
    const [, status, body] = /^HTTP\/1\.[01] (\d{3})[^]*?\r\n\r\n([^]*)$/.exec(answer) ?? [];
    if (status === undefined) throw new Error("the answer is not HTTP");
    const ready = status === "200";
    const say = ready ? terminal.out : terminal.err;
    say(`${body!.trim()}\n`);
    return ready ? EXIT.ok : EXIT.failure;
  } catch (error) {
    const reason = fromOsError(error, "ask").message.replace(/^Cannot [^]*?: /, "");
    const address = hostPort(hostname, port);
    terminal.err(`sallyport-server: ${printable(cannotAsk("server", address, reason, "health_port"))}\n`);
    return EXIT.failure;
  }
}

function get(hostname: string, port: number, url: string): Promise<string> {
  return withDeadline({ doing: `query ${url}`, timeoutMs: TIMEOUT_MS }, async (signal) => {
    const connection = await Deno.connect({ hostname, port, signal });
    const close = () => connection.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      return await exchange(connection, hostname);
    } finally {
      signal.removeEventListener("abort", close);
      if (!signal.aborted) connection.close();
    }
  });
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
