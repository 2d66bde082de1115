import { type IncomingMessage, STATUS_CODES } from "node:http";
import { headerValues } from "../../../shared/http/headers.ts";
import { hostPort } from "../../../shared/net/host_port.ts";
import { isLoopbackHost } from "../../../shared/net/ip_address.ts";
import { VERSION } from "../../../shared/version.ts";
import { type EncodedPage, htmlPage, pageHeaders, plainPage } from "../../pages/html.ts";
import { type PageType, preferredType } from "../../pages/preferred_type.ts";
import { type ProxyAddresses, setUpList, setUpText } from "../../pages/set_up.ts";
import type { FrontDoorContext } from "../client/context.ts";
import { lingeringClose } from "../client/lingering_close.ts";
import { parseAuthority } from "../client/request_authority.ts";
import { configFileFor, consoleUrlFor } from "../refusals/console_url.ts";
import { encodeRefusal } from "../refusals/raw_response.ts";

const HEADLINE = "This is a proxy";
const EXPLANATION =
  "This is the Sallyport agent. Its address is not a website: set it as the proxy in your programs " +
  "to send their traffic through the tunnel.";

/**
 * The proxy's own address as a client wrote it that opened the proxy like a website: `GET` or `HEAD` in origin form
 * (RFC 9112 section 3.2.1), without content, for this machine. Undefined for all other requests, especially for those
 * to another site, which must not get the info page as a response.
 */
export function infoPageAuthority(request: IncomingMessage): string | undefined {
  const { method, url = "", rawHeaders, headers, socket } = request;
  if (method !== "GET" && method !== "HEAD" || !url.startsWith("/")) return undefined;
  if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) return undefined;
  const hosts = headerValues(rawHeaders, "host");
  if (hosts.length !== 1 || hosts[0] === "") return undefined;
  try {
    const { host, port } = parseAuthority(hosts[0]!, 80);
    return isLoopbackHost(host) || host === socket.localAddress ? hostPort(host, port) : undefined;
  } catch {
    return undefined; // the refusal explains what is wrong with it
  }
}

/** Sends the info page and closes the connection. It needs no credentials because it contains nothing secret. */
export function sendInfoPage(context: FrontDoorContext, request: IncomingMessage, proxy: string): void {
  const { socket, url = "", method, headers: { accept } } = request;
  context.log.debug("info page sent", { path: url.split("?", 1)[0] });
  const page = infoPage(preferredType(accept), {
    proxy,
    console: consoleUrlFor(context, socket),
    configFile: configFileFor(context, socket),
    needsLogin: context.authorize !== undefined,
  });
  const status = url === "/" ? 200 : 404;
  socket.removeAllListeners("data");
  const response = { status, reason: STATUS_CODES[status]!, headers: pageHeaders(page), body: page.body };
  lingeringClose(socket, context.clock, encodeRefusal(response, method === "HEAD"));
}

function infoPage(type: PageType, addresses: ProxyAddresses): EncodedPage {
  if (type === "text/html") {
    const main = `<h1>${HEADLINE}</h1><p>${EXPLANATION}</p>${setUpList(addresses)}` +
      `<p><small>Sallyport ${VERSION}</small></p>`;
    return htmlPage({ title: `${HEADLINE}: Sallyport ${VERSION}`, main });
  }
  return plainPage(`${HEADLINE}: Sallyport ${VERSION}\n\n${EXPLANATION}\n\n${setUpText(addresses)}`);
}
