/**
 * A program that makes streams hold parts, and prints the bytes counted for them and the growth of the process. Its
 * argument is a {@linkcode HoldingPlan} as JSON. It has to be run with `--expose-gc`.
 */
import { connect, type Socket } from "node:net";
import { collectGarbage } from "../../../shared/collect_garbage.ts";
import { PartWriter } from "../../../shared/net/part_writer.ts";
import { makeStream, receive } from "./recording_stream.ts";

/** Which parts the streams of the process hold. */
export interface HoldingPlan {
  /** Received and not resumed; queued for a peer without credit; written to a socket that accepts nothing. */
  place: "arrived" | "queued" | "written";
  /** Lengths of the parts in bytes, used in turn. */
  sizes: number[];
  /** Streams among which the parts are distributed. */
  streams: number;
}

/** The result of a plan, in bytes. */
export interface Holding {
  charged: number;
  grown: number;
}

/** The process stops at this many counted bytes or parts. */
const MOST_CHARGED = 48 << 20;
const MOST_PARTS = 300_000;
const WINDOW = 16 << 20;
const sockets: Socket[] = [];

/** Makes a stream, and returns a function that gives it a part. */
function holder(place: HoldingPlan["place"]) {
  const { stream, budget } = makeStream({ initialWindow: WINDOW, maxWindow: WINDOW }, 0);
  if (place === "queued") {
    return {
      budget,
      give: (size: number) => void stream.write(new Uint8Array(size).fill(1)),
    };
  }
  if (place === "written") {
    // It never gets an address to connect to, so that all writes stay pending.
    const socket = connect({ host: "waits.test", port: 1, lookup: () => {} });
    sockets.push(socket);
    const writer = new PartWriter(socket, stream);
    stream.listen({ data: (bytes) => writer.write(bytes) });
    stream.resume();
  }
  return { budget, give: (size: number) => receive(stream, size) };
}

async function run({ place, sizes, streams }: HoldingPlan): Promise<Holding> {
  const holders = Array.from({ length: streams }, () => holder(place));
  const room = holders.map(() => WINDOW);
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  const before = Deno.memoryUsage().rss;
  const charged = () => holders.reduce((sum, { budget }) => sum + budget.held.total, 0);
  const atFirst = charged();
  for (let part = 0; part < MOST_PARTS; part++) {
    const size = sizes[part % sizes.length]!;
    const index = part % streams;
    if (room[index]! < size) break;
    room[index]! -= size;
    holders[index]!.give(size);
    if (part % 1_000 === 999) {
      if (charged() - atFirst > MOST_CHARGED) break;
      collectGarbage();
    }
  }
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { charged: charged() - atFirst, grown: Deno.memoryUsage().rss - before };
}

if (import.meta.main) {
  const holding = await run(JSON.parse(Deno.args[0]!));
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(holding)));
  for (const socket of sockets) socket.destroy();
}
