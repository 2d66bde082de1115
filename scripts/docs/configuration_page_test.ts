/** Purpose: docs/configuration.md says what the key tables say. */
import assert from "node:assert/strict";
import { PROGRAM_KEYS } from "../../shared/config/program_keys.ts";
import { configurationPage } from "./configuration_page.ts";

Deno.test("docs/configuration.md is what deno task configuration-page writes", async () => {
  const written = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));
  assert.equal(written, configurationPage(), "run deno task configuration-page");
});

Deno.test("the configuration page has every key of both programs, with a default and a meaning", () => {
  const [, agent = "", server = ""] = configurationPage().split(/^## /m);
  for (const [section, keys] of [[agent, PROGRAM_KEYS.agent], [server, PROGRAM_KEYS.server]] as const) {
    for (const key of keys) {
      assert.match(section, new RegExp(`^\\| \`${key}(\\.\\w+)?\` +\\| [^|]+ \\| \\S`, "m"));
    }
  }
});
