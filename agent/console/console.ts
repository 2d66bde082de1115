import type { SallyportError } from "../../shared/errors.ts";
import {
  type JsonPort,
  type JsonPortInit,
  openJsonPort,
  type TextResponse,
} from "../../shared/http/json_port.ts";
import { dialableHost, hostPort } from "../../shared/net/host_port.ts";
import { type EncodedPage, plainPage } from "../pages/html.ts";
import { preferredType } from "../pages/preferred_type.ts";
import { TROUBLESHOOTING_PATH, TROUBLESHOOTING_TEXT, troubleshootingPage } from "../pages/troubleshooting.ts";
import { consolePage } from "./console_page.ts";
import type { AgentStatus } from "./status.ts";
import { CONSOLE_HOST } from "../config/config.ts";

/** A web page whose name was made to resolve to this machine gets no answer (DNS rebinding). */
const HOSTS = ["127.0.0.1", "localhost"];

/** What the console needs. */
export interface ConsoleInit {
  /** 0 picks a free one. */
  readonly port: number;
  status(): AgentStatus;
  /** Path of the agent's configuration file. @default {none} */
  readonly configFile?: string | undefined;
  /** Whether the proxy asks for a user name and a password. @default false */
  readonly needsLogin?: boolean;
  /** What `GET /proxy.pac` answers. */
  readonly proxyScript: string;
  /** The port accepted no connections for a while. */
  onError(error: SallyportError): void;
  /** The port is open again after an `onError`, `downMs` milliseconds later. */
  onReopened?(downMs: number): void;
}

/**
 * Opens the console on loopback: `/` is a page for people, `/troubleshooting` the guide that refusal pages link to,
 * `/health` answers 200 while the tunnel is ready and 503 otherwise, `/status` is JSON, `/proxy.pac` configures browsers.
 */
export async function openConsole(init: ConsoleInit): Promise<JsonPort> {
  const { port, status, proxyScript, configFile, needsLogin = false, ...events } = init;
  const guide = troubleshootingPage();
  const routes: JsonPortInit["routes"] = {
    "/": (accept) => {
      const now = status();
      const places = {
        proxy: hostPort(dialableHost(now.proxy.host), now.proxy.port),
        console: `http://${hostPort(CONSOLE_HOST, opened.address.port)}`,
        configFile,
        needsLogin,
      };
      return varied(consolePage(preferredType(accept), now, places));
    },
    [TROUBLESHOOTING_PATH]: (accept) =>
      varied(preferredType(accept) === "text/html" ? guide : plainPage(TROUBLESHOOTING_TEXT)),
    "/health": () => {
      const { state } = status();
      return { status: state === "ready" ? 200 : 503, body: { state } };
    },
    "/status": () => ({ status: 200, body: status() }),
    "/proxy.pac": () => ({ contentType: "application/x-ns-proxy-autoconfig", text: proxyScript }),
  };
  const opened = await openJsonPort({ host: CONSOLE_HOST, port, hosts: HOSTS, routes, ...events });
  return opened;
}

function varied({ body, contentType, headers }: EncodedPage): TextResponse {
  return { contentType, text: body, headers: { ...headers, Vary: "Accept" } };
}
