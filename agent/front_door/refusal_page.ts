import type { PageType } from "./preferred_type.ts";

/** What a page says; every text is one line without control characters. */
export interface RefusalFacts {
  readonly status: number;
  readonly reason: string;
  /** What the client asked for. */
  readonly target: string;
  /** What failed, as a part of a sentence. */
  readonly what: string;
  /** Where, as a part of a sentence. */
  readonly where: string;
  /** The message with the values at hand. */
  readonly details: string;
  /** Code of SPEC.md 6. */
  readonly code: string;
  readonly advice: string;
  /** Where more is written. */
  readonly more: string;
}

/** Writes a page. */
export function refusalPage(
  type: PageType,
  facts: RefusalFacts,
): { body: string; headers: [string, string][] } {
  switch (type) {
    case "text/plain":
      return { body: text(facts), headers: [["Content-Type", "text/plain; charset=utf-8"]] };
    case "application/json":
      return {
        body: `${JSON.stringify({ error: facts })}\n`,
        headers: [["Content-Type", "application/json"]],
      };
    case "text/html":
      return {
        body: html(facts),
        headers: [
          ["Content-Type", "text/html; charset=utf-8"],
          // Nothing is fetched and nothing runs, whatever a stranger wrote into the address.
          [
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
          ],
        ],
      };
  }
}

function text({ status, reason, target, what, where, details, code, advice, more }: RefusalFacts): string {
  return [
    `${status} ${reason}`,
    "",
    `Sallyport could not serve ${target}`,
    "",
    `What failed: ${what}`,
    `Where:       ${where}`,
    `Details:     ${details} (${code})`,
    `More:        ${more}`,
    `What to do:  ${advice}`,
    "",
  ].join("\n");
}

// Both colours are the browser's own, and said: text of one scheme on the background of another cannot be read.
const STYLE = ":root{color-scheme:light dark;color:CanvasText;background:Canvas}" +
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:12vh auto;padding:0 1em;overflow-wrap:anywhere}" +
  "h1{font-size:1.3em}dt{font-weight:600;margin-top:.8em}dd{margin:0}small{opacity:.7}";

function html({ status, reason, target, what, where, details, code, advice, more }: RefusalFacts): string {
  const rows = {
    "What failed": what,
    "Where": where,
    "What to do": advice,
    "Details": `${details} (${code})`,
  };
  const list = Object.entries(rows).map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join(
    "",
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${status} ${
      escape(reason)
    }</title>` +
    `<style>${STYLE}</style></head><body><h1>${status} ${escape(reason)}</h1>` +
    `<p>Sallyport could not serve <b>${escape(target)}</b>: ${escape(what)}.</p><dl>${list}</dl>` +
    `<p><small>More: ${escape(more)}</small></p></body></html>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
