import type { Step } from "../step.ts";
import { certificate } from "./certificate.ts";
import { clock } from "./clock.ts";
import { configuration } from "./configuration.ts";
import { control } from "./control.ts";
import { fleet } from "./fleet.ts";
import { names } from "./names.ts";
import { page } from "./page.ts";
import { ports } from "./ports.ts";
import { proxy } from "./proxy.ts";
import { server } from "./server.ts";
import { session } from "./session.ts";
import { speed } from "./speed.ts";
import { tls } from "./tls.ts";

/** From what lies nearest to what lies farthest. */
export const STEPS: readonly Step[] = [
  configuration,
  ports,
  proxy,
  control,
  clock,
  certificate,
  names,
  fleet,
  server,
  tls,
  session,
  speed,
  page,
];
