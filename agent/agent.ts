import { agentCommand } from "../shared/cli/command_line.ts";
import { collectGarbage } from "../shared/collect_garbage.ts";
import type { Lookup } from "../shared/egress/dial/resolve.ts";
import { OwnPorts } from "../shared/egress/rules/own_ports.ts";
import { SallyportError } from "../shared/errors.ts";
import type { JsonPort } from "../shared/http/json_port.ts";
import { getLogger } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/flow/memory_budget.ts";
import { hostPort } from "../shared/net/host_port.ts";
import { isLoopback } from "../shared/net/ip_address.ts";
import { withListenAdvice } from "../shared/config/listen_advice.ts";
import { IdentityStore } from "../shared/pki/identity/identity_store.ts";
import { systemClock } from "../shared/system_clock.ts";
import { configuredTrace } from "../shared/trace/session_trace.ts";
import { VERSION } from "../shared/version.ts";
import { agentStatus } from "./agent_status.ts";
import { createCloud } from "./cloud/cloud.ts";
import { Servers } from "./cloud/servers.ts";
import type { AgentConfig } from "./config/config.ts";
import { type ConsoleInit, openConsole } from "./console/console.ts";
import { withRunningAgent } from "./console/running_agent.ts";
import { DirectStreams } from "./direct/direct_streams.ts";
import type { OpenStream } from "./front_door/client/open_stream.ts";
import { type FrontDoor, openFrontDoor } from "./front_door/front_door.ts";
import { loggedProxyScript } from "./routes/proxy_script.ts";
import { createRouter } from "./routes/router.ts";
import { Routes } from "./routes/routes.ts";
import { createAgentCounter, createDial, createDialServer } from "./server_dialer.ts";
import { ServerRevalidation } from "./tunnel/server_revalidation.ts";
import { Tunnel } from "./tunnel/tunnel.ts";
import { ignoredVariablesWarning, isOwnProxy, proxyFor, type Upstream } from "./upstream/upstream.ts";

/** Milliseconds between two checks of the certificate files. */
const POLL_INTERVAL = 2_000;
/** Milliseconds that open streams have to end when the agent stops. */
const DRAIN_TIMEOUT = 10_000;
/** Milliseconds; the server's `idle_timeout` applies first, this one is for streams that the server forgot. */
const IDLE_TIMEOUT = 86_400_000;
/** Bytes that all streams may use beyond their first window. */
const STREAM_MEMORY = 25_165_824;

/** A running agent. */
export interface Agent {
  /** Where the proxy listens. */
  readonly proxyAddress: HostAndPort;
  /** Where the console listens. */
  readonly consoleAddress: HostAndPort;
  /** Settles when the agent has stopped. */
  readonly closed: Promise<void>;
  /** Accepts nothing new, lets open streams end within 10 s, and stops. */
  drain(reason: string): Promise<void>;
  /** Reloads certificate, key, CA and revocation list, and revalidates open connections to servers. */
  reload(reason: string): Promise<void>;
}

/** A type alias, so that it can be a log line's fields. */
type HostAndPort = { readonly host: string; readonly port: number };

/** What the agent uses of its environment, besides its ports. */
export interface AgentRuntime {
  /** Looks up names of targets in `bypass`. @default the system's resolver */
  readonly lookup?: Lookup;
}

/**
 * Starts the agent: first its ports, so that clients can connect, then the tunnel.
 * @throws SallyportError when a certificate or a port cannot be used.
 */
export async function startAgent(config: AgentConfig, runtime: AgentRuntime = {}): Promise<Agent> {
  try {
    return await start(config, runtime);
  } catch (error) {
    throw await withRunningAgent(error, config);
  }
}

async function start(config: AgentConfig, { lookup }: AgentRuntime): Promise<Agent> {
  await using undo = new AsyncDisposableStack();
  const identities = await openIdentities(config, undo);
  const egress = { upstream: config.upstream };
  const via = (host: string, port: number) => proxyFor(egress.upstream, host, port);
  const servers = knownServers(config);
  const cloud = config.cloud && createCloud(config.cloud, { identities, servers, via });
  const revalidation = revalidateServers(config, identities, undo);
  const dialServer = createDialServer({ config, identities, revalidation, via });
  const { resumeTimeout, connections: maxLinks } = config;
  const session = { software: `sallyport/${VERSION}`, id: crypto.randomUUID(), resumeTimeout };
  const budget = new MemoryBudget(STREAM_MEMORY, undefined, { collect: collectGarbage, clock: systemClock });
  const tunnel = new Tunnel({
    budget,
    dial: createDial(servers, dialServer, identities),
    locate: cloud?.locate,
    doctor: agentCommand("doctor", config.file),
    log: getLogger("tunnel"),
    trace: configuredTrace(config),
    session,
    options: { maxLinks, ...config.cloud !== undefined && { waitTimeout: config.cloud.wakeTimeout } },
  });
  const routes = new Routes(config);
  const ownPorts = new OwnPorts();
  const direct = createDirectStreams(routes, { ownPorts, budget, lookup }, undo);
  const openStream = createRouter(routes, { tunnel, direct });
  const opened: { console?: string } = {};
  const frontDoor = await listenForClients(
    config,
    { openStream, tunnel, consoleUrl: () => opened.console },
    undo,
  );
  const proxyAddress = addressOf(frontDoor);
  const status = () => agentStatus({ tunnel, direct, frontDoor, identities, cloud });
  const proxyScript = loggedProxyScript(routes, proxyAddress, getLogger("direct"));
  const console = await listenForConsole(config, status, proxyScript, undo);
  opened.console = `http://${hostPort(console.address.host, console.address.port)}`;
  for (const { port } of [proxyAddress, console.address]) ownPorts.add(port);
  const warnings = [...config.warnings, ...dropOwnUpstream(egress, proxyAddress)];
  logStart(config, { warnings, proxyAddress, consoleAddress: console.address, identities, ...egress });
  tunnel.start();
  const parts = { tunnel, direct, frontDoor, console, identities, revalidation };
  undo.move();
  return runningAgent(parts, async () => await cloud?.leave(createAgentCounter(dialServer, session)));
}

async function openIdentities(config: AgentConfig, undo: AsyncDisposableStack): Promise<IdentityStore> {
  const identities = await IdentityStore.open({
    source: config.identity,
    usage: "clientAuth",
    clock: systemClock,
    log: getLogger("tls"),
    pollMs: POLL_INTERVAL,
  });
  undo.defer(() => identities.close());
  return identities;
}

/** With a cloud the list is empty until the cloud provides addresses. */
function knownServers({ cloud, serverIp, serverPort }: AgentConfig): Servers {
  const servers = new Servers();
  if (cloud === undefined) servers.replace([{ host: serverIp, port: serverPort }]);
  return servers;
}

function revalidateServers(
  { serverName }: AgentConfig,
  identities: IdentityStore,
  undo: AsyncDisposableStack,
): ServerRevalidation {
  const revalidation = new ServerRevalidation({
    serverName,
    identities,
    clock: systemClock,
    log: getLogger("tunnel"),
  });
  undo.defer(() => revalidation.stop());
  return revalidation;
}

interface DirectParts {
  readonly ownPorts: OwnPorts;
  readonly budget: MemoryBudget;
  readonly lookup: Lookup | undefined;
}

function createDirectStreams(routes: Routes, parts: DirectParts, undo: AsyncDisposableStack): DirectStreams {
  const blockOf = (address: string, port: number) => routes.blockOf(address, port);
  const direct = new DirectStreams({ clock: systemClock, log: getLogger("direct"), blockOf, ...parts });
  undo.defer(() => direct.drain(0));
  return direct;
}

interface FrontDoorParts {
  readonly openStream: OpenStream;
  readonly tunnel: Tunnel;
  /** Undefined until the console is open: it opens second, because it shows the proxy's address. */
  consoleUrl(): string | undefined;
}

async function listenForClients(
  config: AgentConfig,
  { openStream, tunnel, consoleUrl }: FrontDoorParts,
  undo: AsyncDisposableStack,
): Promise<FrontDoor> {
  const opening = openFrontDoor({
    host: config.localProxyHost,
    port: config.localProxyPort,
    openStream,
    // The next attempt to connect does not help with errors of the agent itself.
    retryAfterMs: ({ at }) => at === "here" ? undefined : tunnel.retryInMs,
    idleTimeoutMs: IDLE_TIMEOUT,
    eager: config.eager,
    credentials: config.localProxyAuth,
    clock: systemClock,
    log: getLogger("front_door"),
    console: consoleUrl,
    configFile: config.file,
  });
  const frontDoor = await withListenAdvice({ host: "local_proxy_host", port: "local_proxy_port" }, opening);
  undo.defer(() => frontDoor.close());
  return frontDoor;
}

async function listenForConsole(
  { consolePort: port, file: configFile, localProxyAuth }: AgentConfig,
  status: ConsoleInit["status"],
  proxyScript: string,
  undo: AsyncDisposableStack,
): Promise<JsonPort> {
  const log = getLogger("agent");
  const needsLogin = localProxyAuth !== undefined;
  const events = {
    onError: ({ message }: SallyportError) => log.warn("console port lost", { error: message }),
    onReopened: (downMs: number) => log.info("console port open again", { down_for_ms: Math.round(downMs) }),
  };
  const console = await withListenAdvice(
    { port: "console_port" },
    openConsole({ port, status, proxyScript, configFile, needsLogin, ...events }),
  );
  undo.defer(() => console.close());
  return console;
}

/**
 * Drops an upstream proxy that is the agent itself; `local_proxy_port: 0` shows this only now.
 *
 * @returns Warnings.
 * @throws SallyportError `bad_request` if `upstream_proxy` names it; a variable may be meant for other programs.
 */
function dropOwnUpstream(egress: { upstream: Upstream | undefined }, proxyAddress: HostAndPort): string[] {
  if (egress.upstream === undefined || !isOwnProxy(egress.upstream, proxyAddress)) return [];
  const { source } = egress.upstream;
  if (source === "upstream_proxy") {
    throw new SallyportError("bad_request", `Cannot use ${source}: it names this agent itself`);
  }
  egress.upstream = undefined;
  return [ignoredVariablesWarning([source])];
}

interface StartFacts {
  readonly warnings: readonly string[];
  readonly proxyAddress: HostAndPort;
  readonly consoleAddress: HostAndPort;
  readonly identities: IdentityStore;
  readonly upstream: Upstream | undefined;
}

function logStart({ localProxyAuth }: AgentConfig, facts: StartFacts): void {
  const { warnings, proxyAddress, consoleAddress, identities, upstream } = facts;
  const log = getLogger("agent");
  for (const warning of warnings) log.warn(warning);
  log.info("proxy listening", proxyAddress);
  if (upstream !== undefined) {
    log.info("upstream proxy in use", { proxy: upstream.proxy.url.host, source: upstream.source });
  }
  log.info("console listening", consoleAddress);
  if (localProxyAuth === undefined && !isLoopback(proxyAddress.host)) {
    const advice = "anyone who reaches this address can use the tunnel: set local_proxy_auth, or set " +
      "local_proxy_host to a loopback address";
    log.warn("proxy open to other machines", { ...proxyAddress, advice });
  }
  if (identities.current.revocation === undefined) {
    log.info("no CRL configured: revoked server certificates are accepted");
  }
}

interface AgentParts {
  readonly tunnel: Tunnel;
  readonly direct: DirectStreams;
  readonly frontDoor: FrontDoor;
  readonly console: JsonPort;
  readonly identities: IdentityStore;
  readonly revalidation: ServerRevalidation;
}

/** @param leaveCloud Runs after the tunnel is closed. */
function runningAgent(parts: AgentParts, leaveCloud: () => Promise<void>): Agent {
  const { tunnel, direct, frontDoor, console, identities, revalidation } = parts;
  const log = getLogger("agent");
  const closed = Promise.withResolvers<void>();
  return {
    proxyAddress: addressOf(frontDoor),
    consoleAddress: console.address,
    closed: closed.promise,
    async drain(reason) {
      log.info("stopping", { reason });
      // The front door first: its clients' streams can end only while the tunnel still carries them.
      await frontDoor.drain(DRAIN_TIMEOUT);
      await Promise.all([tunnel.drain(DRAIN_TIMEOUT), direct.drain(DRAIN_TIMEOUT)]);
      await leaveCloud();
      revalidation.stop();
      await Promise.all([console.close(), identities.close()]);
      log.info("stopped");
      closed.resolve();
    },
    reload: (reason) => identities.reload(reason),
  };
}

function addressOf({ address }: FrontDoor): HostAndPort {
  return { host: address.address, port: address.port };
}
