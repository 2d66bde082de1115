/** What a problem means and what to do about it. */
export interface Problem {
  /** Exit code of `agent doctor` when this is what stands in the way; docs/troubleshooting.md has them too. */
  readonly exitCode: number;
  readonly means: string;
  /** What to do. */
  readonly advice: string;
}

/** Every problem that can be found, in the order of the steps that find them. */
export const PROBLEMS = {
  configuration: {
    exitCode: 10,
    means: "The agent does not start with this configuration",
    advice: "Mend what is named; the README's table explains every key",
  },
  ports: {
    exitCode: 11,
    means: "The agent cannot listen where programs are to reach it",
    advice: "Stop the program that has the port, or set local_proxy_port or console_port to another",
  },
  proxy_unreachable: {
    exitCode: 20,
    means: "The proxy that the agent has to go through cannot be reached, so nothing can",
    advice:
      'Check upstream_proxy or HTTPS_PROXY; set upstream_proxy to "direct" where there is no such proxy',
  },
  proxy_login: {
    exitCode: 21,
    means: "The proxy lets nobody through without a user and a password that it knows",
    advice:
      "Write them into upstream_proxy, as http://user:password@host:port; where it wants another kind than " +
      "Basic, put a local proxy in between that speaks it",
  },
  proxy_refusal: {
    exitCode: 22,
    means: "The proxy answers, and does not connect to the server",
    advice:
      "Ask whoever runs it to allow the server; many allow port 443 alone: have the server listen there, " +
      "with listen_port: [8443, 443], and set server_port to 443",
  },
  proxy_cannot_reach: {
    exitCode: 23,
    means: "The proxy answers, and does not get to the server either, or not to the functions that wake it",
    advice:
      "Check that the server runs, and its address and port; if they are right, ask whoever runs the proxy " +
      "which ports it connects to",
  },
  proxy_unusable: {
    exitCode: 24,
    means: "What answers at the proxy's address is no proxy that can be used",
    advice:
      "Do what the message says; check upstream_proxy or HTTPS_PROXY, and upstream_ca_file where it begins " +
      "with https://",
  },
  network: {
    exitCode: 25,
    means:
      "A site that everybody can reach does not answer: there is no way out of this network, or none but the " +
      "tunnel",
    advice:
      "Where the tunnel works, nothing; else check cable or Wi-Fi, and in a company ask for its proxy and set " +
      "upstream_proxy",
  },
  captive_portal: {
    exitCode: 26,
    means: "The network answers in place of the site that was asked: it wants somebody to log in first",
    advice: "Open any http:// page in a browser without a proxy, and log in",
  },
  clock: {
    exitCode: 27,
    means: "This machine's clock is wrong: certificates seem to be out of date, and signed calls are refused",
    advice: "Set the clock, and have it kept right by NTP",
  },
  certificate: {
    exitCode: 30,
    means: "The agent has no certificate that it could show to the server",
    advice:
      "Get client.crt, client.key and ca.crt of one CA (agent certs issue), and check cert_file, key_file " +
      "and ca_cert_file",
  },
  certificate_dates: {
    exitCode: 31,
    means: "The agent's certificate, or its CA's, is not good at this time",
    advice: "Have it renewed (agent certs renew); if it should still be good, check the clock",
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
    means: "The functions that find and wake the server do not do what they are asked",
    advice:
      "Check wake_endpoint and query_endpoint; if they are right, the message says what is to be mended",
  },
  wake_refused: {
    exitCode: 43,
    means: "The functions that find and wake the server do not accept this agent's signature",
    advice: "Check that the certificate is of the CA that was deployed, was not revoked and is named by " +
      "clients.allow where that has entries, and that the clock is right",
  },
  starting: {
    exitCode: 44,
    means: "The server is being started by somebody else, and cannot be reached yet",
    advice: "Run this again in a minute, or with --wake, which waits for it",
  },
  asleep: {
    exitCode: 45,
    means: "The server sleeps, as it does while nobody needs it; what comes after it could not be looked at",
    advice: "Nothing: the first request wakes it. To look at the rest, run this again with --wake",
  },
  refused: {
    exitCode: 50,
    means: "The server's machine, or a firewall before it, answers that nothing may connect to this port",
    advice: "Check that the server runs, and that server_ip and server_port are right",
  },
  silent: {
    exitCode: 51,
    means:
      "Nothing answers at all: something drops the packets, most often a firewall that lets few ports out",
    advice:
      "Have the server listen on port 443 too (listen_port: [8443, 443]) and set server_port to 443; in a " +
      "company, ask for its proxy and set upstream_proxy; check the address, and the server's own firewall",
  },
  reset: {
    exitCode: 52,
    means:
      "The connection is cut as soon as it is used: something on the path looks at it and does not like it",
    advice: "Try port 443 and a common name as sni; in a company, ask for its proxy and set upstream_proxy",
  },
  unreachable: {
    exitCode: 53,
    means: "There is no route to the server",
    advice: "Check the address; an IPv6 address needs a network that has IPv6",
  },
  not_tls: {
    exitCode: 54,
    means: "What answers at this address is no Sallyport server",
    advice: "Check server_ip and server_port; a network that wants somebody to log in answers like this too",
  },
  interception: {
    exitCode: 60,
    means:
      "The certificate that was shown is of somebody else's CA: this is another server, or something on the " +
      "path opens TLS and would read everything. The agent does not go on, and that is meant",
    advice:
      "If the issuer is your company or a security product, ask it to leave this server's traffic alone; " +
      "else check server_ip",
  },
  wrong_ca: {
    exitCode: 61,
    means: "The server's certificate is of another CA than ca.crt, though it has the same name: of another " +
      "installation, or from before the CA was made anew",
    advice: "Use a ca.crt and certificates of one `certs init` on both ends",
  },
  server_dates: {
    exitCode: 62,
    means: "The server's certificate is not good at this time",
    advice: "Have the server's certificate renewed (agent certs renew); if it is good, check the clock",
  },
  server_name: {
    exitCode: 63,
    means: "The server's certificate is good, and for another name",
    advice: "Set server_name to a name that the certificate carries",
  },
  server_certificate: {
    exitCode: 64,
    means: "The server's certificate cannot be accepted",
    advice: "Issue one for the server (agent certs issue --server)",
  },
  not_accepted: {
    exitCode: 65,
    means:
      "The connection ends as soon as the server has seen the agent's certificate: it was revoked, or is not " +
      "of the CA that the server trusts. The server tells strangers nothing",
    advice:
      'Look at the server\'s log for "agent refused"; get a new certificate from whoever runs the server',
  },
  turned_away: {
    exitCode: 66,
    means: "The server accepts the certificate and does not serve this agent",
    advice: "Do what the message says; it is the server's",
  },
  broken_off: {
    exitCode: 67,
    means: "The tunnel was there, and broke off while it was used",
    advice: "Try again; if it goes on, something on the path cuts connections that last or carry much",
  },
  server_revoked: {
    exitCode: 68,
    means: "The server's certificate was revoked: whoever holds its key may be a thief",
    advice:
      "Do not go on without crl_file. Ask who runs the server; it needs a new certificate (agent certs issue --server)",
  },
  page: {
    exitCode: 70,
    means: "The tunnel is good, and the page behind it could not be had",
    advice:
      "Try another with --page; if none can be had, the server's machine has no way to the web, or its " +
      "rules (targets, clients) forbid it",
  },
  internal: {
    exitCode: 79,
    means: "The examination itself went wrong",
    advice: "Report it as a fault of Sallyport, with this output",
  },
} as const satisfies Record<string, Problem>;

/** The name of a problem, for programs that read `agent doctor --json`. */
export type ProblemName = keyof typeof PROBLEMS;
