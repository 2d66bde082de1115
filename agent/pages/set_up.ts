import { agentCommand } from "../../shared/cli/command_line.ts";
import { definition, escapeHtml, link } from "./html.ts";

/** Where a client reaches the proxy and the console. */
export interface ProxyAddresses {
  /** The proxy, as `host:port`. */
  readonly proxy: string;
  /** The console's URL, without a trailing slash; undefined when the client cannot reach it. */
  readonly console: string | undefined;
  /** Path of the agent's configuration file. @default {none} */
  readonly configFile?: string | undefined;
  /** Whether the proxy asks for a user name and a password. */
  readonly needsLogin: boolean;
}

interface SetUpRow {
  readonly name: string;
  readonly value: string;
  /** Whether the value is a link. */
  readonly isLink?: boolean;
  readonly note: string;
}

function rowsOf({ proxy, console, configFile, needsLogin }: ProxyAddresses): SetUpRow[] {
  const rows: SetUpRow[] = [
    {
      name: "HTTP and HTTPS proxy",
      value: proxy,
      note: "for the network settings of the system or the browser",
    },
    {
      name: "SOCKS5 proxy",
      value: proxy,
      note: "the same port, for programs that do not support HTTP proxies",
    },
  ];
  if (needsLogin) {
    rows.push({
      name: "User name and password",
      value: "local_proxy_auth",
      note: "the proxy asks for those of this key in the agent's configuration",
    });
  }
  if (console !== undefined) {
    const value = `${console}/proxy.pac`;
    rows.push({
      name: "Automatic configuration (PAC)",
      value,
      note: "replaces both, in the same settings",
    });
  }
  const login = needsLogin ? "USER:PASSWORD@" : "";
  rows.push(
    { name: "curl", value: `curl -x http://${login}${proxy} https://example.org/`, note: "one request" },
    {
      name: "A shell",
      value: `eval "$(${agentCommand("env", configFile)})"`,
      note: "sets the proxy variables that most programs read",
    },
    {
      name: "One command",
      value: agentCommand("exec", configFile, "-- COMMAND"),
      note: "runs a command with those variables",
    },
  );
  if (console !== undefined) {
    const note = "the agent's status, and help when something fails";
    rows.push({ name: "Console", value: `${console}/`, isLink: true, note });
  }
  return rows;
}

/** How to set up programs to use the agent, as a list of a page. */
export function setUpList(addresses: ProxyAddresses): string {
  const rows = rowsOf(addresses).map(({ name, value, isLink = false, note }) =>
    definition(name, `${isLink ? link(value) : `<code>${escapeHtml(value)}</code>`}<br>${escapeHtml(note)}`)
  );
  return `<dl>${rows.join("")}</dl>`;
}

/** {@linkcode setUpList} as text. */
export function setUpText(addresses: ProxyAddresses): string {
  return rowsOf(addresses).map(({ name, value, note }) => `${name}: ${value}\n  (${note})\n`).join("");
}
