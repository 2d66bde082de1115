import assert from "node:assert/strict";
import { ERROR_CODES } from "../../shared/errors.ts";
import { VERSION } from "../../shared/version.ts";
import { anchorOf, renderMarkdown } from "./markdown.ts";
import { troubleshootingPage } from "./troubleshooting.ts";

Deno.test("troubleshooting page has an anchor for every error code and no broken link", () => {
  const { body } = troubleshootingPage();
  const ids = new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const code of ERROR_CODES) assert.ok(ids.has(code), code);
  const links = [...body.matchAll(/ href="([^"]+)"/g)].map(([, href]) => href!);
  assert.ok(links.includes("#what-stands-in-the-way-agent-doctor"));
  for (const href of links) assert.ok(href === "/" || ids.has(href.slice(1)), href);
  assert.ok(body.includes(VERSION));
});

Deno.test("troubleshooting page contains no Markdown and loads nothing", () => {
  const { body } = troubleshootingPage();
  assert.doesNotMatch(body, /`|\]\(|\*\*|\n(#|\||- )|src=|style=/);
});

Deno.test("renderMarkdown renders what the guide uses and escapes all text", () => {
  const text =
    "## Is `a` <b>?\n\nsee [the `x`](#x) & **this**,\nand [that](y.md)\n\n| a | b |\n| - | - |\n| `1` | <i> |\n\n- one\n- two";
  assert.equal(
    renderMarkdown(text, (target) => target.startsWith("#") ? target : undefined),
    '<h2 id="is-a-b">Is <code>a</code> &lt;b&gt;?</h2>\n' +
      '<p>see <a href="#x">the x</a> &amp; <strong>this</strong>,\nand that</p>\n' +
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>1</code></td><td>&lt;i&gt;</td></tr>" +
      "</tbody></table>\n<ul><li>one</li><li>two</li></ul>",
  );
  assert.equal(anchorOf("What stands in the way: `agent doctor`"), "what-stands-in-the-way-agent-doctor");
});
