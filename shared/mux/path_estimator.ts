import type { Clock } from "../clock.ts";

/** A write that is not yet acknowledged. */
interface Flight {
  /** Total of bytes sent when it had gone out. */
  end: number;
  sentAt: number;
  /** Total acknowledged, and when, as of its sending. */
  acked: number;
  ackedAt: number;
  /** Whether there was less to send than allowed, so that it says little about the path. */
  applicationLimited: boolean;
}

/** How eagerly bytes are put in flight, as multiples of delivery rate × round trip. */
const STARTUP_GAIN = 2.89;
const CRUISE_GAIN = 1.15;
const PROBE_GAIN = 1.5;
const DRAIN_GAIN = 0.5;
/** One round in so many asks whether the path carries more than it seems. */
const PROBE_EVERY = 8;
/** Rounds whose best delivery rate counts. */
const RATE_ROUNDS = 10;
/** Rounds without growth by a quarter that end the start-up. */
const STALLED_ROUNDS = 3;
/** Milliseconds for which a lowest round trip is believed. */
const ROUND_TRIP_LIFETIME = 10_000;
/** Milliseconds: what scheduling adds on a path with no delay of its own, measured on loopback. */
const ROUND_TRIP_FLOOR = 3;
/** Bytes that may always be in flight. */
const WINDOW_FLOOR = 65_536;
/** Bytes in flight before anything was measured. */
const INITIAL_WINDOW = 262_144;
/** Bytes in flight at the most. */
const WINDOW_CEILING = 33_554_432;

/**
 * Measures what the path carries, and says how many bytes may be in flight (SPEC.md 5.3): its delivery rate
 * times its lowest round trip, as BBR does (draft-cardwell-ccwg-bbr). More would only stand in a queue
 * somewhere on the path, before every other stream's bytes.
 */
export class PathEstimator {
  readonly #clock: Clock;
  readonly #flights: Flight[] = [];
  #sent = 0;
  #acked = 0;
  #ackedAt: number;
  /** Best delivery rate of each of the last rounds, bytes a millisecond; the newest is last. */
  readonly #roundRates: number[] = [0];
  #roundEnd = 0;
  #roundsInCycle = 0;
  #roundTrip = Infinity;
  #roundTripAt: number;
  #mode: "startup" | "cruise" | "drain" = "startup";
  #fullRate = 0;
  #stalledRounds = 0;
  #drainEnd = 0;
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

  /** Best delivery rate of the last rounds, in bytes a second; 0 before the first measurement. */
  get rate(): number {
    return Math.max(...this.#roundRates) * 1000;
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
    this.#sent += bytes;
    this.#flights.push({
      end: this.#sent,
      sentAt: now,
      acked: this.#acked,
      ackedAt: this.#ackedAt,
      applicationLimited,
    });
  }

  /** The peer has read `total` bytes so far. Returns false when that cannot be (SPEC.md 5.2). */
  acknowledged(total: number): boolean {
    if (total < this.#acked || total > this.#sent) return false;
    if (total === this.#acked) return true;
    const now = this.#clock.now();
    this.#acked = total;
    this.#ackedAt = now;
    const flight = this.#landed();
    if (flight !== undefined) this.#measure(flight, now);
    this.#steer(now);
    return true;
  }

  /** The newest write that is now wholly acknowledged; it and older ones are forgotten. */
  #landed(): Flight | undefined {
    let count = 0;
    while (count < this.#flights.length && this.#flights[count]!.end <= this.#acked) count++;
    return count === 0 ? undefined : this.#flights.splice(0, count)[count - 1];
  }

  #measure(flight: Flight, now: number): void {
    const roundTrip = now - flight.sentAt;
    if (roundTrip <= this.#roundTrip || this.#mode === "drain" && now >= this.#drainEnd) {
      this.#roundTrip = Math.max(roundTrip, 0.01);
      this.#roundTripAt = now;
    }
    const elapsed = Math.max(now - flight.ackedAt, this.#roundTrip);
    const rate = (this.#acked - flight.acked) / elapsed;
    const newest = this.#roundRates.length - 1;
    if (!flight.applicationLimited || rate > Math.max(...this.#roundRates)) {
      this.#roundRates[newest] = Math.max(this.#roundRates[newest]!, rate);
    }
    if (flight.acked >= this.#roundEnd) this.#nextRound(flight.applicationLimited);
  }

  #nextRound(applicationLimited: boolean): void {
    this.#roundEnd = this.#sent;
    this.#roundsInCycle = (this.#roundsInCycle + 1) % PROBE_EVERY;
    if (this.#mode === "startup" && !applicationLimited) this.#judgeStartup();
    // Rounds of an application that asks for little must not push the measured rates out.
    if (applicationLimited) return;
    this.#roundRates.push(0);
    if (this.#roundRates.length > RATE_ROUNDS) this.#roundRates.shift();
  }

  #judgeStartup(): void {
    const rate = Math.max(...this.#roundRates);
    if (rate >= this.#fullRate * 1.25) {
      this.#fullRate = rate;
      this.#stalledRounds = 0;
    } else if (++this.#stalledRounds >= STALLED_ROUNDS) {
      this.#mode = "cruise";
    }
  }

  #steer(now: number): void {
    if (this.#mode === "drain") {
      if (now >= this.#drainEnd && this.#roundTripAt >= this.#drainEnd) this.#mode = "cruise";
    } else if (now - this.#roundTripAt > ROUND_TRIP_LIFETIME && this.#mode === "cruise") {
      // A queue of our own would hide a lower round trip: let it run empty for one round and look.
      this.#mode = "drain";
      this.#drainEnd = now + this.#roundTrip;
    }
    const carried = Math.max(...this.#roundRates) * Math.max(this.#roundTrip, ROUND_TRIP_FLOOR);
    if (!(carried > 0 && carried < Infinity)) return;
    this.#window = Math.min(WINDOW_CEILING, Math.max(WINDOW_FLOOR, carried * this.#gain()));
    if (this.#mode === "startup") this.#window = Math.max(this.#window, INITIAL_WINDOW);
  }

  #gain(): number {
    if (this.#mode === "startup") return STARTUP_GAIN;
    if (this.#mode === "drain") return DRAIN_GAIN;
    return this.#roundsInCycle === 0 ? PROBE_GAIN : CRUISE_GAIN;
  }
}
