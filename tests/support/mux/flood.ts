import type { RawPeer } from "./raw_peer.ts";

/** Frames per write of a flood: about as much as a socket delivers at once. */
const FRAMES_PER_WRITE = 500;

/** A message of a flood. */
export type FloodMessage = readonly [type: string, payload: object];

/** Sends the messages of `round`, `rounds` times, in writes of many frames each. */
export function flood(
  peer: RawPeer,
  rounds: number,
  round: (index: number) => readonly FloodMessage[],
): void {
  let waiting: number[] = [];
  for (let index = 0; index < rounds; index++) {
    for (const [type, payload] of round(index)) {
      for (const byte of peer.encode(type, payload)) waiting.push(byte);
    }
    if (index % FRAMES_PER_WRITE !== FRAMES_PER_WRITE - 1 && index !== rounds - 1) continue;
    peer.sendBytes(waiting);
    waiting = [];
  }
}
