import { Socket } from "node:net";
import { createTargetPolicy } from "../../../server/targets/target_policy.ts";
import { createDialer, type DialerOptions } from "../../../shared/egress/dial/dial.ts";
import { ManualClock } from "../manual_clock.ts";

/** Allows this machine and the addresses for documentation. */
export const LOCAL = createTargetPolicy({ allow: ["127.0.0.0/8", "::1", "192.0.2.0/24", "2001:db8::/32"] });

/** Sockets that connect or fail when the test says so. */
export class FakeNetwork {
  readonly sockets = new Map<string, Socket>();

  /** Begins a connection that waits for the test. */
  readonly connect = (address: string): Socket => {
    const socket = new Socket();
    this.sockets.set(address, socket);
    return socket;
  };

  /** The addresses that were tried, in order. */
  get tried(): string[] {
    return [...this.sockets.keys()];
  }

  succeed(address: string): void {
    this.sockets.get(address)!.emit("connect");
  }

  fail(address: string, code: string): void {
    this.sockets.get(address)!.destroy(Object.assign(new Error(`connect ${code}`), { code }));
  }
}

/** Treats no address as this machine's own. */
export const isOwn = () => Promise.resolve(false);

/** A dialer over a fake network, for a name with these addresses. */
export function fakeDialer(addresses: string[], more: Partial<DialerOptions> = {}) {
  const network = new FakeNetwork();
  const clock = new ManualClock();
  const resolve = () => Promise.resolve(addresses);
  const dial = createDialer({ policy: LOCAL, resolve, clock, connect: network.connect, isOwn, ...more });
  return { network, clock, dial };
}

/** Waits until the resolved addresses are dialled. */
export const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
