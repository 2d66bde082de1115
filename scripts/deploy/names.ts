/** Names of the resources of an installation. */
export interface Names {
  /** The main stack. */
  readonly stack: string;
  /** The stack with the image repository and the code bucket. */
  readonly bootstrap: string;
  readonly repository: string;
  /** ECS cluster and service of the servers. */
  readonly cluster: string;
  readonly service: string;
  /** Parameters of the Systems Manager. */
  readonly parameters: {
    readonly certificate: string;
    readonly key: string;
    readonly ca: string;
    readonly crl: string;
  };
}

/** Returns the names of an installation. */
export function namesOf(name: string): Names {
  return {
    stack: name,
    bootstrap: `${name}-bootstrap`,
    repository: `${name}-server`,
    cluster: name,
    service: `${name}-server`,
    parameters: {
      certificate: `/${name}/certificate`,
      key: `/${name}/key`,
      ca: `/${name}/ca`,
      crl: `/${name}/crl`,
    },
  };
}
