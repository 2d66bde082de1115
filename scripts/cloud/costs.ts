import type { Architecture } from "../lambdas/deno_binary.ts";

/**
 * List prices in US dollars of us-east-1, as AWS published them in November 2025; other regions differ by a few
 * percent to a third. https://aws.amazon.com/fargate/pricing/, /vpc/pricing/, /ecr/pricing/, /cloudwatch/pricing/
 */
const PRICES = {
  vcpuHour: { arm64: 0.03238, x86_64: 0.04048 },
  gigabyteHour: { arm64: 0.00356, x86_64: 0.004445 },
  addressHour: 0.005,
  /** Of one custom metric, billed by the hour in which it is reported. */
  metricHour: 0.3 / 730,
  imageGigabyteMonth: 0.1,
};
const METRICS = 7;
/** Of three images; the repository keeps up to 20. */
const IMAGES_GB = 0.15;

/** What an installation costs, by list prices and without any free allowance. */
export interface Costs {
  /** Per hour and server that is awake, without the traffic to the internet. */
  readonly hourAwake: number;
  /** Per month in which nobody uses it. */
  readonly monthAtRest: number;
}

/** Estimates what an installation costs. */
export function estimateCosts(arch: Architecture): Costs {
  const { vcpuHour, gigabyteHour, addressHour, metricHour, imageGigabyteMonth } = PRICES;
  const server = 0.25 * vcpuHour[arch] + 0.5 * gigabyteHour[arch];
  return {
    hourAwake: server + addressHour + METRICS * metricHour,
    monthAtRest: IMAGES_GB * imageGigabyteMonth,
  };
}
