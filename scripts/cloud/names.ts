/** Names of everything that an installation consists of in an account. */
export interface Names {
  /** The stack with all but the next. */
  readonly stack: string;
  /** The stack with the image's repository and the bucket. */
  readonly bootstrap: string;
  readonly repository: string;
  /** The cluster and the service of ECS that run the servers. */
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

/** The names of an installation. */
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
