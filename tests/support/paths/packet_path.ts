/** One end of a {@linkcode PacketPath}. */
export interface PacketEnd {
  /** Address of the relay on this side. */
  readonly relay: string;
  /** Address of the namespace on this side, whose VXLAN device sends to the relay. */
  readonly device: string;
}

/** What the packet relay simulates, in each direction. */
export interface PacketPath {
  /** The UDP port of VXLAN at both ends and the relay. */
  readonly port: number;
  readonly a: PacketEnd;
  readonly b: PacketEnd;
  /** Milliseconds one way. */
  readonly delayMs: number;
  /** Bits per second in millions. @default {Infinity} */
  readonly mbit?: number;
  /** The part of packets that is lost, from 0 to 1. */
  readonly loss: number;
  /** Bytes that may wait for the rate; more are dropped. */
  readonly queueBytes: number;
}
