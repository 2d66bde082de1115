/** `deno task configuration-page`: writes docs/configuration.md. */
import { configurationPage } from "./docs/configuration_page.ts";

await Deno.writeTextFile(new URL("../docs/configuration.md", import.meta.url), configurationPage());
