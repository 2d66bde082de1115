import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { CreateServiceLinkedRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Print } from "./progress.ts";

/** The AWS account to deploy to, with its clients. */
export interface Account {
  readonly id: string;
  readonly region: string;
  readonly cloudFormation: CloudFormationClient;
  readonly ecr: ECRClient;
  readonly ecs: ECSClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
}

/** Which credentials and region to use. */
export interface AccountOptions {
  /** @default {AWS_REGION, or the profile's} */
  readonly region?: string | undefined;
  /** A profile of ~/.aws. @default {AWS_PROFILE, or other credentials of the environment} */
  readonly profile?: string | undefined;
}

const SETUP = "set up the AWS command line (aws configure, or aws sso login), or pass --profile";

/**
 * Signs in to AWS.
 *
 * @throws {Error} When credentials or a region are missing.
 */
export async function signIn({ region, profile }: AccountOptions): Promise<Account> {
  // Read by all clients, and by the programs that they start for credentials.
  if (profile !== undefined) Deno.env.set("AWS_PROFILE", profile);
  if (region !== undefined) Deno.env.set("AWS_REGION", region);
  const sts = new STSClient({});
  const found = await sts.config.region().catch(() => undefined);
  if (found === undefined) throw new Error("Cannot sign in to AWS: no region is configured; pass --region");
  try {
    const { Account: id } = await sts.send(new GetCallerIdentityCommand({}));
    return {
      id: id ?? "",
      region: found,
      cloudFormation: new CloudFormationClient({}),
      ecr: new ECRClient({}),
      ecs: new ECSClient({}),
      iam: new IAMClient({}),
      s3: new S3Client({}),
      ssm: new SSMClient({}),
    };
  } catch (cause) {
    throw new Error(`Cannot sign in to AWS in ${found}: ${reasonOf(cause)}; ${SETUP}`, { cause });
  }
}

/** The message of an error, with its name where the message does not contain it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Error" || error.message.includes(error.name)
    ? error.message
    : `${error.name}: ${error.message}`;
}

const ECS_SERVICE = "ecs.amazonaws.com";
const ECS_ROLE = "AWSServiceRoleForECS";

/**
 * Creates the service-linked role of ECS, unless it exists. An account that never used ECS does not have it. ECS would
 * create it on its own, but then uses it before it has propagated, so that the first deployment fails. It is not in a
 * template, since it belongs to the account and not to the installation, and a template fails when it exists.
 *
 * @throws {Error} When IAM fails. Without the permission to create it this continues, since it may exist.
 */
export async function createLinkedRole(iam: IAMClient, print: Print): Promise<void> {
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: ECS_SERVICE }));
    print(`role ${ECS_ROLE}: created`);
  } catch (error) {
    const reason = reasonOf(error);
    if (/has been taken|already exists/.test(reason)) return print(`role ${ECS_ROLE}: exists`);
    if (!/AccessDenied/.test(reason)) throw error;
    print(`role ${ECS_ROLE}: not created (${reason}); continuing as if it existed`);
  }
}
