import { protocolViolation } from "../wire/incoming.ts";

/** Which end of the session this is: the dialer's streams have odd ids (SPEC.md 4.1). */
export type Role = "dialer" | "listener";

/** How far an id may be above the lowest one that its opener has not used (SPEC.md 4.1). */
const MAX_IDS_AHEAD = 65_536;

/** What an id in a set takes, roughly. */
const ID_BYTES = 32;

/** The ids of a session's streams: each is used once, and those of the peer arrive in any order (SPEC.md 4.1). */
export class StreamIds {
  readonly #ownParity: number;
  /** The lowest id of this end that was never taken. */
  #next: number;
  /** Lower ids that were given back, because the peer never saw their streams. */
  readonly #unused: number[] = [];
  /** The lowest id of the peer that was not used, and the higher ones that were. */
  #missing: number;
  readonly #above = new Set<number>();
  #lastAccepted = 0;

  constructor(role: Role) {
    this.#ownParity = role === "dialer" ? 1 : 0;
    this.#next = role === "dialer" ? 1 : 2;
    this.#missing = role === "dialer" ? 2 : 1;
  }

  /** About how many bytes the ids take that arrived before lower ones. */
  get bytes(): number {
    return this.#above.size * ID_BYTES;
  }

  /** The highest id of a stream of the peer; 0 before the first. */
  get lastAccepted(): number {
    return this.#lastAccepted;
  }

  /** Takes the id of the next stream that this end opens. */
  next(): number {
    const unused = this.#unused.pop();
    if (unused !== undefined) return unused;
    const id = this.#next;
    this.#next += 2;
    return id;
  }

  /** Gives back an id of this end: nothing about its stream was sent. */
  giveBack(id: number): void {
    this.#unused.push(id);
  }

  /**
   * Accepts the id of a stream that the peer opens; false when it was used, so that this is a copy.
   * @throws SallyportError `protocol_violation` for one that the peer may not use.
   */
  accept(id: number): boolean {
    if (this.isOwn(id)) throw protocolViolation(`stream ${id} is not the peer's to open`);
    if (this.#wasAccepted(id)) return false;
    if (id > this.#missing + MAX_IDS_AHEAD) {
      throw protocolViolation(`stream ${id} is too far ahead of ${this.#missing}`);
    }
    this.#lastAccepted = Math.max(this.#lastAccepted, id);
    this.#above.add(id);
    while (this.#above.delete(this.#missing)) this.#missing += 2;
    return true;
  }

  /** Checks the id of a stream that is not open; throws `protocol_violation` if it never was (SPEC.md 4.4). */
  requireUsed(id: number): void {
    const isUsed = this.isOwn(id) ? id < this.#next && !this.#unused.includes(id) : this.#wasAccepted(id);
    if (!isUsed) throw protocolViolation(`stream ${id} was never opened`);
  }

  /** Whether this end opens the streams with such an id. */
  isOwn(id: number): boolean {
    return id % 2 === this.#ownParity;
  }

  #wasAccepted(id: number): boolean {
    return id < this.#missing || this.#above.has(id);
  }
}
