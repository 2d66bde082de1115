import type { ProxySetup } from "./proxy_program.ts";

/** Configuration of a tinyproxy. */
export function tinyproxyConfig({ port, log, credentials, only443 = false }: ProxySetup): string {
  return [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 600",
    "MaxClients 50",
    "Allow 127.0.0.1",
    `LogFile "${log}"`,
    "LogLevel Connect",
    ...(credentials === undefined ? [] : [`BasicAuth ${credentials.user} ${credentials.password}`]),
    ...(only443 ? ["ConnectPort 443"] : []),
    "",
  ].join("\n");
}
