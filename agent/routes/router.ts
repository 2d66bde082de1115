import type { TargetRule } from "../../shared/egress/rules/rule.ts";
import { SallyportError } from "../../shared/errors.ts";
import { hostPort } from "../../shared/net/host_port.ts";
import type { OpenStream } from "../front_door/client/open_stream.ts";
import type { Routes } from "./routes.ts";

/** Opens streams by one route. */
interface StreamOpener {
  readonly openStream: OpenStream;
}

/** Opens streams by either route. */
export interface RouterInit {
  /** Through the server. */
  readonly tunnel: StreamOpener;
  /** From this machine to the target. */
  readonly direct: StreamOpener;
}

/**
 * Creates a function that opens each stream by the route of its target.
 *
 * It rejects with `target_denied` for a blocked target, and with `bad_request` for an invalid host.
 */
export function createRouter(routes: Pick<Routes, "of">, { tunnel, direct }: RouterInit): OpenStream {
  return async (opening, first) => {
    const { host, port } = opening.payload;
    const route = routes.of(host, port);
    switch (route.to) {
      case "tunnel":
        return await tunnel.openStream(opening, first);
      case "direct":
        return await direct.openStream(opening, first);
      case "nowhere":
        throw blocked(host, port, route.rule);
    }
  };
}

function blocked(host: string, port: number, { key, text }: TargetRule): SallyportError {
  const message = `Cannot connect to ${hostPort(host, port)}: ${key} (${text}) of the agent forbids it`;
  return new SallyportError("target_denied", message, { at: "here" });
}
