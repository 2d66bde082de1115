/** Where the health port listens by default. */
export const HEALTH_DEFAULTS = { host: "127.0.0.1", port: 8080 } as const;

/** Address of a server's health port. */
export interface HealthAddress {
  /** The server's `health_addr`. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads the address of the health port from the environment alone, without loading the code for configurations: the
 * check runs every half minute next to a server that has a quarter of a processor.
 *
 * @param get Reads a variable.
 * @returns undefined when a value is not plain; loading the configuration then explains what is wrong with it.
 */
export function plainHealthAddress(get: (variable: string) => string | undefined): HealthAddress | undefined {
  const { host, port } = HEALTH_DEFAULTS;
  const address = {
    host: get("SALLYPORT_HEALTH_ADDR") ?? host,
    port: get("SALLYPORT_HEALTH_PORT") ?? String(port),
  };
  const isPlain = /^[\d.]{7,15}$|^[\da-f:]{2,39}$/i.test(address.host) && /^[1-9]\d{0,4}$/.test(address.port);
  return isPlain ? { host: address.host, port: Number(address.port) } : undefined;
}
