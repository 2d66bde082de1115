import { createHash } from "node:crypto";

/** The parts of a page; text in `main` is already escaped. */
export interface HtmlPage {
  readonly title: string;
  /** Elements for the page's body. */
  readonly main: string;
  /** Elements for the page's head. @default {none} */
  readonly head?: string;
  /** A script that runs when the page has loaded. @default {none} */
  readonly script?: string;
}

/** A page, ready for a response. */
export interface EncodedPage {
  readonly body: string;
  readonly contentType: string;
  /** Further header fields. */
  readonly headers: Readonly<Record<string, string>>;
}

// Text and background both use the browser's colours: mixing two schemes could be unreadable.
const STYLE = ":root{color-scheme:light dark;color:CanvasText;background:Canvas}" +
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:8vh auto;padding:0 1em;overflow-wrap:anywhere}" +
  "h1{font-size:1.3em}h2{font-size:1.15em}h3{font-size:1em}dt{font-weight:600;margin-top:.8em}dd{margin:0}" +
  "table{border-collapse:collapse}th,td{border:1px solid;padding:.2em .5em;text-align:left;vertical-align:top}" +
  "small{opacity:.7}";
const STYLE_SOURCE = hashSource(STYLE);

/** Creates a page that loads nothing and runs only its own script, even if hostile text got into it. */
export function htmlPage({ title, main, head = "", script }: HtmlPage): EncodedPage {
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    ...script === undefined ? [] : [`script-src ${hashSource(script)}`],
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  const body = `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title>` +
    `<style>${STYLE}</style>${head}</head><body>${main}` +
    `${script === undefined ? "" : `<script>${script}</script>`}</body></html>\n`;
  return {
    body,
    contentType: "text/html; charset=utf-8",
    headers: { "Content-Security-Policy": policy.join("; ") },
  };
}

/** Creates a page of plain text. */
export function plainPage(body: string): EncodedPage {
  return { body, contentType: "text/plain; charset=utf-8", headers: {} };
}

/** The header fields of a page's response, as a flat list of names and values. */
export function pageHeaders({ body, contentType, headers }: EncodedPage): string[] {
  return [
    ...["Content-Type", contentType],
    ...Object.entries(headers).flat(),
    ...["Content-Length", String(new TextEncoder().encode(body).length)],
    ...["Cache-Control", "no-store"],
    ...["X-Content-Type-Options", "nosniff"],
    // A cache must not serve one client's type of page to another.
    ...["Vary", "Accept"],
  ];
}

/** A term and its description, as elements. */
export function definition(term: string, elements: string): string {
  return `<dt>${escapeHtml(term)}</dt><dd>${elements}</dd>`;
}

/** A link; its URL must come from this program, not from outside. */
export function link(href: string, text = href): string {
  return `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for any place in a page, including attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Converts text in which backticks mark code to elements. */
export function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Removes the backticks that mark code in a text. */
export function withoutBackticks(text: string): string {
  return text.replace(/`([^`]+)`/g, "$1");
}

/** CSP Level 3, section 2.3.1: an inline element is allowed by the hash of its content. */
function hashSource(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
