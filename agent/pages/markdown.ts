import { escapeHtml, link } from "./html.ts";

/**
 * Renders the Markdown of this project's own documents: headings with the anchors that GitHub gives them, paragraphs,
 * lists, tables, code and links. A complete Markdown library would be part of every agent's download.
 *
 * @param resolve Returns where a link of the document leads, or undefined when it cannot be followed from the page;
 * then only its text is kept.
 */
export function renderMarkdown(text: string, resolve: (target: string) => string | undefined): string {
  return text.replaceAll("\r", "").split(/\n{2,}/).map((block) => block.trim()).filter((block) =>
    block !== ""
  )
    .map((block) => renderBlock(block, (inline) => renderInline(inline, resolve))).join("\n");
}

/** The anchor of a heading, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
}

type Inline = (text: string) => string;

function renderBlock(block: string, inline: Inline): string {
  const [, hashes, heading] = /^(#{1,6}) (.+)$/.exec(block) ?? [];
  if (hashes !== undefined && heading !== undefined) {
    const level = hashes.length;
    return `<h${level} id="${escapeHtml(anchorOf(heading))}">${inline(heading)}</h${level}>`;
  }
  const [, code] = /^```\w*\n([^]*)\n```$/.exec(block) ?? [];
  if (code !== undefined) return `<pre><code>${escapeHtml(code)}</code></pre>`;
  if (block.startsWith("|")) return renderTable(block.split("\n"), inline);
  if (block.startsWith("- ")) {
    const items = block.slice(2).split(/\n- /).map((item) => `<li>${inline(item)}</li>`);
    return `<ul>${items.join("")}</ul>`;
  }
  return `<p>${inline(block)}</p>`;
}

function renderTable([head = "", , ...rows]: string[], inline: Inline): string {
  const row = (line: string, tag: "th" | "td") => {
    const cells = line.replace(/^\||\|$/g, "").split("|").map((cell) =>
      `<${tag}>${inline(cell.trim())}</${tag}>`
    );
    return `<tr>${cells.join("")}</tr>`;
  };
  return `<table><thead>${row(head, "th")}</thead><tbody>${
    rows.map((line) => row(line, "td")).join("")
  }</tbody></table>`;
}

const INLINE = /`([^`]+)`|\[((?:[^\]`]|`[^`]*`)+)\]\(([^)\s]+)\)|\*\*([^*]+)\*\*/g;

function renderInline(text: string, resolve: (target: string) => string | undefined): string {
  let html = "";
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [all, code, label, target, strong] = match;
    html += escapeHtml(text.slice(end, match.index));
    end = match.index + all.length;
    if (code !== undefined) html += `<code>${escapeHtml(code)}</code>`;
    else if (strong !== undefined) html += `<strong>${escapeHtml(strong)}</strong>`;
    else {
      const href = resolve(target!);
      html += href === undefined ? renderInline(label!, resolve) : link(href, label!.replaceAll("`", ""));
    }
  }
  return html + escapeHtml(text.slice(end));
}
