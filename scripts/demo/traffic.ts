/**
 * Waits until a GET for `target` passes through the HTTP proxy at 127.0.0.1:`proxyPort`. Nothing announces that
 * moment from outside, so it is tried again and again. The request is written by hand, because `fetch` may go
 * around the proxy (`NO_PROXY`).
 *
 * @param signal Ends the waiting: with its deadline, or because the demo stops.
 * @throws {Error} When `signal` is aborted first, with what the last try met.
 */
export async function waitForTraffic(proxyPort: number, target: string, signal: AbortSignal): Promise<void> {
  let last = "nothing tried yet";
  while (!signal.aborted) {
    last = await tryOnce(proxyPort, target, signal);
    if (/^HTTP\/1\.1 200 /.test(last)) return;
    await pause(100, signal);
  }
  throw new Error(`Cannot reach ${target} through the proxy on port ${proxyPort}: last answer is ${last}`);
}

/** The answer's status line, or why there is none. */
async function tryOnce(port: number, target: string, signal: AbortSignal): Promise<string> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const abort = () => connection.close();
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await ask(connection, target);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  } catch (error) {
    return String(error);
  }
}

async function ask(connection: Deno.TcpConn, target: string): Promise<string> {
  const request = `GET ${target} HTTP/1.1\r\nHost: ${new URL(target).host}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    answer += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return answer.split("\r\n", 1)[0] || "an empty answer";
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
