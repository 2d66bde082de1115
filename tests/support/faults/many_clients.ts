import { ByteReader, writeAll } from "../byte_reader.ts";
import { within } from "../within.ts";

/** How the request of one of many clients ended. */
export interface ClientResult {
  readonly connection: Deno.TcpConn | undefined;
  /** 200, or the response head, the error or the end that the client met. */
  readonly result: number | string;
}

/** Many clients that request a tunnel at the same time and keep those they get. */
export class ManyClients implements AsyncDisposable {
  readonly #clients: Promise<ClientResult>[];
  readonly #stop = new AbortController();

  /** @param target Target of every client's CONNECT; `$` becomes the client's number. */
  constructor(proxyPort: number, target: string, count: number) {
    this.#clients = Array.from(
      { length: count },
      (_, i) => requestTunnel(proxyPort, target.replace("$", String(i)), this.#stop.signal),
    );
  }

  /** The result of every client; fails when one has neither an answer nor an end within `ms` milliseconds. */
  results(ms: number): Promise<ClientResult[]> {
    return within(ms, Promise.all(this.#clients), "an answer or an end for every client");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }
}

async function requestTunnel(proxyPort: number, target: string, stop: AbortSignal): Promise<ClientResult> {
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  } catch (error) {
    return { connection: undefined, result: String(error) };
  }
  stop.addEventListener("abort", () => close(connection), { once: true });
  try {
    await writeAll(connection, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    const head = await new ByteReader(connection).head();
    const status = Number(head.split(" ")[1]);
    if (status === 200) return { connection, result: 200 };
    close(connection);
    return { connection: undefined, result: head };
  } catch (error) {
    close(connection);
    return { connection: undefined, result: String(error) };
  }
}

function close(connection: Deno.TcpConn): void {
  connection[Symbol.dispose](); // unlike close(), this may be called twice
}

/** Sends a few bytes to an echo server and checks that they come back. */
export async function echoes({ connection }: ClientResult): Promise<boolean> {
  await writeAll(connection!, "are you there?");
  const back = await new ByteReader(connection!).exactly("are you there?".length);
  return new TextDecoder().decode(back) === "are you there?";
}
