import type { Action } from "../../shared/cloud/call.ts";

/** Addresses of the cloud's functions. */
export interface Endpoints {
  readonly wake: URL;
  /** Without it Wake is asked again and again, which answers the same. */
  readonly query: URL | undefined;
  /** Without it the server is never stopped from here. */
  readonly kill: URL | undefined;
}

/** How each is called; a call is signed for its method. */
export const METHODS: Readonly<Record<Action, string>> = { wake: "POST", query: "GET", kill: "POST" };
