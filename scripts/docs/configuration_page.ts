/** Makes docs/configuration.md from the key tables of agent and server. */
import { AGENT_KEYS } from "../../agent/config/config.ts";
import { SERVER_KEYS } from "../../server/config/config.ts";
import type { Field } from "../../shared/config/fields.ts";
import { contentVariable, fieldsOf, type Shape, variableOf } from "../../shared/config/shape.ts";
import { markdownTable } from "./markdown.ts";

const INTRODUCTION = `# Configuration

<!-- Written by \`deno task configuration-page\` from the key tables: change those, not this page. -->

A value comes from the environment if it is set there, else from the YAML file (\`--config\`), else from the
default. Without \`--config\` the file is \`agent.yaml\` or \`server.yaml\` in the current folder, if it exists.

Unknown keys, unknown \`SALLYPORT_*\` variables and invalid values end the program with exit code 2 and one line
for each problem. The line names the file, line and column, or the variable, what was expected, and what to
write:

\`\`\`text
sallyport-agent: /etc/sallyport/agent.yaml:2:1: Cannot use server_prot: there is no such key; did you mean server_port?
\`\`\`

Durations are strings such as \`"500ms"\`, \`"60s"\`, \`"15m"\` or \`"1h"\`. Hosts are names or addresses without
brackets. Relative paths in a file are relative to that file's folder, and so are relative defaults; without a
file, and in the environment, they are relative to the current folder.
`;

const AFTER_AGENT =
  `If \`server_ip\` is set, the agent uses that address and does not ask the cloud. Endpoints are \`https:\`, or
\`http:\` on this machine.
`;

const ENVIRONMENT = `## Environment

Every key has an environment variable: \`SALLYPORT_\` and the key in capitals, groups joined by \`__\`, list
entries separated by commas. So \`listen_port\` is \`SALLYPORT_LISTEN_PORT\`, and \`targets.allow\` is
\`SALLYPORT_TARGETS__ALLOW\`. True and false may also be 1 and 0.

These variables hold the PEM text of a file, with line breaks or with \`\\n\` written as two characters. They win
over the key in the file and over its own variable. Text from the environment never changes while a program
runs; files are [read again when they change](certificates.md#reload).
`;

/** The page as it has to be: what \`deno fmt\` leaves alone. */
export function configurationPage(): string {
  const programs = [["Agent", AGENT_KEYS, AFTER_AGENT], ["Server", SERVER_KEYS, ""]] as const;
  const sections = programs.flatMap(([title, shape, after]) => [
    `## ${title}\n`,
    keyTable(shape),
    ...after === "" ? [] : [after],
    `### What ${title.toLowerCase()} keys accept\n`,
    valueTable(shape),
  ]);
  return [INTRODUCTION, ...sections, ENVIRONMENT, contentTable(programs.map(([, shape]) => shape))].join(
    "\n",
  );
}

function keyTable(shape: Shape): string {
  const rows = [...fieldsOf(shape)].map(([path, field]) => {
    if (field.description === undefined) throw new Error(`Cannot document ${path.join(".")}: no description`);
    return [code(path.join(".")), defaultOf(field), field.description];
  });
  return markdownTable(["key", "default", "meaning"], rows);
}

function valueTable(shape: Shape): string {
  const rows = [...fieldsOf(shape)].map(([path, { expected }]) => [code(path.join(".")), expected]);
  return markdownTable(["key", "accepts"], rows);
}

/** The variables that hold a file's content, each once. */
function contentTable(shapes: readonly Shape[]): string {
  const variables = new Map<string, readonly string[]>();
  for (const shape of shapes) {
    for (const [path, { content }] of fieldsOf(shape)) {
      if (content === undefined) continue;
      const name = contentVariable(content.name);
      variables.set(name, [code(name), code(path.join(".")), code(variableOf(path))]);
    }
  }
  return markdownTable(["variable with the PEM text", "replaces the key", "and the variable"], [
    ...variables.values(),
  ]);
}

function defaultOf({ fallback }: Field<unknown>): string {
  return fallback === "" ? "not set" : code(JSON.stringify(fallback));
}

function code(text: string): string {
  return `\`${text}\``;
}
