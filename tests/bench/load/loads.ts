import { percentile } from "../statistics.ts";
import { Connection, type Route } from "./connection.ts";

/** What a load does. Both limits hold: whichever is reached first ends it. */
export interface LoadOptions {
  readonly kind: LoadKind;
  /** Streams, loops or kept tunnels at a time. */
  readonly streams: number;
  /** Seconds. */
  readonly seconds: number;
  /** Bytes over all streams; for `down`, `up` and the download of `mixed`. */
  readonly bytes: number;
}

/** `tunnels` opens tunnels with a small GET each, `gets` uses kept ones, `mixed` does that during a download. */
export type LoadKind = "down" | "up" | "tunnels" | "gets" | "mixed";

/** Figures by metric. */
export type Figures = Partial<Record<Metric, number>>;

/** Megabytes (10^6) a second, completed requests a second, and the median time of one in ms. */
export type Metric = "MB/s" | "/s" | "p50 ms";

const BLOCK = new Uint8Array(64 * 1024);
/** A chunk of that size (RFC 9112 section 7.1). */
const CHUNK = Uint8Array.of(...new TextEncoder().encode("10000\r\n"), ...BLOCK, 13, 10);

/** A running download over several streams. */
class Download implements Disposable {
  received = 0;
  readonly #startedAt = performance.now();
  readonly #full = Promise.withResolvers<void>();
  readonly #connections: Connection[];

  private constructor(connections: Connection[], readonly bytes: number) {
    this.#connections = connections;
  }

  static async start(route: Route, streams: number, bytes: number): Promise<Download> {
    const connections = await openAll(route, streams);
    const download = new Download(connections, bytes);
    // Each stream could deliver everything, so that a slow one is not waited for.
    await Promise.all(connections.map((each) => each.download(bytes, (part) => download.#count(part))));
    return download;
  }

  /** Resolves when all bytes are there, and rejects when a stream ends before. */
  get done(): Promise<void> {
    return Promise.race([this.#full.promise, ...this.#connections.map((each) => each.ended())]);
  }

  /** Megabytes a second so far. */
  get rate(): number {
    return this.received / 1000 / (performance.now() - this.#startedAt);
  }

  [Symbol.dispose](): void {
    for (const each of this.#connections) each[Symbol.dispose]();
  }

  #count(part: number): void {
    this.received += part;
    if (this.received >= this.bytes) this.#full.resolve();
  }
}

/** Runs a load. @throws {Error} When anything in it fails. */
export async function runLoad(route: Route, options: LoadOptions): Promise<Figures> {
  const { kind, streams, seconds, bytes } = options;
  if (kind === "down") {
    using download = await Download.start(route, streams, bytes);
    await orAfter(seconds, download.done);
    return { "MB/s": download.rate };
  }
  if (kind === "up") return await upload(route, options);
  if (kind !== "mixed") return await requests(route, options);
  // It lasts as long as the GETs: without a limit of its own they would go on alone.
  using download = await Download.start(route, 1, bytes);
  const ended = download.done.then(() => true);
  const { "p50 ms": p50 } = await requests(route, { ...options, kind: "gets" }, ended);
  return { "p50 ms": p50!, "MB/s": download.rate };
}

async function upload(route: Route, { streams, seconds, bytes }: LoadOptions): Promise<Figures> {
  const connections = await openAll(route, streams);
  try {
    const startedAt = performance.now();
    const sent = await Promise.all(
      connections.map((each) => uploadOne(each, seconds, bytes / streams)),
    );
    return { "MB/s": sum(sent) / 1000 / (performance.now() - startedAt) };
  } finally {
    for (const each of connections) each[Symbol.dispose]();
  }
}

/** Sends chunks until the time or the bytes are used up; returns how many bytes the origin has received by then. */
async function uploadOne(connection: Connection, seconds: number, bytes: number): Promise<number> {
  const { socket } = connection;
  let [sent, received] = [0, 0];
  const full = Promise.withResolvers<void>();
  const write = () => {
    while (sent < bytes && !socket.destroyed) {
      sent += BLOCK.length;
      if (!socket.write(CHUNK)) return;
    }
  };
  const count = (counted: number) => {
    received = Math.max(received, counted);
    if (received >= bytes) full.resolve();
  };
  socket.write("POST /sink HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n");
  socket.on("drain", write);
  write();
  await orAfter(seconds, Promise.race([connection.counts(count), full.promise]));
  return received;
}

async function requests(
  route: Route,
  { kind, streams, seconds }: LoadOptions,
  ended?: Promise<boolean>,
): Promise<Figures> {
  const times: number[] = [];
  let isOver = false;
  ended?.then(() => isOver = true, () => isOver = true);
  const kept = kind === "gets" ? await openAll(route, streams) : [];
  const startedAt = performance.now();
  const loop = async (index: number) => {
    do {
      const begunAt = performance.now();
      if (kept[index] !== undefined) {
        await kept[index].get("/");
      } else {
        using connection = await Connection.open(route);
        await connection.get("/");
      }
      times.push(performance.now() - begunAt);
    } while (!isOver && performance.now() < startedAt + seconds * 1000);
  };
  try {
    await Promise.all(Array.from({ length: streams }, (_, index) => loop(index)));
    await (isOver ? ended : undefined); // a download that failed
  } finally {
    for (const each of kept) each[Symbol.dispose]();
  }
  return { "/s": times.length * 1000 / (performance.now() - startedAt), "p50 ms": percentile(times, 0.5) };
}

async function openAll(route: Route, count: number): Promise<Connection[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, () => Connection.open(route)));
  const connections = opened.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
  const failed = opened.find((each) => each.status === "rejected");
  if (failed === undefined) return connections;
  for (const each of connections) each[Symbol.dispose]();
  throw failed.reason;
}

/** Waits for `promise`, but not longer than that. */
async function orAfter(seconds: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, seconds * 1000));
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
