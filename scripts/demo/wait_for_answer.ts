/**
 * Waits until a GET for `target` at 127.0.0.1:`port` is answered with 200: a URL by a proxy, a path by a server. It
 * tries repeatedly, since no event announces that moment. The request is hand-written, because `fetch` may bypass the
 * proxy (`NO_PROXY`).
 *
 * @param signal Stops waiting: at a deadline, or when the demo stops.
 * @throws {Error} When `signal` aborts first, with the last answer or error.
 */
export async function waitForAnswer(port: number, target: string, signal: AbortSignal): Promise<void> {
  let last = "nothing tried yet";
  while (!signal.aborted) {
    last = await tryOnce(port, target, signal);
    if (/^HTTP\/1\.1 200 /.test(last)) return;
    await pause(100, signal);
  }
  throw new Error(`Cannot reach ${target} through port ${port}: last answer is ${last}`);
}

/** Returns the answer's status line, or the error. */
async function tryOnce(port: number, target: string, signal: AbortSignal): Promise<string> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const abort = () => connection.close();
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await ask(connection, port, target);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  } catch (error) {
    return String(error);
  }
}

async function ask(connection: Deno.TcpConn, port: number, target: string): Promise<string> {
  const request = `GET ${target} HTTP/1.1\r\nHost: ${
    new URL(target, `http://127.0.0.1:${port}`).host
  }\r\nConnection: close\r\n\r\n`;
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
