import { type HttpOrigin, type ServingCertificate, startHttpOrigin } from "../origins/http_origin.ts";

/** Answer of AWS to one call of the JSON protocol. */
export interface AwsAnswer {
  /** @default 200 */
  readonly status?: number;
  readonly body: unknown;
}

/** A fake of the AWS services that speak JSON; it records the calls by name. */
export class FakeAws implements AsyncDisposable {
  readonly calls: { action: string; input: Record<string, unknown> }[] = [];
  readonly #origin: HttpOrigin;
  readonly #scheme: "http" | "https";
  readonly #before: Readonly<Record<string, string | undefined>>;

  /**
   * Until it is disposed of, the AWS library of this process talks to it.
   * @param answer Answers a call, such as `DescribeServices`.
   * @param tls Makes it speak TLS, as AWS does, with this certificate.
   */
  constructor(
    answer: (action: string, input: Record<string, unknown>) => AwsAnswer | Promise<AwsAnswer>,
    tls?: ServingCertificate,
  ) {
    this.#scheme = tls === undefined ? "http" : "https";
    this.#origin = startHttpOrigin(async (request) => {
      const action = request.headers.get("x-amz-target")?.split(".").at(-1) ?? "";
      const input = await request.json();
      this.calls.push({ action, input });
      const { status = 200, body } = await answer(action, input);
      return Response.json(body, { status, headers: { "content-type": "application/x-amz-json-1.1" } });
    }, tls);
    const env = this.env;
    this.#before = Object.fromEntries(Object.keys(env).map((name) => [name, Deno.env.get(name)]));
    for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  }

  /** Variables for a process that calls it. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: `${this.#scheme}://${this.#origin.host}`,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, value] of Object.entries(this.#before)) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await this.#origin[Symbol.asyncDispose]();
  }
}
