/** Reads and writes the parts of Markdown that the checks of the documents need. */
import { anchorOf } from "../../agent/pages/markdown.ts";

/** A table as `deno fmt` aligns it, with a line end. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]!), rule, ...cells.slice(1).map(line), ""].join("\n");
}

/** A Markdown text without its code blocks and comments. */
function withoutCodeBlocks(text: string): string {
  return text.replaceAll(/^( *)```[^]*?^\1```$/gm, "").replaceAll(/<!--[^]*?-->/g, "");
}

/** Where the links of a text lead, as they are written. */
export function linksOf(text: string): string[] {
  const prose = withoutCodeBlocks(text).replaceAll(/`[^`\n]+`/g, "`");
  return [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(([, inline, defined]) =>
    inline ?? defined!
  );
}

/** The anchors of a text's headings, as GitHub makes them; a heading that is there twice gets a number. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutCodeBlocks(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = anchorOf(heading!.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1"));
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

const PROJECT_PATH = /^(agent|docs|lambdas|scripts|server|shared|tests|\.ci|\.github)\/[\w./-]+$/;

/** The paths of files and folders of the project that a text names, in code marks or in commands. */
export function pathsOf(text: string): string[] {
  const code = [...withoutCodeBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, inner]) => inner!);
  const words = commandsOf(text).flatMap((command) => command.split(/\s+/));
  return [...code, ...words].filter((word) => PROJECT_PATH.test(word));
}

/** The shell blocks of a text, without the indentation of a list. */
export function shellBlocksOf(text: string): string[] {
  return [...text.matchAll(/^( *)```sh\n([^]*?)^\1```$/gm)].map(([, indent, block]) =>
    block!.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  );
}

/** The commands of a text's shell blocks, one a line, continued lines joined and comments left out. */
export function commandsOf(text: string): string[] {
  return shellBlocksOf(text).flatMap((block) => block.replaceAll(/\s*\\\n\s*/g, " ").split("\n"))
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim()).filter((line) => line !== "");
}
