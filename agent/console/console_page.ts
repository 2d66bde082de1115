import { VERSION } from "../../shared/version.ts";
import { type EncodedPage, escapeHtml, htmlPage, link, plainPage } from "../pages/html.ts";
import type { PageType } from "../pages/preferred_type.ts";
import { type ProxyAddresses, setUpList, setUpText } from "../pages/set_up.ts";
import { TROUBLESHOOTING_PATH } from "../pages/troubleshooting.ts";
import { type ShownStatus, statusLines } from "./status.ts";

const TITLE = `Sallyport agent ${VERSION}`;

const LINKS: Readonly<Record<string, string>> = {
  [TROUBLESHOOTING_PATH]: "what to do when something fails",
  "/status": "the status as JSON",
  "/health": "200 while the tunnel is ready, else 503",
  "/proxy.pac": "automatic configuration for browsers",
};

/** The console's first page: the agent's status, how to set up programs, and links to the other pages. */
export function consolePage(type: PageType, status: ShownStatus, places: ProxyAddresses): EncodedPage {
  const words = statusLines(status);
  if (type === "text/html") {
    const state = words.map(escapeHtml).join("<br>");
    const links = Object.entries(LINKS).map(([path, note]) => `<li>${link(path)}: ${escapeHtml(note)}</li>`);
    const main = `<h1>${TITLE}</h1><p id="state">${state}</p>` +
      `<h2>Use it</h2>${setUpList(places)}<h2>More</h2><ul>${links.join("")}</ul>`;
    return htmlPage({ title: TITLE, main });
  }
  const links = Object.entries(LINKS).map(([path, note]) => `${path}: ${note}\n`);
  return plainPage(`${TITLE}\n\n${words.join("\n")}\n\n${setUpText(places)}\n${links.join("")}`);
}
