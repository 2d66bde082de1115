import type { Clock } from "../../clock.ts";
import { DeliveryRate, RATE_ROUNDS } from "./delivery_rate.ts";

/** A write that is not yet fully acknowledged. */
interface Flight {
  /** Totals of bytes sent, before and after it. */
  start: number;
  end: number;
  sentAt: number;
  /** Total acknowledged when it was sent, and the time of that acknowledgement. */
  acked: number;
  ackedAt: number;
  /** When what was acknowledged last at that time had been sent. */
  ackedSentAt: number;
  /** Whether there was less to send than allowed, so that it shows little about the path. */
  applicationLimited: boolean;
  /** Whether it was sent while the queue drained. */
  drained: boolean;
  /** Whether its round trip was measured. */
  timed: boolean;
}

/** Bytes in flight, as multiples of delivery rate × round trip, in each mode. */
const STARTUP_GAIN = 2.89;
const CRUISE_GAIN = 1.15;
const PROBE_GAIN = 1.5;
const DRAIN_GAIN = 0.5;
/** One round in this many probes whether the path carries more. */
const PROBE_EVERY = 8;
/** Milliseconds that a round counts at least, where old rounds are forgotten by their age. */
const SHORTEST_ROUND = 20;
/** Round trips after which a round ends although what was in flight at its beginning was not all acknowledged. */
const LONGEST_ROUND = 4;
/** Rounds without growth by a quarter that end the startup. */
const STALLED_ROUNDS = 3;
/** Milliseconds until the lowest round trip has to be measured again. */
const ROUND_TRIP_LIFETIME = 10_000;
/** Rounds in a row, all much longer than the lowest round trip, that make it doubtful. */
const DOUBTFUL_ROUNDS = 10;
const DOUBTFUL_RATIO = 1.5;
/** Round trip in milliseconds from which lost packets can be distinguished from busy processes. */
const SHORTEST_HELD_UP = 5;
/** The most round trips for which a lost packet counts as holding up others. */
const LONGEST_HELD_UP = 2;
/** The share of that time that is left after each round. */
const HELD_UP_DECAY = 0.8;
/** Milliseconds that scheduling adds on a path without delay, measured on loopback. */
const ROUND_TRIP_FLOOR = 3;
/**
 * Bytes that may be in flight on a path without delay while interactive streams are in use. More is faster, and keeps the
 * event loops of both ends busy for longer in one turn: with 2 MB an agent took 6 ms, with this 0.3 ms, on loopback.
 */
const QUICK_WINDOW_FLOOR = 131_072;
/** Bytes that may always be in flight. */
const WINDOW_FLOOR = 32_768;
/** Bytes in flight before anything was measured. */
const INITIAL_WINDOW = 131_072;
/** The most bytes in flight: enough for 141 MB/s at a round trip of 50 ms, half as much again to probe, and a reserve. */
const WINDOW_CEILING = 12_582_912;

/**
 * Measures what the path carries, and limits the bytes in flight (SPEC.md 5.3) to about its delivery rate times its
 * lowest round trip, as BBR does (draft-ietf-ccwg-bbr). More would only wait in a queue on the path, ahead of every
 * other stream's bytes.
 */
export class PathEstimator {
  readonly #clock: Clock;
  readonly #flights: Flight[] = [];
  readonly #rate = new DeliveryRate();
  #sent = 0;
  #acked = 0;
  #ackedAt: number;
  #ackedSentAt: number;
  #roundEnd = 0;
  #roundAt = 0;
  #roundsInCycle = 0;
  #roundTrip = Infinity;
  #roundTripAt: number;
  /** Lowest round trip of the current round, and how many rounds in a row were doubtful. */
  #roundLowest = Infinity;
  #doubtfulRounds = 0;
  /** Milliseconds for which lost packets have held up others lately. */
  #heldUp = 0;
  #mode: "startup" | "cruise" | "drain" = "startup";
  #fullRate = 0;
  #stalledRounds = 0;
  #initialWindow = INITIAL_WINDOW;
  #window = INITIAL_WINDOW;
  #quickWindow = INITIAL_WINDOW;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ackedAt = clock.now();
    this.#ackedSentAt = this.#ackedAt;
    this.#roundTripAt = this.#ackedAt;
    this.#roundAt = this.#ackedAt;
  }

  /** Bytes sent and not yet acknowledged. */
  get inFlight(): number {
    return this.#sent - this.#acked;
  }

  /** Bytes that the peer has acknowledged. */
  get delivered(): number {
    return this.#acked;
  }

  /** Bytes that may be in flight now. */
  get window(): number {
    return this.#window;
  }

  /** Bytes of bulk that may be in flight while interactive streams are in use: none that would wait for a busy process. */
  get quickWindow(): number {
    return this.#quickWindow;
  }

  /** Lowest recent round trip, in milliseconds; `undefined` before the first measurement. */
  get roundTrip(): number | undefined {
    return this.#roundTrip === Infinity ? undefined : this.#roundTrip;
  }

  /** Best recent delivery rate, in bytes a second; `undefined` until there was more to send than allowed for a round. */
  get rate(): number | undefined {
    return this.#fullRate === 0 ? undefined : this.#rate.best * 1_000;
  }

  /** The path is one of several: it begins with little, since others carry the rest. */
  startSmall(): void {
    this.#initialWindow = WINDOW_FLOOR;
    this.#window = this.#quickWindow = WINDOW_FLOOR;
  }

  /**
   * A write of `bytes` is sent.
   * @param applicationLimited Whether nothing more waits to be sent.
   */
  sent(bytes: number, applicationLimited: boolean): void {
    const now = this.#clock.now();
    // The time of a pause must not count as slow delivery.
    if (this.inFlight === 0) this.#ackedAt = this.#ackedSentAt = now;
    const start = this.#sent;
    this.#sent += bytes;
    this.#flights.push({
      start,
      end: this.#sent,
      sentAt: now,
      acked: this.#acked,
      ackedAt: this.#ackedAt,
      ackedSentAt: this.#ackedSentAt,
      applicationLimited,
      drained: this.#mode === "drain",
      timed: false,
    });
  }

  /** The peer has read `total` bytes so far. Returns false when that is impossible (SPEC.md 5.2). */
  acknowledged(total: number): boolean {
    if (total < this.#acked || total > this.#sent) return false;
    if (total === this.#acked) return true;
    const now = this.#clock.now();
    const pause = now - this.#ackedAt;
    this.#acked = total;
    this.#ackedAt = now;
    this.#measureRoundTrip(now);
    this.#measurePause(pause, now);
    const flight = this.#takeAcknowledged();
    if (flight !== undefined) this.#measureRate(flight, now);
    this.#updateWindow(now);
    return true;
  }

  /**
   * Measures the round trip of the newest write that has begun to arrive, by its first bytes: on a slow path the last
   * ones are late by the time that the write itself takes.
   */
  #measureRoundTrip(now: number): void {
    let newest: Flight | undefined;
    for (const flight of this.#flights) {
      if (flight.start >= this.#acked) break;
      newest = flight;
    }
    if (newest === undefined) return;
    this.#ackedSentAt = newest.sentAt;
    if (newest.timed) return;
    newest.timed = true;
    const roundTrip = Math.max(now - newest.sentAt, 0.01);
    this.#roundLowest = Math.min(this.#roundLowest, roundTrip);
    const drained = newest.drained && this.#mode === "drain";
    if (roundTrip > this.#roundTrip && !drained) return;
    this.#roundTrip = roundTrip;
    this.#roundTripAt = now;
    this.#doubtfulRounds = 0;
    if (drained) this.#mode = "cruise";
  }

  /**
   * A lost packet holds up all that follows for a round trip or more, and the acknowledgements with it: they pause, and
   * then come late. In a queue they come late, too, but without a pause.
   */
  #measurePause(pause: number, now: number): void {
    const isLate = now - this.#ackedSentAt > this.#roundTrip * DOUBTFUL_RATIO;
    if (this.#roundTrip < SHORTEST_HELD_UP || !isLate || pause < this.#roundTrip / 2) return;
    this.#heldUp = Math.max(this.#heldUp, Math.min(pause, LONGEST_HELD_UP * this.#roundTrip));
  }

  /** Returns the newest write that is fully acknowledged; it and older ones are dropped. */
  #takeAcknowledged(): Flight | undefined {
    let count = 0;
    while (count < this.#flights.length && this.#flights[count]!.end <= this.#acked) count++;
    return count === 0 ? undefined : this.#flights.splice(0, count)[count - 1];
  }

  #measureRate(flight: Flight, now: number): void {
    // After a lost packet TCP delivers at once what took longer to send: that is no rate of the path.
    const elapsed = Math.max(now - flight.ackedAt, flight.sentAt - flight.ackedSentAt, this.#roundTrip);
    const rate = (this.#acked - flight.acked) / elapsed;
    if (!flight.applicationLimited || rate > this.#rate.best) this.#rate.sample(rate);
    const isLong = now - this.#roundAt > LONGEST_ROUND * Math.max(this.#roundTrip, SHORTEST_ROUND);
    if (flight.acked >= this.#roundEnd || isLong) this.#nextRound(flight.applicationLimited, now);
  }

  #nextRound(applicationLimited: boolean, now: number): void {
    this.#roundEnd = this.#sent;
    this.#roundAt = now;
    this.#roundsInCycle = (this.#roundsInCycle + 1) % PROBE_EVERY;
    const doubtful = this.#roundLowest > this.#roundTrip * DOUBTFUL_RATIO + ROUND_TRIP_FLOOR;
    this.#doubtfulRounds = doubtful ? this.#doubtfulRounds + 1 : 0;
    this.#roundLowest = Infinity;
    this.#heldUp *= HELD_UP_DECAY;
    // Rounds with little to send must not push out the measured rates.
    if (applicationLimited) return;
    if (this.#mode === "startup") this.#checkStartup();
    this.#rate.nextRound(now, now - RATE_ROUNDS * Math.max(this.#roundTrip, SHORTEST_ROUND));
  }

  #checkStartup(): void {
    if (this.#rate.best >= this.#fullRate * 1.25) {
      this.#fullRate = this.#rate.best;
      this.#stalledRounds = 0;
    } else if (++this.#stalledRounds >= STALLED_ROUNDS) {
      this.#mode = "cruise";
    }
  }

  #updateWindow(now: number): void {
    const old = now - this.#roundTripAt > ROUND_TRIP_LIFETIME;
    if (this.#mode === "cruise" && (old || this.#doubtfulRounds >= DOUBTFUL_ROUNDS)) this.#beginDrain(now);
    const perMs = this.#rate.best * this.#gain();
    if (!(perMs > 0 && this.#roundTrip < Infinity)) return;
    // Before the first round ended, the measured rate says nothing about the capacity.
    const floor = this.#fullRate === 0 ? this.#initialWindow : WINDOW_FLOOR;
    const limit = (bytes: number) => Math.min(WINDOW_CEILING, Math.max(floor, bytes));
    this.#window = limit(perMs * Math.max(this.#roundTrip + this.#heldUp, ROUND_TRIP_FLOOR));
    this.#quickWindow = Math.min(
      this.#window,
      Math.max(perMs * (this.#roundTrip + this.#heldUp), QUICK_WINDOW_FLOOR),
    );
  }

  /** Lets the queue drain: a queue of our own would hide a lower round trip, and look like a longer path. */
  #beginDrain(now: number): void {
    this.#mode = "drain";
    this.#roundTripAt = now;
    if (this.#doubtfulRounds >= DOUBTFUL_ROUNDS) this.#rate.forgetOld();
    this.#doubtfulRounds = 0;
  }

  #gain(): number {
    if (this.#mode === "startup") return STARTUP_GAIN;
    if (this.#mode === "drain") return DRAIN_GAIN;
    return this.#roundsInCycle === 0 ? PROBE_GAIN : CRUISE_GAIN;
  }
}
