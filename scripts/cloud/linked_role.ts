import { CreateServiceLinkedRoleCommand, type IAMClient } from "@aws-sdk/client-iam";
import { reasonOf } from "./aws.ts";
import type { Say } from "./say.ts";

const SERVICE = "ecs.amazonaws.com";
const ROLE = "AWSServiceRoleForECS";

/**
 * Makes the role by which ECS acts in the account, unless it is there. An account that never used ECS has none, and
 * ECS, which would make it by itself, uses it before it is known everywhere: a first deployment would fail. It is
 * made here and in no template, since it belongs to the account and not to the installation, and a template fails
 * where it is there already.
 *
 * @throws {Error} When IAM fails; who may not make roles of services is told so and goes on, as it may be there.
 */
export async function makeLinkedRole(iam: IAMClient, say: Say): Promise<void> {
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: SERVICE }));
    say(`role ${ROLE}: made`);
  } catch (error) {
    const reason = reasonOf(error);
    if (/has been taken|already exists/.test(reason)) return say(`role ${ROLE}: is there`);
    if (!/AccessDenied/.test(reason)) throw error;
    say(`role ${ROLE}: cannot be made (${reason}); this goes on as if it were there`);
  }
}
