import type { CancelTimer, Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import type { SessionOptions } from "../options.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import type { FrameSender } from "../stream/stream_table_init.ts";
import type { LifeEvent, SessionTrace, TraceFields } from "../trace.ts";
import { type CountedFrame, sessionFrame } from "../link/counted_frame.ts";
import type { Link } from "../link/link.ts";
import { RetiringLinks } from "../link/retiring_links.ts";
import { StatusFrames } from "../link/status_frames.ts";
import { type LinkUse, Scheduler } from "./scheduler.ts";
import { linkFigures, type LinkSetFigures } from "./session_figures.ts";

/** What makes a {@linkcode LinkSet}. */
interface LinkSetInit {
  readonly clock: Clock;
  readonly options: Pick<SessionOptions, "resumeTimeout">;
  /** Learns what happens to links. @default {nothing is traced} */
  readonly trace?: SessionTrace | undefined;
  /** Counts what frames and messages cost until they are acknowledged; negative when they were. */
  keep(bytes: number): void;
  /** Whether the session is worth waiting for when its last link is lost, even if nothing is left to send. */
  isNeeded(): boolean;
  /** Whether this end drains: then it waits for no link. */
  isLeaving(): boolean;
  /** Whether links have nothing more to do. */
  isDrained(): boolean;
  /** No link is left and the session does not wait, or no longer; `error` is why the last link was lost. */
  exhausted(error: SallyportError): void;
}

/** How many links there are. */
export interface LinkCounts {
  /** Open links. */
  readonly open: number;
  /** Those of them that are not suspect (SPEC.md 3.8). */
  readonly good: number;
}

/** The links of a session: sends by them, sends again what a lost one did not deliver, and waits for a new one. */
export class LinkSet implements FrameSender {
  /** Gives streams their turns. */
  readonly scheduler: Scheduler;
  readonly #init: LinkSetInit;
  /** Open links, the oldest first. */
  readonly #open = new Set<Link>();
  /** Links whose `hello` has not arrived. */
  readonly #greeting = new Set<Link>();
  /** Open links that close once what is in flight was delivered. */
  readonly #retiring: RetiringLinks;
  /** The links that are used, in the order of preference; the first carries no bulk if there are others. */
  #used: readonly Link[] = [];
  /** What has to be sent by the next link, while there is none. */
  #orphans: CountedFrame[] = [];
  readonly #statuses = new StatusFrames();
  /** Set while there is no link. */
  #waiting: { readonly cancel: CancelTimer; readonly error: SallyportError } | undefined;
  /** Links that were added so far. */
  #added = 0;
  #isClosed = false;
  #resumptions = 0;
  #resentBytes = 0;
  /** What lost links have transferred. */
  #pastBytes = 0;

  constructor(init: LinkSetInit) {
    this.#init = init;
    this.#retiring = new RetiringLinks(init.clock);
    this.scheduler = new Scheduler({
      clock: init.clock,
      keep: init.keep,
      useOf: (sender) => this.#useOf(sender),
      isFull: () => this.#used[0]?.sender.isFull === true,
      wake: () => this.#wake(),
    });
  }

  /** How many links there are. */
  get counts(): LinkCounts {
    let good = 0;
    for (const link of this.#open) if (!link.isSuspect && !this.#retiring.has(link)) good++;
    return { open: this.#open.size, good };
  }

  /** Its links now, and what losing them cost so far; once it is closed, no links, and what it cost in all. */
  get figures(): LinkSetFigures {
    return {
      links: [...this.#open].map((link) => linkFigures(link, this.#useOf(link.sender))),
      isWaiting: this.#waiting !== undefined,
      resumptions: this.#resumptions,
      resentBytes: this.#resentBytes,
    };
  }

  /** Bytes of frames that arrived at either end, by all links so far. */
  get transferred(): number {
    let bytes = this.#pastBytes;
    for (const link of this.#open) bytes += link.transferred;
    return bytes;
  }

  /** Whether everything was sent and acknowledged. */
  get isClear(): boolean {
    return this.#orphans.length === 0 && [...this.#open].every(({ sender }) => sender.isClear);
  }

  /** Adds a link whose `hello` is awaited, and numbers it unless its dialer did. */
  add(link: Link): void {
    this.#added++;
    link.id ||= this.#added;
    this.#greeting.add(link);
  }

  /** A link's `hello` arrived: it takes over what others cannot deliver. */
  opened(link: Link): void {
    this.#greeting.delete(link);
    this.#trace(link, "link opened", { from: link.remotes.join(" ") });
    if (this.#waiting !== undefined) {
      this.#resumptions++;
      this.#trace(link, "session resumed");
      this.#waiting.cancel();
      this.#waiting = undefined;
    }
    if (this.#open.size > 0) link.sender.path.startSmall();
    this.#open.add(link);
    this.#update();
    this.#takeOver(this.#orphans.splice(0));
    for (const each of this.#open) if (each.isSuspect) this.#takeOver(each.sender.takeAll());
    link.sender.schedule();
  }

  /** A link is lost, or the peer refused it. */
  lost(link: Link, error: SallyportError): void {
    const wasOpen = this.#open.delete(link);
    const isClosed = this.#retiring.has(link) || this.#init.isDrained();
    this.#trace(link, isClosed ? "link closed" : "link lost", { code: error.code, error: error.message });
    if (wasOpen) this.#pastBytes += link.transferred;
    this.#greeting.delete(link);
    this.#retiring.delete(link);
    this.#update();
    // One that was refused still sends why, and closes in order.
    if (!wasOpen) return;
    const frames = link.sender.stop();
    if (this.#used.length > 0) return this.#takeOver(frames);
    this.#orphans.push(...this.#undelivered(frames, undefined));
    this.#wait(error);
  }

  /** Whether there are other links that are not suspect. */
  hasOthers(link: Link): boolean {
    return this.#used.some((each) => each !== link && !each.isSuspect);
  }

  /** A link became suspect, so that a better one takes over, or recovered (SPEC.md 3.8). */
  suspectChanged(link: Link): void {
    const { inFlight, roundTrip } = link.sender.path;
    this.#trace(link, link.isSuspect ? "link suspect" : "link recovered", {
      in_flight_bytes: inFlight,
      round_trip_ms: roundTrip,
    });
    this.#update();
    if (link.isSuspect && this.hasOthers(link)) this.#takeOver(link.sender.takeAll());
    this.#wake();
  }

  /** Gives up one link, if others are good: it closes once what is in flight was delivered. */
  retireOne(): void {
    const last = this.#used.at(-1);
    if (this.counts.good < 2 || last === undefined) return;
    const error = this.#retiring.add(last);
    this.#trace(last, "link retired", { code: error.code, error: error.message });
    this.#update();
    this.closeRetired();
  }

  /** Closes the links that were given up and have delivered everything. */
  closeRetired(): void {
    this.#retiring.closeClear();
  }

  ready(stream: FramedStream): void {
    this.scheduler.ready(stream);
  }

  remove(stream: FramedStream): void {
    this.scheduler.remove(stream);
  }

  control(message: SessionMessage, stream?: FramedStream): void {
    if (this.#isClosed) return;
    const frame = sessionFrame(message);
    this.scheduler.keep(frame);
    const pinnedTo = stream?.pinnedTo;
    const pinned = pinnedTo && [...this.#open].find(({ sender }) => sender === pinnedTo);
    const link = pinned ?? this.#used[0];
    const isStatus = message.type === "status";
    if (isStatus) this.#statuses.add(frame);
    if (link === undefined) this.#orphans.push(frame);
    else link.control(frame, isStatus || pinnedTo !== undefined);
  }

  /** Sends a last message by every link, also before its `hello`: the peer may know it. `only`: drops what waits. */
  broadcast(message: SessionMessage, only: boolean): void {
    for (const { sender } of only ? this.#open : []) this.scheduler.stop(sender.stopWaiting());
    for (const link of [...this.#open, ...this.#greeting]) link.control(sessionFrame(message));
  }

  /** Measures the round trip of the preferred link. */
  measureRoundTrip(): Promise<number> | undefined {
    return this.#used[0]?.measureRoundTrip();
  }

  /** Acknowledges now what was read. */
  flushAcknowledgements(): void {
    for (const link of this.#open) link.flushAcknowledgement();
  }

  /** The session is not needed any more: if it waits for a link, and this end drains or the peer misses nothing, it ends. */
  stopWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#owesFrames && !this.#init.isLeaving()) return;
    waiting.cancel();
    this.#waiting = undefined;
    this.#init.exhausted(waiting.error);
  }

  /** Closes all links once what is queued was sent. Nothing is kept any more. */
  close(error: SallyportError): void {
    this.#isClosed = true;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.scheduler.stop(this.#orphans.splice(0));
    for (const link of this.#open) this.#trace(link, "link closed");
    for (const link of [...this.#open, ...this.#greeting]) {
      this.scheduler.stop(link.sender.takeFrames());
      link.close(error);
    }
    for (const links of [this.#open, this.#greeting, this.#retiring]) links.clear();
    this.#used = [];
  }

  /** A suspect link is used only while there is no other. */
  #update(): void {
    const kept = [...this.#open].filter((link) => !this.#retiring.has(link));
    const good = kept.filter(({ isSuspect }) => !isSuspect);
    this.#used = good.length > 0 ? good : kept.length > 0 ? kept : [...this.#open];
  }

  #useOf(sender: object): LinkUse {
    const [first, second] = this.#used;
    if (first?.sender === sender) return second === undefined ? "all" : "interactive";
    return this.#used.some((link) => link.sender === sender) ? "bulk" : "nothing";
  }

  /** Sends frames again by other links: bulk not by the one that carries none. */
  #takeOver(frames: readonly CountedFrame[]): void {
    const [first, second = first] = this.#used;
    this.#resend(frames.filter((frame) => !this.scheduler.isBulk(frame)), first!);
    this.#resend(frames.filter((frame) => this.scheduler.isBulk(frame)), second!);
  }

  #resend(frames: readonly CountedFrame[], link: Link): void {
    const left = this.#undelivered(frames, link.sender);
    for (const { body } of left) this.#resentBytes += body.byteLength;
    if (left.length > 0) link.sender.resend(left);
  }

  /** Those of the frames of a lost or suspect link that have to be sent again. */
  #undelivered(frames: readonly CountedFrame[], sender: object | undefined): CountedFrame[] {
    for (const frame of frames) if (this.#statuses.isOld(frame)) this.scheduler.delivered(frame);
    return this.scheduler.resend(frames.filter((frame) => !this.#statuses.isOld(frame)), sender);
  }

  #wake(): void {
    for (const link of this.#used) link.sender.schedule();
  }

  /** Whether the peer misses the last bytes of a stream, or its reset. */
  get #owesFrames(): boolean {
    return this.#orphans.some(({ mustArrive, owner }) => mustArrive && owner !== "dropped");
  }

  #wait(error: SallyportError): void {
    const { clock, options: { resumeTimeout }, isNeeded, isLeaving, exhausted } = this.#init;
    if (resumeTimeout === 0 || isLeaving() || !(isNeeded() || this.#owesFrames)) return exhausted(error);
    const cancel = clock.after(resumeTimeout, () => {
      this.#waiting = undefined;
      const waited = `Cannot continue: the connection did not come back within ${resumeTimeout / 1000} s`;
      const why = error.message.replace(/^Cannot continue: /, "");
      exhausted(new SallyportError("tunnel_down", `${waited}: ${why}`, { cause: error }));
    });
    this.#waiting = { cancel, error };
    this.#init.trace?.life?.("session waiting", { resume_timeout_ms: resumeTimeout, error: error.message });
  }

  #trace({ id }: Link, event: LifeEvent, fields?: TraceFields): void {
    this.#init.trace?.life?.(event, { link: id, ...fields });
  }
}
