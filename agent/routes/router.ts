import { SallyportError } from "../../shared/errors.ts";
import type { EndOptions } from "../../shared/mux/outbox.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import type { TargetRule } from "../../shared/targets/rule.ts";
import { hostPort } from "../../shared/net/host_port.ts";
import type { Routes } from "./routes.ts";

/** Opens a stream for a request, with its first bytes. */
export type Open = (
  opening: OpeningMessage,
  first?: EndOptions & { bytes?: Uint8Array },
) => Promise<MuxStream>;

/** The ways that a request can go. */
export interface Ways {
  /** To the server. */
  readonly tunnel: Open;
  /** From this machine to the target. */
  readonly direct: Open;
}

/**
 * Makes a function that opens each stream the way that its target goes.
 *
 * It rejects with `target_denied` for a blocked target, and `bad_request` for what is no host.
 */
export function createRouter(routes: Pick<Routes, "of">, { tunnel, direct }: Ways): Open {
  return async (opening, first) => {
    const { host, port } = opening.payload;
    const route = routes.of(host, port);
    switch (route.to) {
      case "tunnel":
        return await tunnel(opening, first);
      case "direct":
        return await direct(opening, first);
      case "nowhere":
        throw blocked(host, port, route.rule);
    }
  };
}

function blocked(host: string, port: number, { key, text }: TargetRule): SallyportError {
  const message = `Cannot connect to ${hostPort(host, port)}: ${key} (${text}) of the agent forbids it`;
  return new SallyportError("target_denied", message, { at: "here" });
}
