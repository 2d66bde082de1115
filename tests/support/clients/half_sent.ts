import { ByteReader, writeAll } from "../byte_reader.ts";
import { startCurl } from "./curl.ts";
import { startTcpOrigin, type TcpOrigin } from "../origins/tcp_origin.ts";
import { within } from "../within.ts";

/** An origin that sends half of a body, and the rest when released. */
export interface HalfSendingOrigin extends TcpOrigin {
  /** Sends the second half. */
  release(): void;
}

/** The body of {@linkcode startHalfSendingOrigin} as text. */
export const WHOLE_BODY = "first half, second half";
const FIRST = "first half, ";

/** Starts an origin whose body, with a Content-Length, stops in its middle until it is released. */
export function startHalfSendingOrigin(): HalfSendingOrigin {
  const released = Promise.withResolvers<void>();
  const origin = startTcpOrigin(async (connection) => {
    const reader = new ByteReader(connection);
    await reader.head();
    await writeAll(connection, `HTTP/1.1 200 OK\r\nContent-Length: ${WHOLE_BODY.length}\r\n\r\n${FIRST}`);
    // Also ends when the connection does, so that an origin that is never released does not hang.
    await Promise.race([released.promise, reader.toEnd()]);
    await writeAll(connection, WHOLE_BODY.slice(FIRST.length));
  });
  return Object.defineProperties(Object.create(origin), {
    release: { value: released.resolve },
    [Symbol.asyncDispose]: { value: () => origin[Symbol.asyncDispose]() },
  });
}

/** A download that curl has started. */
export interface BegunDownload {
  /** How it ended. */
  readonly ended: Promise<{ code: number; text: string }>;
}

/** Starts a download with curl and resolves when its first bytes have arrived. */
export async function beginDownload(args: readonly string[]): Promise<BegunDownload> {
  const process = startCurl(["-N", ...args]);
  const begun = Promise.withResolvers<void>();
  const errors = new Response(process.stderr).text();
  const body = (async () => {
    let text = "";
    for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      begun.resolve();
    }
    return text;
  })();
  const ended = Promise.all([process.status, body, errors]).then(([{ code }, text]) => ({ code, text }));
  const failed = ended.then(async ({ code }) => {
    throw new Error(`curl ended with ${code} before a byte came: ${await errors}`);
  });
  failed.catch(() => {}); // matters only until the first bytes have arrived
  await within(15_000, Promise.race([begun.promise, failed]), "the first bytes of a download");
  return { ended };
}
