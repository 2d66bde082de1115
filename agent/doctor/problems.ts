import { certsCommand } from "../../shared/cli/command_line.ts";

/** A problem, what it means and what to do about it. */
export interface Problem {
  /** Exit code of `agent doctor` if this is the cause; docs/troubleshooting.md lists them. */
  readonly exitCode: number;
  readonly means: string;
  /** What to do. */
  readonly advice: string;
}

/** All problems, in the order of the steps that find them. */
export const PROBLEMS = {
  configuration: {
    exitCode: 10,
    means: "The agent does not start with this configuration",
    advice: "Correct what the message names; docs/configuration.md explains every key",
  },
  ports: {
    exitCode: 11,
    means: "The agent cannot listen on its ports",
    advice: "Stop the program that uses the port, or set the key in the message to another port",
  },
  proxy_unreachable: {
    exitCode: 20,
    means: "The upstream proxy cannot be reached, so the agent cannot reach anything",
    advice:
      'Check upstream_proxy or HTTPS_PROXY; set upstream_proxy to "direct" if this network has no proxy',
  },
  proxy_login: {
    exitCode: 21,
    means: "The proxy requires a valid user name and password",
    advice:
      "Put them in upstream_proxy, as http://user:password@host:port; if it requires a scheme other than " +
      "Basic, run a local proxy that supports that scheme, and set upstream_proxy to it",
  },
  proxy_refusal: {
    exitCode: 22,
    means: "The proxy refuses to connect to the server",
    advice:
      "Ask its administrator to allow the server; many proxies allow only port 443: let the server listen there, " +
      "with listen_port: [8443, 443], and set server_port to 443",
  },
  proxy_cannot_reach: {
    exitCode: 23,
    means: "The proxy cannot reach the server, or the functions that wake it",
    advice:
      "Check that the server runs, and its address and port; if they are right, ask the proxy's administrator " +
      "which ports it connects to",
  },
  proxy_unusable: {
    exitCode: 24,
    means: "What answers at the proxy's address is not a usable proxy",
    advice:
      "Do what the message says; check upstream_proxy or HTTPS_PROXY, and upstream_ca_file if the proxy's URL " +
      "begins with https://",
  },
  network: {
    exitCode: 25,
    means: "A public site does not answer: this network has no internet access, or only the tunnel gets out",
    advice:
      "Nothing if the tunnel works; otherwise check cable or Wi-Fi, and in a company ask for its proxy and set " +
      "upstream_proxy",
  },
  captive_portal: {
    exitCode: 26,
    means: "The network answers instead of the public site: it requires a login first (captive portal)",
    advice: "Open any http:// page in a browser without a proxy, and log in",
  },
  clock: {
    exitCode: 27,
    means: "This machine's clock is wrong: certificates seem to be out of date, and signed calls are refused",
    advice: "Set the clock, and keep it right with NTP",
  },
  certificate: {
    exitCode: 30,
    means: "The agent has no usable certificate",
    advice:
      `Get client.crt, client.key and ca.crt from one CA (${
        certsCommand("issue")
      }), and check cert_file, key_file ` +
      "and ca_cert_file",
  },
  certificate_dates: {
    exitCode: 31,
    means: "The agent's certificate, or its CA's, has expired or is not valid yet",
    advice: `Renew it (${certsCommand("renew")}); if it should be valid, check the clock`,
  },
  certificate_revoked: {
    exitCode: 32,
    means: "The agent's certificate is revoked by the list in crl_file; servers with that list refuse it",
    advice: `Get a new certificate from the CA (${
      certsCommand("issue")
    }), and replace the files of cert_file and key_file`,
  },
  dns: {
    exitCode: 40,
    means: "A name that the agent needs does not resolve",
    advice: "Check its spelling and this machine's name servers; an IP address as server_ip needs none",
  },
  wake_unreachable: {
    exitCode: 41,
    means: "The functions that find and wake the server do not answer",
    advice: "Check wake_endpoint and query_endpoint; in a company, ask for its proxy and set upstream_proxy",
  },
  wake: {
    exitCode: 42,
    means: "The functions that find and wake the server answer with an error",
    advice: "Check wake_endpoint and query_endpoint; if they are right, the message says what to correct",
  },
  wake_refused: {
    exitCode: 43,
    means: "The functions that find and wake the server do not accept this agent's signature",
    advice:
      "Check that the certificate is from the deployed CA, is not revoked and is in clients.allow if that " +
      "has entries, and that the clock is right",
  },
  starting: {
    exitCode: 44,
    means: "The server is starting and cannot be reached yet",
    advice: "Run this again in a minute, or with --wake, which waits for it",
  },
  asleep: {
    exitCode: 45,
    means: "The server is asleep, as always while unused; the later steps could not be checked",
    advice: "Nothing: the first request wakes it. To check the rest, run this again with --wake",
  },
  refused: {
    exitCode: 50,
    means: "The server's machine, or a firewall in front of it, refuses connections to this port",
    advice: "Check that the server runs, and that server_ip and server_port are right",
  },
  silent: {
    exitCode: 51,
    means: "Nothing answers: something drops the packets, most often a firewall that allows only a few ports",
    advice:
      "Let the server listen on port 443 too (listen_port: [8443, 443]) and set server_port to 443; in a " +
      "company, ask for its proxy and set upstream_proxy; check the address, and the server's own firewall",
  },
  reset: {
    exitCode: 52,
    means: "The connection is reset as soon as it is used: something on the path inspects and rejects it",
    advice: "Try port 443 and a common name as sni; in a company, ask for its proxy and set upstream_proxy",
  },
  unreachable: {
    exitCode: 53,
    means: "There is no route to the server",
    advice: "Check the address; an IPv6 address needs a network that has IPv6",
  },
  not_tls: {
    exitCode: 54,
    means: "What answers at this address is not a Sallyport server",
    advice: "Check server_ip and server_port; a captive portal answers like this too",
  },
  interception: {
    exitCode: 60,
    means:
      "The certificate is from another CA: this is another server, or something on the path intercepts TLS and " +
      "could read everything. The agent refuses to continue, on purpose",
    advice: "If the issuer is your company or a security product, ask for an exception for this server; " +
      "otherwise check server_ip",
  },
  wrong_ca: {
    exitCode: 61,
    means: "The server's certificate is from a CA with the same name as ca.crt but another key: another " +
      "installation, or a CA that has been replaced",
    advice: `Use ca.crt and certificates of one "${certsCommand("init")}" on both ends`,
  },
  server_dates: {
    exitCode: 62,
    means: "The server's certificate has expired or is not valid yet",
    advice: `Renew the server's certificate (${
      certsCommand("renew")
    }); if it should be valid, check the clock`,
  },
  server_name: {
    exitCode: 63,
    means: "The server's certificate is valid, but for another name",
    advice: "Set server_name to a name in the certificate",
  },
  server_certificate: {
    exitCode: 64,
    means: "The server's certificate cannot be accepted",
    advice: `Issue one for the server (${certsCommand("issue --server")})`,
  },
  not_accepted: {
    exitCode: 65,
    means:
      "The server closes the connection after it has received the agent's certificate: the certificate is revoked, " +
      "or not from a CA that the server trusts. A server gives strangers no reason",
    advice:
      "Look for \"agent refused\" in the server's log; get a new certificate from the server's administrator",
  },
  turned_away: {
    exitCode: 66,
    means: "The server accepts the certificate but refuses this agent",
    advice: "Do what the server's message says",
  },
  broken_off: {
    exitCode: 67,
    means: "The tunnel opened, and broke off during the check",
    advice: "Try again; if it happens again, something on the path cuts long or busy connections",
  },
  server_revoked: {
    exitCode: 68,
    means: "The server's certificate is revoked: its key may have been stolen",
    advice:
      "Do not work around this by removing crl_file. Ask the server's administrator; the server needs a new " +
      `certificate (${certsCommand("issue --server")})`,
  },
  page: {
    exitCode: 70,
    means: "The tunnel works, but the test page could not be fetched through it",
    advice: "Try another page with --page; if none works, the server has no internet access, or its rules " +
      "(targets, clients) forbid the page",
  },
  internal: {
    exitCode: 79,
    means: "agent doctor itself failed",
    advice: "Report it as a bug in Sallyport, with this output",
  },
} as const satisfies Record<string, Problem>;

/** The name of a problem, as in `agent doctor --json`. */
export type ProblemName = keyof typeof PROBLEMS;
