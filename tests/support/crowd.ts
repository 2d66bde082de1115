import { ByteReader, writeAll } from "./byte_reader.ts";
import { within } from "./within.ts";

/** What became of one of many clients: the status that it got, or the error or end that it met. */
export interface Guest {
  readonly connection: Deno.TcpConn | undefined;
  readonly outcome: number | string;
}

/** Many clients that ask for a tunnel at the same time and keep what they get. */
export class Crowd implements AsyncDisposable {
  readonly #guests: Promise<Guest>[];
  readonly #leave = new AbortController();

  /** @param target What every client asks for, as CONNECT has it; `$` becomes the client's number. */
  constructor(proxyPort: number, target: string, count: number) {
    this.#guests = Array.from(
      { length: count },
      (_, i) => visit(proxyPort, target.replace("$", String(i)), this.#leave.signal),
    );
  }

  /** What every client met; fails when one is left without an answer and without an end. */
  outcomes(ms: number): Promise<Guest[]> {
    return within(ms, Promise.all(this.#guests), "an answer or an end for every client");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave.abort();
    await Promise.all(this.#guests);
  }
}

async function visit(proxyPort: number, target: string, leave: AbortSignal): Promise<Guest> {
  let connection: Deno.TcpConn;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  } catch (error) {
    return { connection: undefined, outcome: String(error) };
  }
  leave.addEventListener("abort", () => close(connection), { once: true });
  try {
    await writeAll(connection, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    const head = await new ByteReader(connection).head();
    const status = Number(head.split(" ")[1]);
    if (status === 200) return { connection, outcome: 200 };
    close(connection);
    return { connection: undefined, outcome: head };
  } catch (error) {
    close(connection);
    return { connection: undefined, outcome: String(error) };
  }
}

function close(connection: Deno.TcpConn): void {
  connection[Symbol.dispose](); // which may be done twice
}

/** Sends a few bytes to an echo and expects them back. */
export async function stillEchoes({ connection }: Guest): Promise<boolean> {
  await writeAll(connection!, "are you there?");
  const back = await new ByteReader(connection!).exactly("are you there?".length);
  return new TextDecoder().decode(back) === "are you there?";
}
