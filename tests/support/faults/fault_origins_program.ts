/**
 * The origins of the fault tests as a program, for another network namespace than the test's. Argument: parts of their
 * pattern. The first line of output has their addresses.
 */
import { endWithParent } from "../paths/lifeline.ts";
import { startFaultOrigins } from "./fault_origins.ts";
import { Pattern } from "./pattern.ts";

const origins = startFaultOrigins(new Pattern(Number(Deno.args[0])));
await endWithParent({ http: origins.http.host, echo: origins.echo.host });
