import type { Clock } from "../clock.ts";
import { DeliveryRate } from "./delivery_rate.ts";

/** A write that is not yet wholly acknowledged. */
interface Flight {
  /** Totals of bytes sent before it and after it. */
  start: number;
  end: number;
  sentAt: number;
  /** Total acknowledged, and when, as of its sending. */
  acked: number;
  ackedAt: number;
  /** Whether there was less to send than allowed, so that it says little about the path. */
  applicationLimited: boolean;
  /** Whether the queue had been let run empty before it. */
  drained: boolean;
  /** Whether its round trip was taken. */
  timed: boolean;
}

/** How eagerly bytes are put in flight, as multiples of delivery rate × round trip. */
const STARTUP_GAIN = 2.89;
const CRUISE_GAIN = 1.15;
const PROBE_GAIN = 1.5;
const DRAIN_GAIN = 0.5;
/** One round in so many asks whether the path carries more than it seems. */
const PROBE_EVERY = 8;
/** Rounds without growth by a quarter that end the start-up. */
const STALLED_ROUNDS = 3;
/** Milliseconds for which a lowest round trip is believed. */
const ROUND_TRIP_LIFETIME = 10_000;
/** Rounds that are all much longer than the lowest round trip make it doubtful. */
const DOUBTFUL_ROUNDS = 10;
const DOUBTFUL_RATIO = 1.5;
/** Milliseconds: what scheduling adds on a path with no delay of its own, measured on loopback. */
const ROUND_TRIP_FLOOR = 3;
/** Bytes that may always be in flight. */
const WINDOW_FLOOR = 32_768;
/** Bytes in flight before anything was measured. */
const INITIAL_WINDOW = 131_072;
/** Bytes in flight at the most. */
const WINDOW_CEILING = 33_554_432;

/**
 * Measures what the path carries, and says how many bytes may be in flight (SPEC.md 5.3): its delivery rate
 * times its lowest round trip, as BBR does (draft-ietf-ccwg-bbr). More would only stand in a queue somewhere
 * on the path, before every other stream's bytes.
 */
export class PathEstimator {
  readonly #clock: Clock;
  readonly #flights: Flight[] = [];
  readonly #rate = new DeliveryRate();
  #sent = 0;
  #acked = 0;
  #ackedAt: number;
  #roundEnd = 0;
  #roundsInCycle = 0;
  #roundTrip = Infinity;
  #roundTripAt: number;
  /** Lowest round trip of the round under way, and how many rounds in a row were doubtful. */
  #roundLowest = Infinity;
  #doubtfulRounds = 0;
  #mode: "startup" | "cruise" | "drain" = "startup";
  #fullRate = 0;
  #stalledRounds = 0;
  #window = INITIAL_WINDOW;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ackedAt = clock.now();
    this.#roundTripAt = this.#ackedAt;
  }

  /** Bytes sent and not yet acknowledged. */
  get inFlight(): number {
    return this.#sent - this.#acked;
  }

  /** Bytes that may be in flight now. */
  get window(): number {
    return this.#window;
  }

  /** Lowest round trip seen lately, in milliseconds; `undefined` before the first measurement. */
  get roundTrip(): number | undefined {
    return this.#roundTrip === Infinity ? undefined : this.#roundTrip;
  }

  /**
   * A write of `bytes` goes out.
   * @param applicationLimited Whether nothing more waits to be sent.
   */
  sent(bytes: number, applicationLimited: boolean): void {
    const now = this.#clock.now();
    // After a pause the time without traffic must not count as time of slow delivery.
    if (this.inFlight === 0) this.#ackedAt = now;
    const start = this.#sent;
    this.#sent += bytes;
    this.#flights.push({
      start,
      end: this.#sent,
      sentAt: now,
      acked: this.#acked,
      ackedAt: this.#ackedAt,
      applicationLimited,
      drained: this.#mode === "drain",
      timed: false,
    });
  }

  /** The peer has read `total` bytes so far. Returns false when that cannot be (SPEC.md 5.2). */
  acknowledged(total: number): boolean {
    if (total < this.#acked || total > this.#sent) return false;
    if (total === this.#acked) return true;
    const now = this.#clock.now();
    this.#acked = total;
    this.#ackedAt = now;
    this.#time(now);
    const flight = this.#landed();
    if (flight !== undefined) this.#measure(flight, now);
    this.#steer(now);
    return true;
  }

  /**
   * Takes the round trip of the newest write that has begun to arrive. Its first bytes tell it: on a slow path
   * the last ones are late by the time that the write itself takes.
   */
  #time(now: number): void {
    let newest: Flight | undefined;
    for (const flight of this.#flights) {
      if (flight.start >= this.#acked) break;
      newest = flight;
    }
    if (newest === undefined || newest.timed) return;
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

  /** The newest write that is now wholly acknowledged; it and older ones are forgotten. */
  #landed(): Flight | undefined {
    let count = 0;
    while (count < this.#flights.length && this.#flights[count]!.end <= this.#acked) count++;
    return count === 0 ? undefined : this.#flights.splice(0, count)[count - 1];
  }

  #measure(flight: Flight, now: number): void {
    const elapsed = Math.max(now - flight.ackedAt, this.#roundTrip);
    const rate = (this.#acked - flight.acked) / elapsed;
    if (!flight.applicationLimited || rate > this.#rate.best) this.#rate.sample(rate);
    if (flight.acked >= this.#roundEnd) this.#nextRound(flight.applicationLimited);
  }

  #nextRound(applicationLimited: boolean): void {
    this.#roundEnd = this.#sent;
    this.#roundsInCycle = (this.#roundsInCycle + 1) % PROBE_EVERY;
    const doubtful = this.#roundLowest > this.#roundTrip * DOUBTFUL_RATIO + ROUND_TRIP_FLOOR;
    this.#doubtfulRounds = doubtful ? this.#doubtfulRounds + 1 : 0;
    this.#roundLowest = Infinity;
    // Rounds of an application that asks for little must not push the measured rates out.
    if (applicationLimited) return;
    if (this.#mode === "startup") this.#judgeStartup();
    this.#rate.nextRound();
  }

  #judgeStartup(): void {
    if (this.#rate.best >= this.#fullRate * 1.25) {
      this.#fullRate = this.#rate.best;
      this.#stalledRounds = 0;
    } else if (++this.#stalledRounds >= STALLED_ROUNDS) {
      this.#mode = "cruise";
    }
  }

  #steer(now: number): void {
    const old = now - this.#roundTripAt > ROUND_TRIP_LIFETIME;
    if (this.#mode === "cruise" && (old || this.#doubtfulRounds >= DOUBTFUL_ROUNDS)) this.#beginDrain(now);
    const carried = this.#rate.best * Math.max(this.#roundTrip, ROUND_TRIP_FLOOR);
    if (!(carried > 0 && carried < Infinity)) return;
    // Nothing that was sent before the first round ended can say how much there is room for.
    const floor = this.#fullRate === 0 ? INITIAL_WINDOW : WINDOW_FLOOR;
    this.#window = Math.min(WINDOW_CEILING, Math.max(floor, carried * this.#gain()));
  }

  /** Lets the queue run empty: one of our own would hide a lower round trip, and look like a longer path. */
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
