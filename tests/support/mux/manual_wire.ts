import assert from "node:assert/strict";
import type { Transport, TransportEvents } from "../../../shared/mux/transport.ts";

/** One end of a connection, whose bytes in flight are delivered in pieces when a test says so. */
export class ManualWire implements Transport {
  #peer!: ManualWire;
  #events!: TransportEvents;
  #queue: { bytes: Uint8Array; written: () => void }[] = [];
  #ended = false;
  /** Whether it is closed, and its session knows. */
  over = false;

  /** Both ends of a connection. */
  static pair(): [ManualWire, ManualWire] {
    const [a, b] = [new ManualWire(), new ManualWire()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  /** The next frame in flight, if the last one was delivered whole. */
  get next(): { readonly length: number; readonly json: string } | undefined {
    const bytes = this.#queue[0]?.bytes;
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const jsonEnd = 8 + view.getUint32(0);
    const json = new TextDecoder().decode(bytes.subarray(8, jsonEnd));
    return { length: jsonEnd + view.getUint32(4), json };
  }

  start(events: TransportEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array, written: () => void): void {
    assert.equal(this.#ended, false, "written after the end");
    this.#queue.push({ bytes: bytes.slice(), written });
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#ended = true;
  }

  abort(): void {
    this.#queue = [];
    this.#ended = true;
  }

  /** Delivers up to `size` bytes of one write to the other end; after the last one, the end. */
  deliver(size: number): void {
    const first = this.#queue[0];
    if (first === undefined) {
      if (this.#ended) this.cut();
      return;
    }
    const part = first.bytes.subarray(0, size);
    first.bytes = first.bytes.subarray(part.byteLength);
    if (first.bytes.byteLength === 0) {
      this.#queue.shift();
      first.written();
    }
    if (part.byteLength > 0 && !this.#peer.over) this.#peer.#events.data(part);
  }

  /** Ends the connection: what is in flight is lost. */
  cut(): void {
    for (const end of [this.#peer, this]) {
      if (end.over) continue;
      end.over = end.#ended = true;
      end.#queue = [];
      end.#events.closed(undefined);
    }
  }
}
