import type { Socket } from "node:net";
import { isLoopback, isLoopbackHost } from "../../../shared/net/ip_address.ts";
import type { FrontDoorContext } from "../client/context.ts";
import type { RefusalRule } from "./refusal_rules.ts";

/** The console's URL for a client; undefined for a client on another machine, which cannot reach it. */
export function consoleUrlFor(
  context: Pick<FrontDoorContext, "console">,
  { remoteAddress }: Pick<Socket, "remoteAddress">,
): string | undefined {
  return remoteAddress !== undefined && isLoopback(remoteAddress) ? context.console() : undefined;
}

/**
 * The configuration file to name in commands on a page; undefined for a client on another machine, which should not
 * learn names of users and folders here.
 */
export function configFileFor(
  { configFile }: Pick<FrontDoorContext, "configFile">,
  { remoteAddress }: Pick<Socket, "remoteAddress">,
): string | undefined {
  return remoteAddress !== undefined && isLoopback(remoteAddress) ? configFile : undefined;
}

/**
 * What a refusal says to a client that asked the proxy for the agent's own console. Through the tunnel, loopback is
 * the server's machine, so the usual advice would be misleading.
 */
export function ownConsoleRule(
  context: Pick<FrontDoorContext, "console">,
  url: string | undefined,
): Pick<RefusalRule, "what" | "advice"> | undefined {
  const own = context.console();
  if (own === undefined || url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  if (port !== new URL(own).port || !isLoopbackHost(hostname)) return undefined;
  return {
    what: "the agent's own console cannot be reached through its proxy",
    advice:
      "Exclude 127.0.0.1 and localhost from the proxy (`no_proxy`, or the exceptions in the proxy settings), " +
      `then open ${own}/ again`,
  };
}
