import type { SessionTrace } from "../trace.ts";
import type { Incoming } from "../wire/incoming.ts";

/** The link whose frames are traced. */
interface TracedLink {
  readonly id: number;
  /** Its session; undefined until the `hello` arrived that names it. */
  readonly owner: { readonly trace: SessionTrace | undefined } | undefined;
}

/** Passes the frames that go by a link to the trace of its session, without their content. */
export class FrameTrace {
  readonly #link: TracedLink;
  /** The `hello`, which arrived before the session was known. */
  #first: (() => void) | undefined;

  constructor(link: TracedLink) {
    this.#link = link;
  }

  /** A frame of this end was written. @param bytes Of the whole frame. */
  sent(json: string, bytes: number, bodyBytes: number): void {
    const { id, owner } = this.#link;
    if (owner?.trace?.frame === undefined) return;
    this.#traceFirst();
    // This end wrote it, so its form is known.
    const { type, payload: { stream, n } } = JSON.parse(json);
    owner.trace.frame("frame sent", { type, link: id, stream, n, bytes, body_bytes: bodyBytes });
  }

  /** A frame begins to arrive. @param bytes Of the whole frame. */
  received(incoming: Incoming, bytes: number, bodyBytes: number): void {
    const { owner } = this.#link;
    if (owner === undefined) this.#first = () => this.received(incoming, bytes, bodyBytes);
    if (owner?.trace?.frame === undefined) return;
    this.#traceFirst();
    const fields = { ...named(incoming), link: this.#link.id, bytes, body_bytes: bodyBytes };
    owner.trace.frame("frame received", fields);
  }

  #traceFirst(): void {
    const first = this.#first;
    this.#first = undefined;
    first?.();
  }
}

/** The peer chose the name of an unknown type, so it is not shown. */
function named(incoming: Incoming): { type: string; stream: number | undefined; n?: number } {
  if (incoming.kind === "unknown") return { type: "unknown", stream: incoming.id };
  if (incoming.kind === "stream") return { type: incoming.message.type, stream: incoming.id, n: incoming.n };
  const { type, payload } = incoming.message;
  return { type, stream: "stream" in payload ? payload.stream : undefined };
}
