import type { Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { Payload } from "../../protocol/messages.ts";
import type { SessionOptions } from "../options.ts";
import { sessionOptions } from "../options.ts";
import type { Transport } from "../transport.ts";
import { protocolViolation } from "../wire/incoming.ts";
import { Link, type LinkOwner } from "../link/link.ts";
import type { Session } from "./session.ts";

/** What {@linkcode acceptLink} needs. */
export interface AcceptLinkInit {
  /** A connection that a peer dialled and whose peer was authenticated. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** @default those of `DEFAULT_SESSION_OPTIONS` */
  readonly options?: Partial<SessionOptions>;
  /** The session of this peer's certificate with this id; how long it takes reveals nothing about ids. */
  find(key: string): Session | undefined;
  /** Makes a session; throws a `SallyportError` that refuses the link. */
  create(key: string, hello: Payload<"hello">): Session;
  /** The link joins the session with this id; throws a `SallyportError` that refuses it. @default {it may} */
  join?(key: string): void;
  /** The connection is closed, and why; nothing is held for it. @default {not reported} */
  closed?(error: SallyportError): void;
}

/** Receives the `hello` of a connection, and makes it a link of the session that it names (SPEC.md 3.6). */
export function acceptLink(init: AcceptLinkInit): Link {
  const { transport, clock, find, closed } = init;
  const sessionOf = (link: Link, hello: Payload<"hello">): LinkOwner => {
    const { session: key, join = false } = hello;
    if (key === undefined) throw protocolViolation("hello without a session");
    const known = find(key);
    if (join && known === undefined) {
      throw new SallyportError("session_unknown", "Cannot join the session: it is unknown or over");
    }
    if (!join && known !== undefined) throw protocolViolation("hello begins a session that exists");
    if (known === undefined) return init.create(key, hello).accepted(link);
    init.join?.(key);
    return known.accepted(link);
  };
  const link = new Link({
    transport,
    clock,
    options: sessionOptions(init.options),
    sessionOf,
    ...(closed === undefined ? {} : { closed }),
  });
  link.start();
  return link;
}
