// Bundled, so that every version serves its own guide and the executable needs no file.
import guide from "../../docs/troubleshooting.md" with { type: "text" };
import { VERSION } from "../../shared/version.ts";
import { type EncodedPage, htmlPage, link } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";

/** Path of the guide on the console. */
export const TROUBLESHOOTING_PATH = "/troubleshooting";

/** Where an error code is documented: on the console, or in a file when the client cannot reach the console. */
export function troubleshootingUrl(code: string, console: string | undefined): string {
  return `${console === undefined ? "docs/troubleshooting.md" : `${console}${TROUBLESHOOTING_PATH}`}#${code}`;
}

/** The guide as a page of the console. */
export function troubleshootingPage(): EncodedPage {
  const main = renderMarkdown(guide, (target) => /^(#|https?:)/.test(target) ? target : undefined);
  const footer = `<p><small>Sallyport ${VERSION}. ${link("/", "Console")}</small></p>`;
  return htmlPage({ title: `Troubleshooting: Sallyport ${VERSION}`, main: main + footer });
}

/** The guide as plain text. */
export const TROUBLESHOOTING_TEXT: string = guide;
